"""The answer in sentences: which framework is faster, by how much, and how sure that is."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from bench.display import naming, numbers
from bench.report.chapters.breakdown import stages
from bench.report.groups import Group, Pair
from bench.report.results import Results
from bench.report.runs import why_withheld, withheld
from bench.statistics import LARGEST_DELTA, Verdict
from impls.frameworks import COMPARED

PHRASES = {
    Verdict.SMALLER: "{fast} is faster",
    Verdict.GREATER: "{fast} is faster",
    Verdict.EQUIVALENT: "equal within {within}",
    Verdict.INCONCLUSIVE: "no difference could be shown",
    Verdict.TOO_FEW: "one block: no verdict",
    Verdict.EXPLORATORY: "exploratory: no verdict",
    Verdict.UNFIT: "no verdict: the session is unfit",
}
"""A verdict on a pair as a table has it."""
SURE = {
    Verdict.SMALLER: "{fast} is faster: {sure}",
    Verdict.GREATER: "{fast} is faster: {sure}",
    Verdict.EQUIVALENT: "They are equal within {within}",
    Verdict.INCONCLUSIVE: "No difference could be shown: the interval includes 1",
    Verdict.TOO_FEW: "One block gives no interval and no verdict",
    Verdict.EXPLORATORY: "Nobody asked about this pair beforehand, so it gets no verdict",
    Verdict.UNFIT: "There is no verdict, since the session is unfit",
}
"""How sure the first sentence is; :func:`how_sure` has more to say of what is inconclusive."""
OTHER_WORDS = {
    "accuracy": {Verdict.SMALLER: "less right", Verdict.GREATER: "more right"},
    "process_peak_bytes": {Verdict.SMALLER: "less", Verdict.GREATER: "more"},
}
"""What is said of a difference that is not one of time."""
TUTORIALS = "documented"
SPOKEN_TIERS = ("matched", TUTORIALS, "tuned", "plugin")
"""The order of the sentences: what isolates the framework, then what readers of the tutorials run."""
STARTS = {"matched": "Doing the same, ", TUTORIALS: "As the tutorials write it, ", "tuned": "At their fastest, "}
"""How the line of a tier begins."""
QUESTION = tuple(naming.LABELS[name] for name in COMPARED)
"""The two that the documents compare; where a tier has both, its sentence is about them."""


def phrase(pair: Pair, fast: str) -> str:
    """The verdict on a pair in a few words; ``fast`` is the name of the one with the shorter time."""
    within = numbers.share(pair.delta)
    if pair.unsure:
        return unsure(pair.p)
    if pair.verdict is Verdict.INCONCLUSIVE and pair.low > 1:
        return f"differ by less than the {within} that this session can tell apart"
    return PHRASES[pair.verdict].format(fast=fast, within=within)


def unsure(p: float) -> str:
    """A verdict that the other questions took away."""
    return f"not certain once all questions are counted ({numbers.p_value(p)})"


def judged(row: Mapping[str, Any], named: str) -> tuple[str, str, str, str]:
    """What was compared, the verdict, the difference and its interval, of a pair's memory or accuracy."""
    points, verdict = row["compared"] == "accuracy", row["verdict"]
    within = f"{row['delta'] * 100:.1f} points" if points else numbers.share(row["delta"])
    if verdict.is_difference:
        words = f"{named}: {OTHER_WORDS[row['compared']][verdict]}"
    else:
        words = PHRASES[verdict].format(within=within)
    if points:
        shown, interval = f"{row['estimate'] * 100:+.2f} points", f"{row['low'] * 100:+.2f} to {row['high'] * 100:+.2f}"
        return "accuracy", words, shown, numbers.MISSING if math.isinf(row["high"]) else interval
    ends = numbers.ends(row["estimate"], row["low"], row["high"]) or numbers.MISSING
    return "memory", words, f"{numbers.ratio(row['estimate'])} times", ends


def opening(results: Results) -> list[str]:
    """The answer: a sentence per leading group and tier, then whether the session is fit, then what is missing."""
    if not (results.runs["status"] == "ok").any():
        return [no_result(results.runs, "Nothing was measured")]
    return [sentence for group in results.leading for sentence in answers(results, group)] + caveats(results)


def caveats(results: Results) -> list[str]:
    """Why the session ranks nothing, and how much of it is missing, where that is so."""
    runs, failed = results.runs, int((results.runs["status"] == "failed").sum())
    rows = [(group, row) for group in results.groups for _, row in group.control.iterrows()]
    sentences = [unfit(group, row) for group, row in rows if not row["fit"]]
    if failed:
        lost = numbers.count(failed, "process", "es")
        sentences.append(f"{lost} of {len(runs)} failed; the reasons are given below.")
    return sentences


def headlines(results: Results) -> list[str]:
    """The answer in a line for each leading group and tier; in full sentences where nothing is compared."""
    lines: list[str] = []
    for group in results.leading:
        tiers = dict.fromkeys((*SPOKEN_TIERS, *group.runs["tier"].unique()))
        own = [line for tier in tiers if (line := headline(results, group, tier))]
        lines += own or answers(results, group)
    return lines


def headline(results: Results, group: Group, tier: str) -> str:
    """How many times as long one framework took in a tier, with the interval; empty where the tier compares nothing."""
    both = compared(group, tier)
    pair = group.pair(*both) if both else None
    if pair is None:
        return ""
    fast, slow = naming.label(pair.fast, tier), naming.label(pair.slow, tier)
    ends = numbers.ends(pair.estimate, pair.low, pair.high).replace("–", " to ")
    ends = f"95 %: {ends}" if ends else "one block: no interval"
    sure = "" if pair.verdict.is_difference else f": {phrase(pair, fast)}"
    where = "" if len(results.leading) == 1 else f" on {naming.device(group.device)}"
    line = (
        f"{STARTS.get(tier, f'In the tier {tier}, ')}{slow} took {numbers.ratio(pair.estimate)} times as long as {fast}"
    )
    return f"{line}{where} ({ends}){sure}.{because(results, group) if tier == TUTORIALS else ''}"


def unfit(group: Group, row: pd.Series) -> str:
    """Why a session ranks nothing: a program differed from itself."""
    interval = numbers.interval(row["estimate"], row["low"], row["high"])
    return (
        f"This session is unfit to rank anything: {group.named(row['implementation'])}, run a second time in every "
        f"block, took {numbers.ratio(row['estimate'])} times its own time ({interval}, {group.title}). Something "
        "disturbed the machine: quiet it and measure again with --fresh."
    )


def no_result(runs: pd.DataFrame, start: str) -> str:
    """That nothing was measured, and the first reason why."""
    counts = {state: int((runs["status"] == state).sum()) for state in ("failed", "skipped")}
    states = [f"{numbers.count(number, 'process', 'es')} {state}" for state, number in counts.items() if number]
    return f"{start}: {numbers.listed(states)}{first_reason(runs)}."


def first_reason(runs: pd.DataFrame) -> str:
    """The first reason that a cell gives, to stand within a sentence."""
    reasons = [f": {numbers.shorten(reason, 200).rstrip('.')}" for reason in runs["reason"] if reason]
    return reasons[0] if reasons else ""


def answers(results: Results, group: Group) -> list[str]:
    """The sentences of one group: one for each tier that compares something, else one over all tiers."""
    if not (group.runs["status"] == "ok").any():
        return [no_result(group.runs, f"Nothing was measured for {group.title}")]
    if group.timed.empty and not withheld(group.runs).any():
        return [
            f"No steady epoch of {group.workload} was measured ({group.place}): the first epoch includes tracing and "
            "compiling and is reported apart, so run with --epochs 2 or more."
        ]
    tiers = [*SPOKEN_TIERS, *(tier for tier in group.runs["tier"].unique() if tier not in naming.TIERS)]
    if sentences := [sentence for tier in tiers if (sentence := of_tier(results, group, tier))]:
        return sentences
    contenders = group.timed[group.timed["tier"] != "reference"]
    contenders = group.timed if len(contenders) < 2 else contenders  # beside a yardstick, one is compared with it
    if contenders.empty:
        why = why_withheld(group.runs)
        return [f"Every speed of {group.title} is withheld: the work was not the same ({why})."]
    labels = {naming.label(row["implementation"], row["tier"]) for _, row in contenders.iterrows()}
    if len(labels) == 1:
        listed = numbers.listed([timing(group, name) for name in contenders["implementation"]])
        return [f"Only {labels.pop()} was measured, so there is nothing to compare it with: {listed} ({group.title})."]
    fastest, second = contenders["implementation"].iloc[:2]
    return [of_pair(group, fastest, second)]


def of_tier(results: Results, group: Group, tier: str) -> str:
    """The sentence on one tier; empty where the tier compares nothing."""
    names = group.runs.loc[(group.runs["tier"] == tier) & (group.runs["role"] == "measured"), "implementation"].unique()
    timed = [name for name in group.timed["implementation"] if name in names]
    both = compared(group, tier)
    if both is None:
        return alone(group, timed, [str(name) for name in names if name not in timed])
    sentence = of_pair(group, *both) + "".join(varied(group, *both, name) for name in timed if name not in both)
    if timed[0] not in both:
        sentence += f" The fastest of this tier: {timing(group, timed[0])}."
    return sentence + (because(results, group) if tier == TUTORIALS else "")


def because(results: Results, group: Group) -> str:
    """What getting the data to the networks takes of the tutorials' programs, where that was measured; may be empty."""
    shares = [
        f"{numbers.percent(stages.fed(own))} of {naming.label(name, TUTORIALS)}’s epochs"
        for name, own in stages.whole(results.frames["breakdown"], group)
        if not stages.disturbance(own)
    ]
    return f" There, getting the data to the network takes {numbers.listed(shares)}." if shares else ""


def compared(group: Group, tier: str) -> tuple[str, str] | None:
    """The two programs that a tier's sentence is about: the tutorials' frameworks, else the fastest two."""
    timed = [str(name) for name in group.timed.loc[group.timed["tier"] == tier, "implementation"]]
    of_question = [name for label in QUESTION for name in timed if naming.label(name, tier) == label]
    both = of_question if len(of_question) == 2 else timed[:2]
    return (both[0], both[1]) if len(both) == 2 else None


def finding(group: Group) -> str:
    """The answer as a headline: of the first tier that compares two programs."""
    for tier in (*SPOKEN_TIERS, *group.runs["tier"].unique()):
        both = compared(group, tier)
        pair = group.pair(*both) if both else None
        if pair is not None:
            fast, slow = naming.label(pair.fast, tier), naming.label(pair.slow, tier)
            if pair.verdict is Verdict.EQUIVALENT:
                return f"{fast} and {slow} are equally fast, within {numbers.share(pair.delta)}"
            sure = "" if pair.verdict.is_difference else " here, which is not certain"
            return f"{slow} takes {numbers.ratio(pair.estimate)} times as long as {fast}{sure}"
    return "Training time per epoch"


def varied(group: Group, a: str, b: str, name: str) -> str:
    """How a variant of one of two, ``NAME-VARIANT``, compares with the other; may be empty."""
    base, other = (a, b) if name.startswith(f"{a}-") else (b, a)
    pair = group.pair(name, other) if name.startswith(f"{base}-") else None
    if pair is None:
        return ""
    estimate, low, high = pair.of(name)
    return f" As {name} it took {numbers.ratio(estimate)} times as long ({numbers.interval(estimate, low, high)})."


def alone(group: Group, timed: list[str], lost: list[str]) -> str:
    """The sentence on a tier of which only one, or none, could be measured; empty where nothing was lost."""
    if not lost:
        return ""
    cells = group.runs[group.runs["implementation"] == lost[0]]
    if withheld(cells).any():
        why = f" has no speed: it does not do the same work ({why_withheld(cells)})"
    else:
        why = f" could not be measured{first_reason(cells)}"
    start = f"On {group.workload} ({group.place}) nothing can be compared: "
    seen = "".join(f"{timing(group, name)}; " for name in timed)
    return f"{start}{seen}{numbers.listed([group.named(name) for name in lost])}{why}."


def timing(group: Group, name: str) -> str:
    """An implementation's time per epoch, with its accuracy."""
    row = group.row(name)
    seconds, accuracy = numbers.figure("epoch_s", row["epoch_s"]), numbers.figure("accuracy", row["accuracy"])
    return f"{group.named(name)} {seconds} per epoch at {accuracy} accuracy"


def of_pair(group: Group, a: str, b: str) -> str:
    """How many times as long one of two took, with interval, blocks and place; how sure that is; both accuracies."""
    pair = group.pair(a, b)
    if pair is None:
        return f"{group.named(a)} and {group.named(b)} share no block of {group.title}, so they cannot be compared."
    tiers = {group.tier(a), group.tier(b)}
    names = {name: naming.label(name, *tiers) if len(tiers) == 1 else group.named(name) for name in (a, b)}
    fast, slow, factor = names[pair.fast], names[pair.slow], numbers.ratio(pair.estimate)
    start = "As the tutorials write it, " if tiers == {TUTORIALS} else ""
    tier = f" ({group.tier(a)})" if len(tiers) == 1 and not start else ""
    blocks = [] if math.isinf(pair.high) and pair.blocks == 1 else [numbers.count(pair.blocks, "block")]
    terms = ", ".join([numbers.interval(pair.estimate, pair.low, pair.high), *blocks, group.place])
    accuracies = [f"{names[name]} {numbers.figure('accuracy', group.row(name)['accuracy'])}" for name in (a, b)]
    return (
        f"{start}{slow} took {factor} times as long as {fast}{tier} to train {group.workload} ({terms}). "
        f"{how_sure(pair, fast)}. Test accuracy {group.after}: {', '.join(accuracies)}."
    )


def how_sure(pair: Pair, fast: str) -> str:
    """What may be concluded from a pair's ratio; ``fast`` is the name of the one with the shorter time."""
    within, p = numbers.share(pair.delta), numbers.p_value(pair.p)
    if pair.unsure:
        return f"That is {unsure(pair.p)}"
    if pair.verdict is Verdict.INCONCLUSIVE and pair.low > 1:
        if pair.delta > LARGEST_DELTA:
            return f"The session is too noisy for a verdict: the machine differs from itself by up to {within}"
        return f"They differ by less than the {within} that show here between a program and itself"
    if pair.verdict is Verdict.INCONCLUSIVE and pair.blocks < 3:
        return "Two blocks are too few to show a difference"
    sure = f"{p} with all questions counted, and more than the {within} by which the machine differs from itself"
    return SURE[pair.verdict].format(fast=fast, within=within, sure=sure)

"""The answer in sentences: which is faster, by how much, how sure, and what could not be told."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from bench import words
from bench.compare import INCONCLUSIVE, LARGEST_DELTA, TOO_FEW, UNFIT, sure
from impls.devices import in_names

TUTORIALS = "documented"
SPOKEN_TIERS = ("matched", TUTORIALS, "tuned", "plugin")
"""The order of the sentences: what isolates the framework, then what readers of the tutorials run."""
QUESTION = ("PyTorch", "Keras on TensorFlow")
"""The two that the documents compare; where a tier has both, its sentence is about them."""


@dataclass(frozen=True)
class Pair:
    """Two implementations of a group: ``fast`` took the shorter time, ``estimate`` and interval are of slow / fast.

    ``p`` is corrected for all pairs of the session.
    """

    fast: str
    slow: str
    estimate: float
    low: float
    high: float
    delta: float
    verdict: str
    blocks: int
    p: float

    @property
    def unsure(self) -> bool:
        """Whether its interval excludes 1 only as long as the other pairs are not counted."""
        return self.verdict == INCONCLUSIVE and self.low > 1 and not sure(self.p)


def key(workload: str, device: str, threads: int) -> str:
    """What is compared with each other, fit for a file name or an anchor."""
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in workload)
    return f"{safe}.{in_names(device)}.{threads}t"


@dataclass(frozen=True)
class Group:
    """What is compared with each other: one workload on one device with one thread count, and its derived frames.

    ``runs`` has all its cells; ``summary`` one row per implementation that was measured, the fastest first.
    ``judged`` has its rows of the comparison, of time, memory and accuracy; ``pairs`` are those of time. ``break_even``
    says which implementation overtakes which. ``document_epochs`` is the document's own number, None where unknown.
    ``multiples`` says how many times the machine's own limit an epoch takes, where that was measured.
    """

    workload: str
    device: str
    threads: int
    runs: pd.DataFrame
    summary: pd.DataFrame
    control: pd.DataFrame
    judged: pd.DataFrame
    break_even: pd.DataFrame
    pairs: tuple[Pair, ...]
    document_epochs: int | None
    multiples: pd.DataFrame

    @property
    def place_key(self) -> tuple[str, str, int]:
        """As :attr:`bench.records.Cell.place` has it: network, device, threads."""
        return self.workload, self.device, self.threads

    @property
    def place(self) -> str:
        """``CPU, 2 threads``."""
        return words.place(self.device, self.threads)

    @property
    def title(self) -> str:
        """``mlp-128-64, CPU, 2 threads``."""
        return words.title(self.workload, self.device, self.threads)

    @property
    def key(self) -> str:
        """Fit for a file name or an anchor."""
        return key(*self.place_key)

    @property
    def after(self) -> str:
        """``after 3 of 5 epochs``: how long the networks whose accuracy is shown were trained."""
        return words.after(int(self.runs["epochs"].iloc[0]), self.document_epochs)

    @property
    def timed(self) -> pd.DataFrame:
        """The rows of the summary that have steady epochs."""
        return self.summary.dropna(subset="epoch_s") if len(self.summary) else self.summary

    def pair(self, a: str, b: str) -> Pair | None:
        """What was found between two implementations, None where they share no block."""
        return next((pair for pair in self.pairs if {pair.fast, pair.slow} == {a, b}), None)

    def row(self, implementation: str) -> pd.Series:
        """An implementation's row of the summary."""
        return self.summary[self.summary["implementation"] == implementation].iloc[0]

    def named(self, implementation: str) -> str:
        """``PyTorch (matched)``."""
        tier = self.runs.loc[self.runs["implementation"] == implementation, "tier"].iloc[0]
        return words.named(implementation, str(tier))


def groups(frames: Mapping[str, pd.DataFrame], document_epochs: Mapping[str, int], first: str) -> list[Group]:
    """The groups of a session: the workload ``first`` leads, the CPU comes before others, more threads before fewer."""
    runs = frames["runs"]
    keys = list(dict.fromkeys(zip(runs["workload"], runs["device"], runs["threads"], strict=True)))
    order = list(dict.fromkeys(key[0] for key in keys))
    keys.sort(key=lambda key: (key[0] != first, order.index(key[0]), key[1] != "cpu", key[1], -key[2]))
    found = []
    for workload, device, threads in keys:
        own, summed, controls, judged, overtaken, limits = (
            part(frames[name], workload, device, threads)
            for name in ("runs", "summary", "control", "comparison", "break_even", "multiples")
        )
        pairs = tuple(oriented(row) for _, row in judged[judged["compared"] == "epoch_s"].iterrows())
        epochs = document_epochs.get(workload)
        found.append(
            Group(workload, device, int(threads), own, summed, controls, judged, overtaken, pairs, epochs, limits)
        )
    return found


def part(frame: pd.DataFrame, workload: str, device: str, threads: int) -> pd.DataFrame:
    """The rows of one group."""
    if frame.empty:
        return frame
    return frame[(frame["workload"] == workload) & (frame["device"] == device) & (frame["threads"] == threads)]


def oriented(row: pd.Series) -> Pair:
    """A row of the comparison of times, turned so that its ratio is at least 1."""
    fast, slow, estimate, low, high = row["b"], row["a"], float(row["estimate"]), float(row["low"]), float(row["high"])
    if estimate < 1:
        fast, slow, estimate = slow, fast, 1 / estimate
        low, high = 1 / high, 1 / low if low > 0 else math.inf
    delta, verdict, blocks, p = float(row["delta"]), str(row["verdict"]), int(row["blocks"]), float(row["p_holm"])
    return Pair(fast, slow, estimate, low, high, delta, verdict, blocks, p)


def leading(found: Sequence[Group]) -> list[Group]:
    """The groups that the opening speaks of: the first workload, on each device with the most threads."""
    first: dict[str, Group] = {}
    for group in found:
        if group.workload == found[0].workload:
            first.setdefault(group.device, group)
    return list(first.values())


def opening(found: Sequence[Group]) -> list[str]:
    """The answer: whether the session is fit, then a sentence per leading group and tier, then what is missing."""
    runs = pd.concat([group.runs for group in found])
    if not (runs["status"] == "ok").any():
        return [nothing(runs, "Nothing was measured")]
    failed = int((runs["status"] == "failed").sum())
    sentences = [unfit(group, row) for group in found for _, row in group.control.iterrows() if not row["fit"]]
    for group in leading(found):
        sentences += answers(group)
    if failed:
        sentences.append(f"{words.count(failed, 'cell')} of {len(runs)} failed; the reasons are given below.")
    return sentences


def unfit(group: Group, row: pd.Series) -> str:
    """Why a session ranks nothing: a program differed from itself."""
    found = words.interval(row["estimate"], row["low"], row["high"])
    return (
        f"This session is unfit to rank anything: {group.named(row['implementation'])}, run a second time in every "
        f"block, took {words.ratio(row['estimate'])} times its own time ({found}, {group.title}). Something disturbed "
        "the machine: quiet it and measure again with --fresh."
    )


def nothing(runs: pd.DataFrame, start: str) -> str:
    """That nothing was measured, and the first reason why."""
    counts = {state: int((runs["status"] == state).sum()) for state in ("failed", "skipped")}
    states = [f"{words.count(number, 'cell')} {state}" for state, number in counts.items() if number]
    reasons = [reason for reason in runs["reason"] if reason]
    return f"{start}: {words.listed(states)}{because(reasons)}."


def because(reasons: list[str]) -> str:
    """The first reason, to stand within a sentence."""
    return f": {words.shorten(reasons[0], 200).rstrip('.')}" if reasons else ""


def answers(group: Group) -> list[str]:
    """The sentences of one group: one for each tier that compares something, else one over all tiers."""
    if not (group.runs["status"] == "ok").any():
        return [nothing(group.runs, f"Nothing was measured for {group.title}")]
    if group.timed.empty and not (group.runs["gate"] == "failed").any():
        return [
            f"No steady epoch of {group.workload} was measured ({group.place}): the first epoch includes tracing and "
            "compiling and is reported apart, so run with --epochs 2 or more."
        ]
    tiers = [*SPOKEN_TIERS, *(tier for tier in group.runs["tier"].unique() if tier not in words.TIERS)]
    told = [sentence for tier in tiers if (sentence := of_tier(group, tier))]
    if told:
        return told
    contenders = group.timed[group.timed["tier"] != "reference"]
    contenders = group.timed if len(contenders) < 2 else contenders  # beside a yardstick, one is compared with it
    if contenders.empty:
        return [f"Every speed of {group.title} is withheld: the work was not the same (see the equivalence gate)."]
    labels = {words.label(row["implementation"], row["tier"]) for _, row in contenders.iterrows()}
    if len(labels) == 1:
        listed = words.listed([timing(group, name) for name in contenders["implementation"]])
        return [f"Only {labels.pop()} was measured, so there is nothing to compare it with: {listed} ({group.title})."]
    fastest, second = contenders["implementation"].iloc[:2]
    return [of_pair(group, fastest, second)]


def of_tier(group: Group, tier: str) -> str:
    """The sentence on one tier; empty where the tier compares nothing."""
    names = group.runs.loc[(group.runs["tier"] == tier) & (group.runs["role"] == "measured"), "implementation"].unique()
    timed = [name for name in group.timed["implementation"] if name in names]
    if len(timed) < 2:
        return alone(group, timed, [str(name) for name in names if name not in timed])
    asked = [name for label in QUESTION for name in timed if words.label(name, tier) == label]
    chosen = asked if len(asked) == 2 else timed[:2]
    sentence = of_pair(group, chosen[0], chosen[1])
    if timed[0] not in chosen:
        sentence += f" The fastest of this tier: {timing(group, timed[0])}."
    return sentence


def alone(group: Group, timed: list[str], lost: list[str]) -> str:
    """The sentence on a tier of which only one, or none, could be measured; empty where nothing was lost."""
    if not lost:
        return ""
    own = group.runs[group.runs["implementation"] == lost[0]]
    if (own["gate"] == "failed").any():
        why = " has no speed: it does not do the same work (see the equivalence gate)"
    else:
        why = f" could not be measured{because([reason for reason in own['reason'] if reason])}"
    start = f"On {group.workload} ({group.place}) nothing can be compared: "
    seen = "".join(f"{timing(group, name)}; " for name in timed)
    return f"{start}{seen}{words.listed([group.named(name) for name in lost])}{why}."


def timing(group: Group, name: str) -> str:
    """``PyTorch (matched) 1.02 s per epoch``, with its accuracy."""
    row = group.row(name)
    seconds, accuracy = words.figure("epoch_s", row["epoch_s"]), words.figure("accuracy", row["accuracy"])
    return f"{group.named(name)} {seconds} per epoch at {accuracy} accuracy"


def of_pair(group: Group, a: str, b: str) -> str:
    """What was found between two implementations, with the interval, the blocks, the place and both accuracies."""
    pair = group.pair(a, b)
    if pair is None:
        return f"{group.named(a)} and {group.named(b)} share no block of {group.title}, so they cannot be compared."
    fast, slow, factor = group.named(pair.fast), group.named(pair.slow), words.ratio(pair.estimate)
    tiers = {str(group.row(name)["tier"]) for name in (a, b)}
    if len(tiers) == 1:
        slow = words.label(pair.slow, *tiers)
    both, took = f"{fast} and {slow}", f"{slow} took {factor} times the time of {fast} on {group.workload}"
    within = words.share(pair.delta)
    start = "As the tutorials write it," if tiers == {TUTORIALS} else "On this machine"
    if pair.verdict == UNFIT:
        found = f"Without a verdict: {took}"
    elif pair.verdict == TOO_FEW:
        found = f"Too few blocks for a verdict: {took}"
    elif pair.verdict in ("faster", "slower"):
        found = f"{start} {fast} trains {group.workload} {factor} times as fast as {slow}"
    elif pair.verdict.startswith("equivalent"):
        found = f"{start} {both} train {group.workload} equally fast, within {within}"
    elif pair.unsure:
        found = f"{words.unsure(pair.p).capitalize()}: {took}"
    elif pair.low > 1 and pair.delta > LARGEST_DELTA:
        found = f"The session is too noisy for a verdict: {took}"
    elif pair.low > 1:
        found = f"{start} {both} differ on {group.workload} by less than the {within} that show here: ratio {factor}"
    elif pair.blocks < 3:
        found = f"Two blocks are too few to show a difference between {both} on {group.workload}: ratio {factor}"
    else:
        found = f"{start} no difference between {both} could be shown on {group.workload}: ratio {factor}"
    blocks = [] if math.isinf(pair.high) and pair.blocks == 1 else [words.count(pair.blocks, "block")]
    terms = ", ".join([words.interval(pair.estimate, pair.low, pair.high), *blocks, group.place])
    names = {name: words.label(name, *tiers) if len(tiers) == 1 else group.named(name) for name in (a, b)}
    accuracies = [f"{names[name]} {words.figure('accuracy', group.row(name)['accuracy'])}" for name in (a, b)]
    return f"{found} ({terms}). Test accuracy {group.after}: {', '.join(accuracies)}."

"""The comparison as tables for people: strings, made once for terminal, Markdown and HTML alike."""

import math

from bench import statistics
from bench.display import naming, numbers
from bench.display.tables import Sheet
from bench.report.chapters.comparison import answer
from bench.report.chapters.floor.tables import of_floor
from bench.report.groups import Group
from bench.report.results import Results
from bench.statistics import ACCURACY_DELTA, LARGEST_DELTA, Verdict

NO_P = (Verdict.TOO_FEW, Verdict.EXPLORATORY)
TOO_NOISY = "That is too uncertain to call anything equivalent: take more blocks or quiet the machine."
BESIDE_SPEED = (
    "Memory: the whole process's peak, as a ratio. Accuracy: on the test images after the last epoch, as a "
    f"difference in points over seeds; below {ACCURACY_DELTA * 100:g} points nothing is called a difference."
)


def summary(results: Results, group: Group, wide: bool) -> Sheet:
    """One row per implementation, the fastest first: speed, its ratio to the fastest, accuracy, memory, first epoch.

    ``wide`` adds ranges and spells the names out; the terminal has no room for that and shows the names it takes.
    """
    fastest = group.timed["implementation"].iloc[0] if len(group.timed) else None
    multiples = results.part("multiples", group)
    cells = group.runs[(group.runs["status"] == "ok") & (group.runs["role"] == "measured")]
    peaks = cells["device_peak_bytes"].astype(float).groupby(cells["implementation"]).agg(statistics.program_value)
    on_device = wide and not peaks.isna().all()
    rows = []
    for _, row in group.summary.iterrows():
        name = str(row["implementation"])
        speed, accuracy, memory = (
            numbers.spread(column, row[column], row[f"{column}_low"], row[f"{column}_high"])
            if wide or column == "epoch_s"
            else numbers.figure(column, row[column])
            for column in ("epoch_s", "accuracy", "process_peak_bytes")
        )
        rows.append((
            group.two_lines(name) if wide else name, speed, times(group, name, fastest),
            *of_floor(multiples, name, wide), accuracy, memory,
            *([numbers.figure("_bytes", peaks[name])] if on_device else []),
            numbers.figure("first_epoch_s", row["first_epoch_s"]),
        ))  # fmt: skip
    columns = (
        "implementation", "time per epoch", "times the fastest",
        *(["times the floor" if wide else "floors"] if len(multiples) else []), "accuracy", "memory",
        *(["device memory"] if on_device else []), "first epoch",
    )  # fmt: skip
    tiers = sorted(set(group.summary["tier"]) if len(group.summary) else [], key=naming.tier_rank)
    meanings = "; ".join(f"{tier}: {naming.TIERS.get(tier, 'not known here')}" for tier in tiers)
    note = f"Geometric mean of the processes, of accuracies the mean (range); accuracy {group.after}; memory is the "
    note += "whole process's peak."
    note += "" if wide else f" {meanings}."
    note += " A floor is what the machine itself needs for an epoch." if len(multiples) else ""
    return Sheet(group.title, columns, tuple(rows), note=note)


def times(group: Group, name: str, fastest: str | None) -> str:
    """How many times the fastest implementation's time another took, with its interval if there is one."""
    if name == fastest:
        return "1"
    pair = group.pair(name, fastest) if fastest else None
    if pair is None:
        return numbers.MISSING
    estimate, low, high = pair.of(name)  # a longer typical epoch may have a paired ratio below 1
    ends = numbers.ends(estimate, low, high)
    return f"{numbers.ratio(estimate)} ({ends})" if ends else numbers.ratio(estimate)


def pairs(group: Group, within_tier: bool) -> Sheet:
    """Every pair of implementations of a group, of the same tier or of different ones, with the verdict in words."""
    rows = []
    for pair in sorted(group.pairs, key=lambda pair: naming.tier_rank(group.tier(pair.fast))):
        if (group.tier(pair.fast) == group.tier(pair.slow)) == within_tier:
            rows.append((
                group.named(pair.fast), group.named(pair.slow),
                answer.phrase(pair, group.named(pair.fast)),
                numbers.ratio(pair.estimate), numbers.ends(pair.estimate, pair.low, pair.high) or numbers.MISSING,
                numbers.MISSING if pair.verdict in NO_P else numbers.probability(pair.p), str(pair.blocks),
            ))  # fmt: skip
    columns = (
        "shorter time",
        "longer time",
        "verdict",
        "times as long",
        "95 % interval",
        "p (all questions)",
        "blocks",
    )
    return Sheet(group.title, columns, tuple(rows), texts=3)


def beside_speed(group: Group) -> Sheet:
    """The same pairs by memory and by accuracy: what a speed costs, and whether it is bought with worse results."""
    rows = [
        (group.named(row["a"]), group.named(row["b"]), *answer.judged(dict(row), group.named(row["a"])))
        for _, pair in group.judged.groupby(["a", "b"], sort=False)
        for _, row in pair[pair["compared"] != "epoch_s"].iterrows()
    ]
    columns = ("implementation", "beside", "what", "verdict", "difference", "95 % interval")
    rows.sort(key=lambda row: row[2], reverse=True)
    return Sheet(group.title, columns, tuple(rows), texts=4, note=BESIDE_SPEED)


def control(group: Group) -> list[str]:
    """The A/A control in words: what the machine shows between a thing and itself."""
    lines = []
    for _, row in group.control.iterrows():
        interval = numbers.interval(row["estimate"], row["low"], row["high"])
        state = "fit, it does not differ from itself" if row["fit"] else "UNFIT, it differs from itself"
        if row["fit"] and not row["low"] <= 1 <= row["high"]:
            state = "fit, as one of several controls may miss 1 by chance"
        if math.isinf(row["high"]):
            state = "cannot be judged"
        below = f"Differences below {numbers.share(row['delta'])} do not count."
        lines.append(
            f"A/A control: {row['implementation']} against itself, {numbers.ratio(row['estimate'])} times "
            f"({interval}): {state}. {TOO_NOISY if row['delta'] > LARGEST_DELTA else below}"
        )
    return lines or ["A/A control: none was measured, so how much this machine differs from itself is not known."]

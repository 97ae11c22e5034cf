"""Frames as tables for people: strings only, made once, shown in the terminal, in Markdown and in HTML alike."""

import math

from bench.display import naming, numbers
from bench.display.tables import Sheet
from bench.report import groups
from bench.report.chapters import floor
from bench.report.chapters.comparison import answer
from bench.report.groups import Group
from bench.report.results import Results
from bench.statistics import ACCURACY_DELTA, LARGEST_DELTA, Verdict

TOO_NOISY = "That is too uncertain to call anything equivalent: take more blocks or quiet the machine."


def summary(results: Results, group: Group, wide: bool) -> Sheet:
    """One row per implementation, the fastest first: speed, its ratio to the fastest, accuracy, memory, first epoch.

    ``wide`` adds ranges and spells the names out; the terminal has no room for that and shows the names it takes.
    """
    fastest = group.timed["implementation"].iloc[0] if len(group.timed) else None
    floors = results.part("multiples", group)
    own = group.runs[(group.runs["status"] == "ok") & (group.runs["role"] == "measured")]
    peaks = own["device_peak_bytes"].astype(float).groupby(own["implementation"]).median()
    on_device = {} if peaks.isna().all() else dict(peaks)
    rows = []
    for _, row in group.summary.iterrows():
        name = str(row["implementation"])
        speed, accuracy, memory = (
            numbers.spread(column, row[column], row[f"{column}_low"], row[f"{column}_high"])
            if wide or column == "epoch_s"
            else numbers.figure(column, row[column])
            for column in ("epoch_s", "accuracy", "process_peak_bytes")
        )
        first = numbers.figure("first_epoch_s", row["first_epoch_s"])
        ratio = groups.times(group, name, fastest)
        device = numbers.figure("_bytes", on_device[name]) if wide and name in on_device else None
        figures = (
            speed,
            ratio,
            *floor.of_floor(floors, name, wide),
            accuracy,
            memory,
            *([device] if device else []),
            first,
        )
        rows.append((groups.two_lines(group, name) if wide else name, *figures))
    columns = ["implementation", "time per epoch", "times the fastest", "accuracy", "memory", "first epoch"]
    columns[5:5] = ["device memory"] if wide and on_device else []
    columns[3:3] = ["times the floor" if wide else "floors"] if len(floors) else []
    tiers = sorted(set(group.summary["tier"]) if len(group.summary) else [], key=naming.tier_rank)
    meanings = "; ".join(f"{tier}: {naming.TIERS.get(tier, 'not known here')}" for tier in tiers)
    note = f"Median of the processes (range); accuracy {group.after}; memory is the whole process's peak. {meanings}."
    note += " A floor is what the machine itself needs for an epoch." if len(floors) else ""
    return Sheet(group.title, tuple(columns), tuple(rows), note=note)


def pairs(group: Group, within_tier: bool) -> Sheet:
    """Every pair of implementations of a group, of the same tier or of different ones, with the verdict in words."""
    tier = dict(zip(group.runs["implementation"], group.runs["tier"], strict=True))
    rows = []
    for pair in sorted(group.pairs, key=lambda pair: naming.tier_rank(tier[pair.fast])):
        if (tier[pair.fast] == tier[pair.slow]) == within_tier:
            rows.append((
                group.named(pair.fast), group.named(pair.slow),
                answer.phrase(pair, group.named(pair.fast)),
                numbers.ratio(pair.estimate), numbers.ends(pair.estimate, pair.low, pair.high) or numbers.MISSING,
                numbers.MISSING if pair.verdict is Verdict.TOO_FEW else numbers.probability(pair.p), str(pair.blocks),
            ))  # fmt: skip
    columns = ("shorter time", "longer time", "verdict", "times as long", "95 % interval", "p (all pairs)", "blocks")
    return Sheet(group.title, columns, tuple(rows), texts=3)


def beside_speed(group: Group) -> Sheet:
    """The same pairs by memory and by accuracy: what a speed costs, and whether it is bought with worse results."""
    rows = []
    for _, found in group.judged.groupby(["a", "b"], sort=False):
        for _, row in found[found["compared"] != "epoch_s"].iterrows():
            rows.append(
                (group.named(row["a"]), group.named(row["b"]), *answer.judged(dict(row), group.named(row["a"])))
            )
    columns = ("implementation", "beside", "what", "verdict", "difference", "95 % interval")
    note = (
        "Memory: the whole process's peak, as a ratio. Accuracy: on the test images after the last epoch, as a "
        f"difference in points over seeds; below {ACCURACY_DELTA * 100:g} points nothing is called a difference."
    )
    return Sheet(group.title, columns, tuple(sorted(rows, key=lambda row: row[2], reverse=True)), texts=4, note=note)


def control(group: Group) -> list[str]:
    """The A/A control in words: what the machine shows between a thing and itself."""
    told = []
    for _, row in group.control.iterrows():
        ratio, found = numbers.ratio(row["estimate"]), numbers.interval(row["estimate"], row["low"], row["high"])
        chance = row["fit"] and not row["low"] <= 1 <= row["high"]
        state = "fit, it does not differ from itself" if row["fit"] else "UNFIT, it differs from itself"
        state = "fit, as one of several controls may miss 1 by chance" if chance else state
        below = f"Differences below {numbers.share(row['delta'])} do not count."
        small = TOO_NOISY if row["delta"] > LARGEST_DELTA else below
        told.append(
            f"A/A control: {row['implementation']} against itself, {ratio} times ({found}): "
            f"{'cannot be judged' if math.isinf(row['high']) else state}. {small}"
        )
    return told or ["A/A control: none was measured, so how much this machine differs from itself is not known."]

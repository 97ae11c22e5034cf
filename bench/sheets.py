"""Frames as tables for people: strings only, made once, shown in the terminal, in Markdown and in HTML alike."""

import html
import math
import re
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from bench import words
from bench.answers import Group
from bench.compare import ACCURACY_DELTA, LARGEST_DELTA, TOO_FEW

FIGURES = ("epoch_s", "first_epoch_s", "accuracy", "process_peak_bytes")
ONCE = {
    "import_s": "import", "build_s": "build", "load_s": "load data", "first_epoch_s": "first epoch",
    "predict_s": "prediction", "process_s": "whole process",
}  # fmt: skip

TOO_NOISY = "That is too uncertain to call anything equivalent: take more blocks or quiet the machine."


@dataclass(frozen=True)
class Sheet:
    """A table of strings. The first ``texts`` columns are words, the others figures; a cell may have a second line.

    Where it is ``grouped``, rows with the same first column belong together and the column is their heading. ``links``
    are where the rows lead within the page, empty for those that lead nowhere.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1
    note: str = ""
    grouped: bool = False
    links: tuple[str, ...] = ()


def in_markdown(text: str) -> Markup:
    """Text that Markdown shows as it is, on one line."""
    escaped = re.sub(r"([\\`*_\[\]|])", r"\\\1", html.escape(text, quote=False))
    return Markup("<br>".join(escaped.splitlines()))


def markdown(sheet: Sheet) -> str:
    """A sheet as a Markdown table, figures to the right."""
    lines = [sheet.columns, tuple("---" if i < sheet.texts else "---:" for i in range(len(sheet.columns)))]
    lines += [tuple(map(in_markdown, row)) for row in sheet.rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def summary(group: Group, wide: bool) -> Sheet:
    """One row per implementation, the fastest first: speed, its ratio to the fastest, accuracy, memory, first epoch.

    ``wide`` adds ranges and spells the names out; the terminal has no room for that and shows the names it takes.
    """
    fastest = group.timed["implementation"].iloc[0] if len(group.timed) else None
    own = group.runs[(group.runs["status"] == "ok") & (group.runs["role"] == "measured")]
    peaks = own["device_peak_bytes"].astype(float).groupby(own["implementation"]).median()
    on_device = {} if peaks.isna().all() else dict(peaks)
    rows = []
    for _, row in group.summary.iterrows():
        name = str(row["implementation"])
        speed, accuracy, memory = (
            words.spread(column, row[column], row[f"{column}_low"], row[f"{column}_high"])
            if wide or column == "epoch_s"
            else words.figure(column, row[column])
            for column in ("epoch_s", "accuracy", "process_peak_bytes")
        )
        first = words.figure("first_epoch_s", row["first_epoch_s"])
        ratio = times(group, name, fastest)
        device = words.figure("_bytes", on_device[name]) if wide and name in on_device else None
        figures = (speed, ratio, *of_floor(group, name, wide), accuracy, memory, *([device] if device else []), first)
        rows.append((two_lines(group, name) if wide else name, *figures))
    columns = ["implementation", "time per epoch", "times the fastest", "accuracy", "memory", "first epoch"]
    columns[5:5] = ["device memory"] if wide and on_device else []
    columns[3:3] = ["times the floor" if wide else "floors"] if len(group.multiples) else []
    tiers = sorted(set(group.summary["tier"]) if len(group.summary) else [], key=words.tier_rank)
    meanings = "; ".join(f"{tier}: {words.TIERS.get(tier, 'not known here')}" for tier in tiers)
    note = f"Median of the processes (range); accuracy {group.after}; memory is the whole process's peak. {meanings}."
    note += " A floor is what the machine itself needs for an epoch." if len(group.multiples) else ""
    return Sheet(group.title, tuple(columns), tuple(rows), note=note)


def of_floor(group: Group, name: str, wide: bool) -> list[str]:
    """How many times the machine's own limit an epoch took, ``wide`` with its interval; nothing where none is known."""
    if group.multiples.empty:
        return []
    own = group.multiples[group.multiples["implementation"] == name]
    if own.empty:
        return [words.MISSING]
    estimate, low, high = own[["estimate", "low", "high"]].iloc[0]
    ends = words.ends(estimate, low, high) if wide else ""
    return [f"{words.ratio(estimate)} ({ends})" if ends else words.ratio(estimate)]


def two_lines(group: Group, name: str) -> str:
    """An implementation's name, its tier beneath."""
    tier = str(group.row(name)["tier"])
    return f"{words.label(name, tier)}\n{tier}"


def times(group: Group, name: str, fastest: str | None) -> str:
    """How many times the fastest implementation's time another took, with its interval if there is one."""
    if name == fastest:
        return "1"
    pair = group.pair(name, fastest) if fastest else None
    if pair is None:
        return words.MISSING
    estimate, low, high = pair.estimate, pair.low, pair.high
    if pair.slow != name:  # the typical epoch is longer, the paired ratio says otherwise
        estimate, low, high = 1 / estimate, 1 / high, 1 / low if low > 0 else math.inf
    ends = words.ends(estimate, low, high)
    return f"{words.ratio(estimate)} ({ends})" if ends else words.ratio(estimate)


def pairs(group: Group, within_tier: bool) -> Sheet:
    """Every pair of implementations of a group, of the same tier or of different ones, with the verdict in words."""
    tier = dict(zip(group.runs["implementation"], group.runs["tier"], strict=True))
    rows = []
    for pair in sorted(group.pairs, key=lambda pair: words.tier_rank(tier[pair.fast])):
        if (tier[pair.fast] == tier[pair.slow]) == within_tier:
            rows.append((
                group.named(pair.fast), group.named(pair.slow),
                words.unsure(pair.p) if pair.unsure
                else words.verdict(pair.verdict, pair.low, pair.high, group.named(pair.fast), pair.delta),
                words.ratio(pair.estimate), words.ends(pair.estimate, pair.low, pair.high) or words.MISSING,
                words.probability(pair.p) if pair.verdict != TOO_FEW else words.MISSING, str(pair.blocks),
            ))  # fmt: skip
    columns = ("shorter time", "longer time", "verdict", "times as long", "95 % interval", "p (all pairs)", "blocks")
    return Sheet(group.title, columns, tuple(rows), texts=3)


def beside_speed(group: Group) -> Sheet:
    """The same pairs by memory and by accuracy: what a speed costs, and whether it is bought with worse results."""
    rows = []
    for _, found in group.judged.groupby(["a", "b"], sort=False):
        for _, row in found[found["compared"] != "epoch_s"].iterrows():
            rows.append((group.named(row["a"]), group.named(row["b"]), *words.judged(dict(row), group.named(row["a"]))))
    columns = ("implementation", "beside", "what", "verdict", "difference", "95 % interval")
    note = (
        "Memory: the whole process's peak, as a ratio. Accuracy: on the test images after the last epoch, as a "
        f"difference in points over seeds; below {ACCURACY_DELTA * 100:g} points nothing is called a difference."
    )
    return Sheet(group.title, columns, tuple(sorted(rows, key=lambda row: row[2], reverse=True)), texts=4, note=note)


def break_even(group: Group) -> Sheet:
    """Which implementation starts later, trains faster, and has overtaken which after how many epochs."""
    rows = []
    for _, row in group.break_even.iterrows():
        low, high, epoch = (words.epoch(row[name]) for name in ("epoch_low", "epoch_high", "epoch"))
        rows.append((
            group.named(row["faster_later"]), group.named(row["starts_first"]),
            words.figure("_s", row["ahead_s"]), words.figure("_s", row["gain_s"]),
            epoch if low == high else f"{epoch} ({low}–{high})",
        ))  # fmt: skip
    columns = (
        "trains faster",
        "starts first",
        "behind after epoch 1",
        "gains in each epoch",
        "ahead after epoch",
    )
    note = (
        "Import, build, loading and the first epoch are a start; predictions are left out. Medians over processes, in "
        "brackets the range over blocks."
    )
    return Sheet(group.title, columns, tuple(rows), texts=2, note=note)


def control(group: Group) -> list[str]:
    """The A/A control in words: what the machine shows between a thing and itself."""
    told = []
    for _, row in group.control.iterrows():
        ratio, found = words.ratio(row["estimate"]), words.interval(row["estimate"], row["low"], row["high"])
        chance = row["fit"] and not row["low"] <= 1 <= row["high"]
        state = "fit, it does not differ from itself" if row["fit"] else "UNFIT, it differs from itself"
        state = "fit, as one of several controls may miss 1 by chance" if chance else state
        below = f"Differences below {words.share(row['delta'])} do not count."
        small = TOO_NOISY if row["delta"] > LARGEST_DELTA else below
        told.append(
            f"A/A control: {row['implementation']} against itself, {ratio} times ({found}): "
            f"{'cannot be judged' if math.isinf(row['high']) else state}. {small}"
        )
    return told or ["A/A control: none was measured, so how much this machine differs from itself is not known."]


def cold_start(group: Group) -> Sheet:
    """What happens once in a process, before steady epochs: medians."""
    rows = []
    for name in group.summary["implementation"] if len(group.summary) else []:
        own = group.runs[(group.runs["implementation"] == name) & (group.runs["status"] == "ok")]
        medians = own.loc[own["role"] == "measured", list(ONCE)].median()
        rows.append((two_lines(group, name), *(words.figure(column, medians[column]) for column in ONCE)))
    note = (
        "Medians over processes; prediction is of all test images, after every epoch, and where a network holds images "
        "out, of those and of 2,000 training images too."
    )
    return Sheet(group.title, ("implementation", *ONCE.values()), tuple(rows), note=note)


def cells(runs: pd.DataFrame) -> Sheet:
    """Every cell as it was measured, one row each, in the order of the session."""
    rows = []
    for _, row in runs.assign(others=runs["others_cpu_s"] / runs["process_s"]).iterrows():
        figures = [words.figure(name, row[name]) for name in FIGURES]
        noted = "; ".join(text for text in (row["disturbed_by"], row["hints"]) if text)
        noted += f"{'; ' if noted else ''}attempt {row['attempt']}" if row["attempt"] > 1 else ""
        cpus = [
            words.MISSING if words.missing(row[name]) else f"{row[name]:.2f}" for name in ("cpu_per_wall", "others")
        ]
        state = row["role"] if row["status"] == "ok" else row["status"]
        place = words.place(row["device"], row["threads"])
        rows.append((row["implementation"], row["workload"], place, str(row["block"]), state, noted, *figures, *cpus))
    columns = (
        "implementation", "network", "place", "block", "status", "disturbed by", "time per epoch", "first epoch",
        "accuracy", "memory", "CPUs busy", "CPUs of others",
    )  # fmt: skip
    return Sheet("", columns, tuple(rows), texts=6)


def disturbance(runs: pd.DataFrame) -> str:
    """What disturbed the cells, counted by the system, and which blocks were repeated for it; empty where not known."""
    share = (runs["others_cpu_s"] / runs["process_s"]).astype(float).dropna()
    told = []
    if len(share):
        busy = f"{share.median():.2f} CPUs busy (median; {share.max():.2f} at worst)"
        told.append(f"While cells ran, other programs kept {busy}.")
    disturbed = runs[(runs["disturbed_by"] != "") & (runs["status"] == "ok")]
    if len(disturbed):
        first = disturbed.iloc[0]
        told.append(
            f"{words.count(len(disturbed), 'cell')} of {len(runs)} ran disturbed, such as {first['implementation']} in "
            f"block {first['block']}: {first['disturbed_by']}."
        )
    for (workload, block), part in runs[runs["attempt"] > 1].groupby(["workload", "block"]):
        why = part["repeated"].iloc[0]
        told.append(f"Block {block} of {workload} was measured again, without a look at its times, since: {why}.")
    return " ".join(told)

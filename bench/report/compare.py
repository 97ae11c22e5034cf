"""Two result directories side by side: what became slower, by how much, how sure, and what was changed.

Cells are paired by block, which shares a seed; sessions are not measured side by side, so what the machine did between
them is in every ratio. Programs that were not changed at all show how much that is.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from enum import Enum
from pathlib import Path
from typing import Any

import pandas as pd

from bench import statistics
from bench.display import naming, numbers, tables, terminal
from bench.display.tables import Sheet
from bench.errors import FcnBenchError
from bench.report.pairs import control, in_blocks, judge
from bench.report.results import Results
from bench.report.runs import GROUP, measured, withheld
from bench.statistics import SMALLEST_DELTA, Ratio, Verdict
from bench.store.records.training import TrainingResult

KEYS = [*GROUP, "implementation"]
COLUMNS = ("implementation", "base", "new", "new / base", "verdict", "memory", "one image", "accuracy", "changed")
BESIDE = {"memory": "process_peak_bytes", "image": "predict_image_s", "accuracy": "accuracy"}
"""What is shown beside the times, without a verdict: memory, predicting one image, accuracy; columns of the runs."""


CONDITIONS = {"image": "predict_image_call", "accuracy": "epochs"}
"""What must be the same on both sides for that: another call is no slower program, longer training no better one."""


class Unjudged(Enum):
    """What stands in place of a verdict where there is no pair of times."""

    ONLY_IN_NEW = "only in NEW"
    ONLY_IN_BASE = "only in BASE"
    LOST = "lost"
    NOT_IN_BASE = "was not measured in BASE"
    NO_PAIR = "no steady epochs in a block of both"


PHRASES = {
    Verdict.SMALLER: "faster",
    Verdict.GREATER: "slower",
    Verdict.EQUIVALENT: "equal within {within}",
    Verdict.INCONCLUSIVE: "no difference shown",
    Verdict.TOO_FEW: "one block: no verdict",
    Verdict.UNFIT: "unfit session",
}
"""A verdict on NEW beside BASE as the table has it."""


@dataclass(frozen=True)
class Comparison:
    """What the comparison says: for a terminal, for a pull request, and which programs are slower or were lost."""

    text: str
    markdown: str
    regressions: tuple[str, ...]


def compare(base: Path, new: Path, limit: float) -> Comparison:
    """Compare ``new`` with ``base``; ``limit`` (0.05 is 5 %) is what may be slower without being a regression.

    Raises FcnBenchError where one holds nothing, and where the two have nothing in common or did different work.
    """
    sides = Results.read(base), Results.read(new)
    check_same_work(*sides)
    frame = ratios(*sides, min(limit, SMALLEST_DELTA))
    slower = frame[(frame["verdict"] == Verdict.GREATER) & (frame["estimate"] > 1 + limit)]
    lost = frame[frame["verdict"] == Unjudged.LOST]
    regressions = tuple(f"{row['implementation']}: {change(row)}" for _, row in pd.concat([slower, lost]).iterrows())
    lines = [answer(frame, regressions, limit), *warnings(*sides, frame)]
    alone = frame["verdict"].isin([Unjudged.ONLY_IN_NEW, Unjudged.ONLY_IN_BASE])
    shared = frame[~alone][GROUP].drop_duplicates()
    groups: Iterable[tuple[Any, pd.DataFrame]] = frame.merge(shared, on=GROUP).groupby(GROUP, sort=False)
    made = [sheet(part, naming.title(*key)) for key, part in groups]
    narrow = [replace(one, columns=one.columns[:5], rows=tuple(row[:5] for row in one.rows)) for one in made]
    return Comparison(terminal.page(lines, narrow), markdown(base, new, lines, made), regressions)


def fit(side: Results) -> bool:
    """Whether the control of a directory agrees with itself."""
    return bool(control(side.runs)["fit"].all())


def check_same_work(base: Results, new: Results) -> None:
    """Refuse to compare what is no comparison: other networks of the same name, other data.

    Another number of epochs is another matter: steady epochs have the same work.
    """
    here, there = ({tuple(row) for row in side.runs[KEYS].to_numpy()} for side in (base, new))
    if not here & there:
        raise FcnBenchError(
            f"{new.directory}: has no implementation, network, device and thread count in common with "
            f"{base.directory}; compare two runs of the same command"
        )
    was = {result.cell.workload.name: result.cell for result in base.trained}
    for result in new.trained:
        cell, before = result.cell, was.get(result.cell.workload.name)
        if before is None:
            continue
        pairs = [(field.name, getattr(before.workload, field.name), getattr(cell.workload, field.name))
                 for field in fields(cell.workload)]  # fmt: skip
        pairs.append(("data", before.data, cell.data))
        for name, old, now in pairs:
            if old != now and (name != "data" or (old and now)):
                raise FcnBenchError(
                    f"{new.directory}: {cell.workload.name} did other work than in {base.directory}: {name} {now}, was "
                    f"{old}; measure both with the same networks and data"
                )


def ratios(base: Results, new: Results, delta: float) -> pd.DataFrame:
    """One row per implementation, network, device and threads of either side; ratios are new / base, block by block."""
    rows = [row(key, base, new) for key in dict.fromkeys(map(tuple, pd.concat([base.runs, new.runs])[KEYS].to_numpy()))]
    timed, both_fit = [one for one in rows if "estimate" in one], fit(base) and fit(new)
    for one, p in zip(timed, statistics.holm([one["p"] for one in timed]), strict=True):
        ratio = Ratio(one["estimate"], one["low"], one["high"])
        one["verdict"] = statistics.verdict(ratio, delta, p) if both_fit else Verdict.UNFIT
    columns = ["base_s", "new_s", "estimate", "low", "high", "blocks", "verdict", "reason", "changed", *BESIDE]
    return pd.DataFrame(rows, columns=[*KEYS, *columns]).assign(delta=delta)


def row(key: tuple[str, str, int, str], base: Results, new: Results) -> dict[str, Any]:
    """One implementation's row, without the verdict on its time where it has one."""
    compared: dict[str, Any] = dict(zip(KEYS, key, strict=True))
    was, now = (rows_of(side.runs, key) for side in (base, new))
    good = [measured(part) for part in (was, now)]
    times = in_blocks(good[1], good[0], "epoch_s")
    if was.empty or now.empty:
        return compared | {"verdict": Unjudged.ONLY_IN_NEW if was.empty else Unjudged.ONLY_IN_BASE, "changed": ""}
    base_s, new_s = (
        statistics.program_value(times[side] if len(times) else part["epoch_s"])
        for side, part in zip("ba", good, strict=True)
    )
    compared |= {"base_s": base_s, "new_s": new_s, "blocks": len(times)}
    compared["changed"] = changed(
        *([one for one in side.trained if (*one.cell.place, one.cell.implementation) == key] for side in (base, new))
    )
    if len(good[0]) and good[1].empty:
        other = "it does not do the same work any more" if withheld(now).any() else ""
        reason = other or numbers.shorten(str(now["reason"].iloc[0]))
        return compared | {"verdict": Unjudged.LOST, "reason": reason}
    if good[0].empty:
        return compared | {"verdict": Unjudged.NOT_IN_BASE}
    if times.empty:
        return compared | {"verdict": Unjudged.NO_PAIR}
    ratio, p = judge(times, "epoch_s")
    compared |= asdict(ratio) | {"p": p}
    differs = {name: set(was[column]) != set(now[column]) for name, column in CONDITIONS.items()}
    for name, column in BESIDE.items():
        both = in_blocks(good[1], good[0], column)
        if len(both) and not differs.get(name):
            compared[name] = judge(both, column)[0].estimate
    return compared


def rows_of(runs: pd.DataFrame, key: tuple[str, str, int, str]) -> pd.DataFrame:
    """The cells of one implementation, without the control."""
    same = (runs[KEYS] == list(key)).all(axis=1)
    return runs[same & (runs["role"] == "measured")]


def changed(was: Sequence[TrainingResult], now: Sequence[TrainingResult]) -> str:
    """What differs between two sets of cells besides their times: versions and switches by name, else the source."""
    changes = []
    for name in ("versions", "switches", "environment"):
        old, new = (
            {key: value for result in side if result.status == "ok" for key, value in getattr(result, name).items()}
            for side in (was, now)
        )
        changes += [
            f"{key} {' to '.join(numbers.shorten(str(side.get(key, 'none')), 24) for side in (old, new))}"
            for key in dict.fromkeys([*old, *new])
            if old.get(key) != new.get(key)
        ]
    if changes:
        return ", ".join(changes)
    digests = [{result.cell.block: result.cell.digest for result in side} for side in (was, now)]
    same = all(digests[0][block] == digests[1][block] for block in digests[0].keys() & digests[1].keys())
    return "" if same else "its source or the harness"


def change(row: pd.Series) -> str:
    """``1.10 times (95 % interval 1.08 to 1.12)``, or why there is no ratio."""
    if numbers.missing(row["estimate"]):
        return phrase(row)
    interval = numbers.interval(row["estimate"], row["low"], row["high"])
    return f"{numbers.ratio(row['estimate'])} times ({interval}, {numbers.count(int(row['blocks']), 'block')})"


def answer(frame: pd.DataFrame, regressions: Sequence[str], limit: float) -> str:
    """The first line: what is slower, or that nothing is, and how much of that is known."""
    if regressions:
        return f"Slower by more than {numbers.share(limit)}, or lost: {'; '.join(regressions)}."
    verdicts = Counter(frame.loc[frame["estimate"].notna(), "verdict"])
    equal, faster = verdicts[Verdict.EQUIVALENT], verdicts[Verdict.SMALLER]
    undecided = verdicts.total() - equal - faster - verdicts[Verdict.GREATER]
    counts = [f"{n} {what}" for n, what in ((equal, "equal"), (faster, "faster"), (undecided, "undecided")) if n]
    counted = numbers.listed(counts) or "there is no pair of times"
    return f"Nothing is shown to be slower by more than {numbers.share(limit)}: {counted}."


def warnings(base: Results, new: Results, frame: pd.DataFrame) -> list[str]:
    """What a reader must know before believing a ratio."""
    sentences = [
        f"Only in {side}: {numbers.listed(alone)}."
        for side, other in (("BASE", new), ("NEW", base))
        if (alone := [name for name in dict.fromkeys(frame["workload"]) if name not in set(other.runs["workload"])])
    ]
    epochs = [side.runs.groupby("workload")["epochs"].first() for side in (base, new)]
    for name in epochs[0].index.intersection(epochs[1].index):
        if epochs[0][name] != epochs[1][name]:
            sentences.append(
                f"{name} was trained for {numbers.count(int(epochs[0][name]), 'epoch')} in BASE and for "
                f"{int(epochs[1][name])} in NEW: times of epochs are compared, accuracies are not."
            )
    machines = [sorted({result.machine for result in side.trained}) for side in (base, new)]
    if machines[0] != machines[1]:
        sentences.append("The machines differ: every ratio is of the machines as much as of the programs.")
    sentences += [
        f"{side.directory} is unfit: its control differs from itself, so there are no verdicts."
        for side in (base, new)
        if not fit(side)
    ]
    moved = frame[(frame["changed"] == "") & frame["verdict"].isin([Verdict.SMALLER, Verdict.GREATER])]
    if len(moved) and machines[0] == machines[1]:
        named = [f"{row['implementation']} {numbers.ratio(row['estimate'])}" for _, row in moved.iterrows()]
        sentences.append(
            f"Nothing was changed in these, so their ratios are the machine's: {numbers.listed(named)}. Read the "
            "others by them."
        )
    return sentences


def sheet(frame: pd.DataFrame, title: str) -> Sheet:
    """One group as a table."""
    rows = []
    for _, row in frame.iterrows():
        ends = "" if numbers.missing(row["estimate"]) else numbers.ends(row["estimate"], row["low"], row["high"])
        shown = numbers.MISSING if numbers.missing(row["estimate"]) else numbers.ratio(row["estimate"])
        rows.append((
            str(row["implementation"]), *(numbers.figure("epoch_s", row[side]) for side in ("base_s", "new_s")),
            f"{shown} ({ends})" if ends else shown, phrase(row),
            *(numbers.MISSING if numbers.missing(row[name]) else f"{numbers.ratio(row[name])} times"
              for name in ("memory", "image")),
            numbers.MISSING if numbers.missing(row["accuracy"]) else f"{row['accuracy'] * 100:+.2f} points",
            str(row["changed"]) or "nothing",
        ))  # fmt: skip
    return Sheet(title, COLUMNS, tuple(rows))


def phrase(row: pd.Series) -> str:
    """A verdict as a cell of the table, or why there is none."""
    verdict = row["verdict"]
    if verdict is Unjudged.LOST:
        return f"lost: {row['reason']}"
    if isinstance(verdict, Unjudged):
        return verdict.value
    return PHRASES[verdict].format(within=numbers.share(row["delta"]))


def markdown(base: Path, new: Path, lines: Sequence[str], made: Sequence[Sheet]) -> str:
    """The summary for a pull request."""
    first, *others = map(tables.in_markdown, lines)
    parts = [
        f"### fcnbench: {tables.in_markdown(str(new))} beside {tables.in_markdown(str(base))}",
        f"**{first}**",
        *others,
    ]
    for one in made:
        parts += [f"#### {tables.in_markdown(one.title)}", tables.markdown(one).rstrip()]
    note = (
        "Time per steady epoch: the geometric mean over the blocks that both have; ratios with Student's 95 % "
        "interval. One image: the time to predict one, new / base."
    )
    return "\n\n".join([*parts, note]) + "\n"

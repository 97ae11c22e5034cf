"""Prediction by itself: the time of one image, of one batch and of the whole test set.

One image and one batch are timed after training, each as a test set of its own; the whole test set after every epoch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any, NamedTuple

import pandas as pd

from bench import statistics
from bench.display import numbers
from bench.display.section import shown
from bench.display.tables import Sheet
from bench.report import runs as report_runs
from bench.report.chapter import Chapter
from bench.report.columns import CONFIGURATION, IMPLEMENTATION, PROCESSES, TIER, Column, Table
from bench.report.groups import Group
from bench.report.pairs import grouped, in_blocks, judge, spread
from bench.report.runs import GROUP, IDENTITY, identity
from bench.store.records.training import TrainingResult

IMAGE, BATCH, TEST_SET = "image", "batch", "test set"
"""What is predicted in one call."""
TITLES = {IMAGE: "one image", BATCH: "one batch of {}", TEST_SET: "all {} test images"}
"""In the order in which they are shown."""
KEYS = [*GROUP, "tier", "implementation", "predicted", "images"]
INFERENCE = Table("One row for each implementation and what it predicts in one call of predict().", (
    *CONFIGURATION, TIER, IMPLEMENTATION,
    Column("predicted", "", "image and batch, each a test set of its own after training, or test set, after each "
           "epoch (not where images are held out)"),
    Column("images", "count", "images that are predicted in one call"),
    Column("call", "", "the call of the framework that predict() makes for them, by the program's own word; empty "
           "where it says none, and in results of before it was asked: there one image is predicted as a test set is"),
    PROCESSES,
    Column("first_s", "s", "the first such call of a process, with tracing and compilation; geometric mean over "
           "processes"),
    Column("call_s", "s", "the calls after it: geometric mean over processes of each process's median"),
    Column("call_s_low", "s", "least over processes"),
    Column("call_s_high", "s", "greatest over processes"),
    Column("images_per_second", "1/s", "images / call_s"),
    Column("estimate", "ratio", "how many times as long as the fastest at the same takes, block by block; 1 for the "
           "fastest itself, which is of another tier than reference where there is one"),
    Column("low", "ratio", "lower end of the 95 % interval of estimate; empty for the fastest"),
    Column("high", "ratio", "upper end"),
    Column("blocks", "count", "blocks that both have"),
))  # fmt: skip
CAPTION = "inference: one image, one batch, all test images"
METHOD = (
    "Geometric mean over processes of each one's median call of predict() (range); beneath, how many times the "
    "fastest's time, paired by block, with its 95 % interval. One image and one batch are predicted after training, "
    "over and over, the first call apart; all test images once after each epoch. The device is idle at each reading "
    "of the clock."
)
GUIDES = (
    "The documented programs predict one image as the tutorials do, the others by what their framework's guide "
    "recommends for one image."
)
UNSAID = "not recorded"
OLDER = (
    "Where the call for one image is not recorded the program did not say it. Results of before it was asked predict "
    "one image as they do a whole test set: for some frameworks that is not what their guide recommends."
)


class Timed(NamedTuple):
    """What a process predicted in one call: how many images by which call, seconds of the first and of the others."""

    predicted: str
    images: int
    call: str
    first_s: float | None
    call_s: float | None


def inference(results: Sequence[TrainingResult]) -> pd.DataFrame:
    """A row for each implementation and what it predicts in one call: time, its range, images per second.

    ``estimate`` is the ratio to the fastest at the same, paired by block; 1 for the fastest itself. A yardstick, such
    as a program that does nothing, is the fastest only where there is nothing else.
    """
    rows: list[dict[str, Any]] = []
    for _, group in grouped(calls(results), [*GROUP, "predicted", "images"]):
        typical = group.groupby("implementation", sort=False)["call_s"].agg(statistics.program_value).sort_values()
        contenders = set(group.loc[group["tier"] != "reference", "implementation"]) or set(typical.index)
        fastest = group[group["implementation"] == next(name for name in typical.index if name in contenders)]
        for name, call_s in typical.items():
            processes = group[group["implementation"] == name]
            first = processes.iloc[0]
            row = {key: first[key] for key in KEYS} | {"processes": len(processes)} | spread(processes, "call_s")
            row |= {
                "first_s": statistics.program_value(processes["first_s"]),
                "images_per_second": first["images"] / call_s,
            }
            said = list(processes["call"].unique())
            row |= {"call": numbers.listed([call or UNSAID for call in said]) if any(said) else ""}
            rows.append(row | beside(processes, fastest))
    return INFERENCE.frame(rows)


def calls(results: Sequence[TrainingResult]) -> pd.DataFrame:
    """A row for each process and what it predicted in one call: the first call, and the median of those after it."""
    rows = [identity(result) | timed._asdict() for result in results for timed in of_process(result) if timed.call_s]
    frame = pd.DataFrame(rows, columns=[*IDENTITY, *Timed._fields])
    return frame.sort_values("predicted", key=lambda column: column.map(list(TITLES).index), kind="stable")


def of_process(result: TrainingResult) -> Iterator[Timed]:
    """What a process predicted, with the median of the calls after the first.

    Where images are held out they are predicted with the test set, so that its own time is not known.
    """
    for found in result.inference:
        what = IMAGE if found.images == 1 else BATCH
        yield Timed(what, found.images, found.call, found.first_s, report_runs.call_s(found))
    if result.predicted and len(result.epochs) > 1 and not result.cell.workload.validation:
        after, call = [epoch.predict_s for epoch in result.epochs[1:]], str(result.switches.get("predict") or "")
        yield Timed(TEST_SET, len(result.predicted), call, result.epochs[0].predict_s, median(after))


def beside(processes: pd.DataFrame, fastest: pd.DataFrame) -> dict[str, float | None]:
    """The ratio of an implementation's calls to the fastest's, over the blocks that both have."""
    if processes["implementation"].iloc[0] == fastest["implementation"].iloc[0]:
        return {"estimate": 1.0, "blocks": len(processes)}
    both = in_blocks(processes, fastest, "call_s")
    return {"blocks": len(both)} | (asdict(judge(both, "call_s")[0]) if len(both) else {})


def sheet(frame: pd.DataFrame, group: Group) -> Sheet:
    """A row for each implementation, the fastest at one image first; a column for each thing that was predicted.

    Why a process could not be timed stands beneath.
    """
    timed = group.part(frame)
    images = timed.groupby("predicted")["images"].max()
    kinds = [kind for kind in TITLES if kind in images]
    rows = []
    for name, predictions in timed.groupby("implementation", sort=False):
        of_kind = {row["predicted"]: row for _, row in predictions.iterrows()}
        first = [numbers.figure("first_s", of_kind[IMAGE]["first_s"] if IMAGE in of_kind else None)]
        rate = numbers.MISSING
        if kinds[-1] in of_kind:
            three_digits = f"{of_kind[kinds[-1]]['images_per_second']:.3g}"
            rate = f"{float(three_digits):,.0f}"
        times = (time(of_kind.get(kind)) for kind in kinds)
        by = [called(of_kind.get(IMAGE)), *first] if IMAGE in kinds else []
        rows.append((group.two_lines(str(name)), *by, *times, rate))
    columns = ["one image by", "one image, first call"] if IMAGE in kinds else []
    columns += [TITLES[kind].format(f"{images[kind]:,}") for kind in kinds]
    titles = ("implementation", *columns, "images per second")
    about_calls = [OLDER if any(UNSAID in row[1] for row in rows) else GUIDES] if IMAGE in kinds else []
    return Sheet(group.title, titles, tuple(rows), note=" ".join([METHOD, *about_calls, *lost(group)]))


def called(row: pd.Series | None) -> str:
    """By which call a program answers, as it said itself."""
    return numbers.MISSING if row is None else numbers.shorten(row["call"], 40) or UNSAID


def time(row: pd.Series | None) -> str:
    """A time with its range, and beneath it the ratio to the fastest."""
    if row is None:
        return numbers.MISSING
    spread_s = numbers.spread("call_s", row["call_s"], row["call_s_low"], row["call_s_high"])
    if numbers.missing(row["estimate"]):
        return spread_s
    if numbers.missing(row["low"]):
        return f"{spread_s}\nthe fastest"
    ends = numbers.ends(row["estimate"], row["low"], row["high"])
    return f"{spread_s}\n{numbers.ratio(row['estimate'])} times{f' ({ends})' if ends else ''}"


def lost(group: Group) -> list[str]:
    """Which implementations could not be timed, and why."""
    runs = group.runs[(group.runs["no_inference"] != "") & (group.runs["role"] == "measured")]
    reasons = dict.fromkeys(zip(runs["implementation"], runs["no_inference"], strict=True))
    return [
        f"{group.named(name)} could not be timed: {numbers.shorten(why, 200).rstrip('.')}." for name, why in reasons
    ]


CHAPTER = Chapter(
    tables={"inference": INFERENCE},
    frames=lambda results: {"inference": inference(results.shown)},
    evidence=lambda results, group, pictures: shown(sheet(results.frames["inference"], group), CAPTION),
)

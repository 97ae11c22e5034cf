"""The machine's own limit for a network, from the stored parts of the floor; and how many times that a program takes.

The *floor* of an epoch is the time of its matrix products, its optimiser and the gathering of its batches, each by the
library that does it best here: together on a CPU; on a GPU, where they can run side by side, the longest. Above it
stands the bare arithmetic: the operations of the products at the speed of a large one. Both are of the same blocks
as what is compared with them.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

import pandas as pd

from bench.display import numbers
from bench.display.section import shown
from bench.display.tables import Sheet
from bench.report import pairs
from bench.report.chapter import Chapter
from bench.report.columns import BLOCK, BLOCKS, CONFIGURATION, IMPLEMENTATION, TIER, Column, Table
from bench.report.groups import Group, part
from bench.report.results import Results
from bench.report.runs import GROUP, measured
from bench.store.records.cell import Place, Result
from bench.store.records.floor import FloorResult, Part
from impls import registry
from impls.environment import kind
from impls.frameworks import FRAMEWORKS

LIBRARIES_MEASURED = [row.framework for row in registry.floors()]
STEPWISE = ("products", "optimiser", "gathering")
"""What a step consists of."""
FLOOR_PARTS = Table("One row for each library, block and part of the floor: what a step cannot do without, by one "
                    "library.", (
    *CONFIGURATION, BLOCK,
    Column("library", "", " or ".join((", ".join(LIBRARIES_MEASURED[:-1]), LIBRARIES_MEASURED[-1]))),
    Column("part", "", "products: of the kernels, forward and backward; optimiser: the update of all parameters; "
           "gathering: batches picked by index; large: a product of 2,048 by 2,048 matrices"),
    Column("seconds", "s", "for as many steps as an epoch has, from the median repetition; empty for the large "
           "product"),
    Column("flops_per_s", "operations per second", "where the part is counted by its arithmetic"),
))  # fmt: skip
FLOOR = Table("One row for each block: the least time of an epoch on this machine, each part by the library that is "
              "best at it over all blocks.", (
    *CONFIGURATION, BLOCK,
    Column("floor_s", "s", "products, optimiser and gathering together; on a GPU, where they can run side by side, "
           "the longest of them"),
    Column("products_s", "s", "the matrix products of an epoch"),
    Column("products_by", "", "by which library"),
    Column("optimiser_s", "s", "the updates of an epoch"),
    Column("optimiser_by", "", "by which library"),
    Column("gathering_s", "s", "picking the batches of an epoch"),
    Column("gathering_by", "", "by which library"),
    Column("arithmetic_s", "s", "the operations of the products at the speed of the large product"),
    Column("peak_flops_per_s", "operations per second", "of the large product"),
    Column("peak_by", "", "by which library"),
))  # fmt: skip
MULTIPLES = Table("How many times the machine's own limit an implementation's epoch takes, paired by block.", (
    *CONFIGURATION, TIER, IMPLEMENTATION,
    Column("floor_s", "s", "the floor, median over blocks"),
    Column("estimate", "ratio", "time per epoch over the floor of the same block, geometric mean"),
    Column("low", "", "lower end"),
    Column("high", "", "upper end"),
    BLOCKS,
))  # fmt: skip
LIBRARIES = {row.name: ", ".join(filter(None, (row.label, row.compiler))) for row in FRAMEWORKS.values()}
CAPTION = "the machine's own limit: what an epoch cannot do without"
METHOD = (
    "Median over blocks (range) of what the best library here needs for an epoch's worth of each part, by itself and "
    "at the network's own shapes; on a GPU parts can run side by side. Arithmetic alone: the operations of the "
    "products at the speed of one large product."
)


def parts(results: Sequence[Result]) -> pd.DataFrame:
    """A row for each library, block and part: seconds of an epoch (the median repetition), operations per second.

    The large product belongs to no epoch and has no seconds.
    """
    rows = [
        {name: getattr(result.cell, name) for name in ("device", "threads", "block")}
        | {"workload": result.cell.workload.name, "library": result.cell.framework, "part": found.name}
        | of_epoch(found)
        for result in results
        if isinstance(result, FloorResult) and result.status == "ok"
        for found in result.parts
    ]
    return FLOOR_PARTS.frame(rows)


def of_epoch(found: Part) -> dict[str, float | None]:
    """What a part costs an epoch, and how fast its arithmetic is."""
    step_s = median(found.seconds) / found.steps
    return {
        "seconds": step_s * found.epoch_steps if found.epoch_steps else None,
        "flops_per_s": found.flops / step_s if found.flops else None,
    }


def floor(frame: pd.DataFrame) -> pd.DataFrame:
    """A row for each group and block: the floor of an epoch, its parts and by which library, and the bare arithmetic.

    The library of a part is the one that is best over all blocks of the group, so that no block picks its luckiest.
    """
    rows: list[dict[str, Any]] = []
    for place, group in by_place(frame):
        best = {str(name): fastest(found) for name, found in group.groupby("part")}
        if set(best) < {*STEPWISE, "large"}:
            continue
        for block, found in group.groupby("block"):
            own = {name: found[(found["part"] == name) & (found["library"] == by)] for name, by in best.items()}
            if any(part.empty for part in own.values()):
                continue
            row: dict[str, Any] = dict(zip(GROUP, place, strict=True)) | {"block": block}
            for name in STEPWISE:
                row |= {f"{name}_s": own[name]["seconds"].iloc[0], f"{name}_by": best[name]}
            products, peak = own["products"].iloc[0], own["large"]["flops_per_s"].iloc[0]
            together = sum if in_sequence(str(row["device"])) else max
            row |= {"floor_s": together(row[f"{name}_s"] for name in STEPWISE), "peak_flops_per_s": peak}
            row |= {"peak_by": best["large"], "arithmetic_s": products["seconds"] * products["flops_per_s"] / peak}
            rows.append(row)
    return FLOOR.frame(rows)


def in_sequence(device: str) -> bool:
    """Whether the parts of a step follow each other. On a GPU the kernels of one can run while those of another do."""
    return kind(device) == "cpu"


def by_place(frame: pd.DataFrame) -> Iterator[tuple[Place, pd.DataFrame]]:
    """The rows of each network, device and number of threads."""
    for place in frame[GROUP].drop_duplicates().itertuples(index=False, name=None):
        yield place, part(frame, *place)


def fastest(found: pd.DataFrame) -> str:
    """The library that takes the least time for a part, over all blocks that it was measured in."""
    cost = found["seconds"].fillna(1 / found["flops_per_s"]).map(math.log)
    return str(cost.groupby(found["library"]).mean().idxmin())


def multiples(runs: pd.DataFrame, floors: pd.DataFrame) -> pd.DataFrame:
    """A row for each implementation: how many times the floor its epoch takes, paired by block, with its interval."""
    rows = []
    shown = measured(runs)
    for place, own in by_place(floors):
        limits = own.rename(columns={"floor_s": "epoch_s"})
        for (tier, name), group in part(shown, *place).groupby(["tier", "implementation"], sort=False):
            both = pairs.in_blocks(group, limits, "epoch_s")
            if len(both):
                ratio, _ = pairs.judge(both, "epoch_s")
                row = dict(zip(GROUP, place, strict=True)) | {"tier": tier, "implementation": name}
                rows.append(row | {"floor_s": both["b"].median()} | asdict(ratio) | {"blocks": len(both)})
    return MULTIPLES.frame(rows)


def sheet(floors: pd.DataFrame, group: Group) -> Sheet:
    """What an epoch cannot do without on this machine: a row for each part, the floor, the bare arithmetic above."""
    return of_place(part(floors, *group.place_key), group.title)


def of_place(own: pd.DataFrame, title: str) -> Sheet:
    """The floor of one place, medians over its blocks with their range."""
    if own.empty:
        return Sheet(title, (), ())
    whole = own["floor_s"].median()
    peak = f"{LIBRARIES[own['peak_by'].iloc[0]]}, at {own['peak_flops_per_s'].median() / 1e9:.3g} GFLOP/s"
    rows = [("arithmetic alone", peak, *figures(own, "arithmetic_s", whole))]
    titles = {"products": "matrix products", "optimiser": "optimiser", "gathering": "gathering batches"}
    rows += [
        (titles[name], LIBRARIES[own[f"{name}_by"].iloc[0]], *figures(own, f"{name}_s", whole)) for name in STEPWISE
    ]
    made_of = "the three parts together" if in_sequence(own["device"].iloc[0]) else "the longest part"
    rows.append(("floor", made_of, *figures(own, "floor_s", whole)))
    return Sheet(title, ("part", "by", "seconds per epoch", "share of the floor"), tuple(rows), texts=2, note=METHOD)


def figures(own: pd.DataFrame, column: str, whole: float) -> tuple[str, str]:
    """A part's seconds with their range, and its share of the floor."""
    values = own[column]
    return numbers.spread("epoch_s", values.median(), values.min(), values.max()), numbers.percent(
        values.median() / whole
    )


def of_floor(found: pd.DataFrame, name: str, wide: bool) -> list[str]:
    """How many times the machine's own limit an epoch took, ``wide`` with its interval; nothing where none is known."""
    if found.empty:
        return []
    own = found[found["implementation"] == name]
    if own.empty:
        return [numbers.MISSING]
    estimate, low, high = own[["estimate", "low", "high"]].iloc[0]
    ends = numbers.ends(estimate, low, high) if wide else ""
    return [f"{numbers.ratio(estimate)} ({ends})" if ends else numbers.ratio(estimate)]


def frames(results: Results) -> dict[str, pd.DataFrame]:
    """The parts, the floor that they make, and how many times that programs take."""
    measured_parts = parts(results.cells)
    floors = floor(measured_parts)
    return {"floor_parts": measured_parts, "floor": floors, "multiples": multiples(results.runs, floors)}


CHAPTER = Chapter(
    tables={"floor_parts": FLOOR_PARTS, "floor": FLOOR, "multiples": MULTIPLES},
    frames=frames,
    evidence=lambda results, group, pictures: shown(sheet(results.frames["floor"], group), CAPTION),
)

"""The machine's own limit for a network, from the stored parts of the floor; and how many times that a program takes.

The *floor* of an epoch is the time of its matrix products, its optimiser and the gathering of its batches, each by the
library that does it best here: together on a CPU; on a GPU, where they can run side by side, the longest. Above it
stands the bare arithmetic: the operations of the products at the speed of a large one. Both are of the same blocks
as what is compared with them.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict
from statistics import median

import pandas as pd

from bench import statistics
from bench.report.columns import BLOCK, BLOCKS, CONFIGURATION, IMPLEMENTATION, TIER, Column, Table
from bench.report.groups import part
from bench.report.pairs import grouped, in_blocks, judge
from bench.report.runs import GROUP, measured
from bench.store.records.cell import Result
from bench.store.records.floor import FloorResult, Part
from impls import registry
from impls.environment import kind

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
    Column("floor_s", "s", "the floor, geometric mean over blocks"),
    Column("estimate", "ratio", "time per epoch over the floor of the same block, geometric mean"),
    Column("low", "", "lower end"),
    Column("high", "", "upper end"),
    BLOCKS,
))  # fmt: skip


def derived(results: Sequence[Result], runs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The parts, the floor that they make, and how many times that programs take."""
    measured_parts = parts(results)
    floors = floor(measured_parts)
    return {"floor_parts": measured_parts, "floor": floors, "multiples": multiples(runs, floors)}


def parts(results: Sequence[Result]) -> pd.DataFrame:
    """A row for each library, block and part: seconds of an epoch (the median repetition), operations per second.

    The large product belongs to no epoch and has no seconds.
    """
    rows = []
    for result in results:
        if isinstance(result, FloorResult) and result.status == "ok":
            cell = result.cell
            which = dict(zip(GROUP, cell.place, strict=True)) | {"block": cell.block, "library": cell.framework}
            rows += [which | {"part": part.name} | of_epoch(part) for part in result.parts]
    return FLOOR_PARTS.frame(rows)


def of_epoch(part: Part) -> dict[str, float | None]:
    """What a part costs an epoch, and how fast its arithmetic is."""
    step_s = median(part.seconds) / part.steps
    return {
        "seconds": step_s * part.epoch_steps if part.epoch_steps else None,
        "flops_per_s": part.flops / step_s if part.flops else None,
    }


def floor(parts: pd.DataFrame) -> pd.DataFrame:
    """A row for each configuration and block: the floor of an epoch, its parts, their libraries, the bare arithmetic.

    The library of a part is the one that is best over all blocks, so that no block picks its luckiest.
    """
    rows = []
    for configuration, group in grouped(parts, GROUP):
        best = {str(name): fastest(repeated) for name, repeated in group.groupby("part")}
        chosen = group[group["library"] == group["part"].map(best)]
        for block, in_block in chosen.groupby("block"):
            seconds, flops_per_s = (in_block.set_index("part")[name] for name in ("seconds", "flops_per_s"))
            if set(seconds.index) < {*STEPWISE, "large"}:
                continue
            row = configuration | {"block": block, "peak_by": best["large"], "peak_flops_per_s": flops_per_s["large"]}
            for name in STEPWISE:
                row |= {f"{name}_s": seconds[name], f"{name}_by": best[name]}
            together = sum if in_sequence(row["device"]) else max
            row |= {"floor_s": together(seconds[name] for name in STEPWISE)}
            row |= {"arithmetic_s": seconds["products"] * flops_per_s["products"] / flops_per_s["large"]}
            rows.append(row)
    return FLOOR.frame(rows)


def in_sequence(device: str) -> bool:
    """Whether the parts of a step follow each other. On a GPU the kernels of one can run while those of another do."""
    return kind(device) == "cpu"


def fastest(repeated: pd.DataFrame) -> str:
    """The library that takes the least time for a part, over all blocks that it was measured in."""
    cost = repeated["seconds"].fillna(1 / repeated["flops_per_s"]).map(math.log)
    return str(cost.groupby(repeated["library"]).mean().idxmin())


def multiples(runs: pd.DataFrame, floors: pd.DataFrame) -> pd.DataFrame:
    """A row for each implementation: how many times the floor its epoch takes, paired by block, with its interval."""
    rows = []
    for configuration, limits in grouped(floors.rename(columns={"floor_s": "epoch_s"}), GROUP):
        cells = part(measured(runs), **configuration)
        for which, group in grouped(cells, ["tier", "implementation"]):
            both = in_blocks(group, limits, "epoch_s")
            if len(both):
                ratio, _ = judge(both, "epoch_s")
                row = configuration | which | {"floor_s": statistics.program_value(both["b"]), "blocks": len(both)}
                rows.append(row | asdict(ratio))
    return MULTIPLES.frame(rows)

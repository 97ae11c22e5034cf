"""The machine's own limit for people: a table of its parts, and how many times that a program takes."""

from collections.abc import Sequence

import pandas as pd

from bench import statistics
from bench.display import naming, numbers
from bench.display.tables import Sheet
from bench.report.chapters.floor import frames
from bench.report.chapters.floor.frames import STEPWISE
from bench.report.pairs import grouped
from bench.report.runs import GROUP
from bench.store.records.cell import Result
from impls.frameworks import FRAMEWORKS

LIBRARIES = {row.name: ", ".join(filter(None, (row.label, row.compiler))) for row in FRAMEWORKS.values()}
TITLES = {"products": "matrix products", "optimiser": "optimiser", "gathering": "gathering batches"}
METHOD = (
    "Geometric mean over blocks (range) of what the best library here needs for an epoch's worth of each part, by "
    "itself and at the network's own shapes; on a GPU parts can run side by side. Arithmetic alone: the operations of "
    "the products at the speed of one large product."
)


def sheets(results: Sequence[Result]) -> list[Sheet]:
    """The floor of each configuration that was measured."""
    floors = frames.floor(frames.parts(results))
    return [sheet(rows, naming.title(*names.values())) for names, rows in grouped(floors, GROUP)]


def sheet(floors: pd.DataFrame, title: str) -> Sheet:
    """The floor of one configuration, geometric means over blocks: the bare arithmetic, each part, the floor itself."""
    if floors.empty:
        return Sheet(title, (), ())
    first, floor_s = floors.iloc[0], statistics.program_value(floors["floor_s"])

    def row(name: str, by: str, column: str) -> tuple[str, str, str, str]:
        values = floors[column]
        middle_s = statistics.program_value(values)
        seconds = numbers.spread("epoch_s", middle_s, values.min(), values.max())
        return name, by, seconds, numbers.percent(middle_s / floor_s)

    peak = f"{LIBRARIES[first['peak_by']]}, at {statistics.program_value(floors['peak_flops_per_s']) / 1e9:.3g} GFLOP/s"
    made_of = "the three parts together" if frames.in_sequence(first["device"]) else "the longest part"
    rows = (
        row("arithmetic alone", peak, "arithmetic_s"),
        *(row(TITLES[part], LIBRARIES[first[f"{part}_by"]], f"{part}_s") for part in STEPWISE),
        row("floor", made_of, "floor_s"),
    )
    return Sheet(title, ("part", "by", "seconds per epoch", "share of the floor"), rows, texts=2, note=METHOD)


def of_floor(multiples: pd.DataFrame, name: str, wide: bool) -> list[str]:
    """How many times the machine's own limit an epoch took, ``wide`` with its interval; nothing where none is known."""
    if multiples.empty:
        return []
    rows = multiples[multiples["implementation"] == name]
    if rows.empty:
        return [numbers.MISSING]
    estimate, low, high = rows[["estimate", "low", "high"]].iloc[0]
    ends = numbers.ends(estimate, low, high) if wide else ""
    return [f"{numbers.ratio(estimate)} ({ends})" if ends else numbers.ratio(estimate)]

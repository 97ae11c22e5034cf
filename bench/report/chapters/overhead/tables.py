"""Overhead against compute, for people: the fits of a group, and whether a second core helps."""

import pandas as pd

from bench.display import naming, numbers
from bench.display.tables import Sheet
from bench.report.groups import Group

METHOD = (
    "Fitted to the steps of each process at all batch sizes and widths: step = overhead + parameters × time per "
    "parameter + FLOPs / throughput; medians over processes (range). A step of next to nothing is no part of the fit: "
    "one image through hidden layers of one unit. Overhead is as long as the arithmetic where the lines cross; the "
    "deviation is the median over points."
)


def sheet(frame: pd.DataFrame, points: pd.DataFrame, group: Group) -> Sheet:
    """A row for each implementation, the least overhead first; what could not be trained stands beneath."""
    fits = group.part(frame)
    if fits.empty:
        return Sheet(group.title, (), ())
    peaked, first = bool(fits["of_peak"].notna().any()), fits.iloc[0]
    rows = [
        (
            group.two_lines(row["implementation"]), spread(row, "overhead_s"), numbers.percent(row["share"]),
            beside(row), figure(row["parameter_s"] * 1e9), figure(row["largest_flops_per_s"] / 1e9),
            *([numbers.percent(row["of_peak"])] if peaked else []),
            figure(row["crossing_batch_size"]), numbers.percent(row["residual"]),
        )
        for _, row in fits.sort_values("overhead_s").iterrows()
    ]  # fmt: skip
    columns = (
        "implementation", "overhead of a step", f"share of a step at batch {first['batch_size']:.0f}",
        "a step of next to nothing", "ns per parameter", f"GFLOP/s at batch {first['largest_batch_size']:.0f}",
        *(["of the machine's peak"] if peaked else []), "as long as the arithmetic at batch", "deviation",
    )  # fmt: skip
    return Sheet(group.title, columns, tuple(rows), note=" ".join([METHOD, *lost(group.part(points))]))


def beside(row: pd.Series) -> str:
    """The time of the step that is not in the fit, and the ratio of the fitted overhead to it."""
    if numbers.missing(row["held_out_s"]):
        return numbers.MISSING
    return f"{step(row['held_out_s'])}\nfitted: {numbers.ratio(row['held_out_ratio'])} times that"


def spread(row: pd.Series, column: str) -> str:
    """The time of a step with its range over processes."""
    low, high = (step(row[f"{column}_{end}"]) for end in ("low", "high"))
    return step(row[column]) + ("" if low == high else f"\n{low} – {high}")


def step(seconds: float) -> str:
    """A step's time with three digits: ``61.2 µs``, ``1.52 ms``."""
    if numbers.missing(seconds) or seconds >= 0.0995:
        return numbers.figure("_s", seconds)
    factor, unit = (1e6, "µs") if seconds < 0.9995e-3 else (1e3, "ms")
    return f"{figure(seconds * factor)} {unit}"


def figure(value: float) -> str:
    """A number with three digits, at most two decimals: ``0.52``, ``1,840``."""
    if numbers.missing(value):
        return numbers.MISSING
    return f"{float(f'{value:.3g}'):,.{min(2, numbers.decimals(value))}f}"


def lost(points: pd.DataFrame) -> list[str]:
    """Which points could not be trained, and why."""
    where: dict[tuple[str, str], list[str]] = {}
    for _, row in points[points["reason"] != ""].iterrows():
        program = naming.named(row["implementation"], row["tier"])
        where.setdefault((program, row["reason"]), []).append(named(row["batch_size"], row["width"]))
    return [
        f"{program} could not be trained at {numbers.listed(list(dict.fromkeys(sizes)))}: "
        f"{numbers.shorten(why, 200).rstrip('.')}."
        for (program, why), sizes in where.items()
    ]


def named(batch_size: int, width: int | None) -> str:
    """``batch 64, width 128``."""
    return f"batch {batch_size}" + ("" if pd.isna(width) else f", width {width}")


def cores(frame: pd.DataFrame, group: Group) -> Sheet:
    """A row for each implementation, a column for each point; only where the group has the most threads of several."""
    ratios = group.part(frame)
    if ratios.empty:
        return Sheet("", (), ())
    points = list(dict.fromkeys(zip(ratios["batch_size"], ratios["width"].astype(object), strict=True)))
    rows = []
    for name, of_each in ratios.groupby("implementation", sort=False):
        known = {(row["batch_size"], row["width"]): numbers.ratio(row["estimate"]) for _, row in of_each.iterrows()}
        rows.append((group.named(str(name)), *(known.get(point, numbers.MISSING) for point in points)))
    columns = ("implementation", *(named(*point) for point in points))
    fewer = numbers.count(int(ratios["fewer"].iloc[0]), "thread")
    note = f"How many times as fast a step is with {group.threads} threads as with {fewer}, block by block."
    return Sheet("", columns, tuple(rows), note=note)

"""Overhead against compute: what a training step costs whatever the network, and what its arithmetic costs.

``step = overhead + parameters * per parameter + FLOPs / throughput``, none of them negative, fitted to the points of
each process of a sweep by least squares of relative deviations. The middle term is the optimiser's, whose work grows
with the parameters and not with the batch. Records -> DataFrame; for people in
:mod:`bench.report.chapters.overhead.tables`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from bench import statistics
from bench.report import columns
from bench.report.columns import Column, Table
from bench.report.pairs import grouped, in_blocks, spread
from bench.report.runs import GROUP, identity
from bench.store.records.cell import Result
from bench.store.records.sweep import SweepResult
from bench.store.records.verification import Verification
from impls.workload import Workload

SWEEP = Table("Overhead against compute, raw: one row for each process of a sweep and point, which is a network of "
              "another batch size or width.", (
    *columns.WHICH_CELL,
    Column("batch_size", "count", "images of a step"),
    Column("width", "count", "units of the first hidden layer, the others in proportion; empty where there is none"),
    Column("parameters", "count", "kernel and bias entries"),
    Column("flops", "count", "floating-point operations of the products for one training image, forward and backward"),
    Column("images", "count", "training images of a call"),
    Column("steps", "count", "training steps of a call"),
    Column("held_out", "", "True for the point that is no part of the fit: one image through hidden layers of one "
           "unit"),
    Column("first_s", "s", "the first call, with tracing and compilation"),
    Column("calls", "count", "calls after it"),
    Column("step_s", "s", "a training step: the median of these calls, divided by their steps"),
    Column("images_per_second", "1/s", "training images, by the same calls"),
    Column("reason", "", "why there are no times; empty where there are"),
))  # fmt: skip
OVERHEAD = Table("Overhead against compute: one row for each implementation, fitted to its sweeps: step = overhead + "
                 "parameters * per parameter + FLOPs / throughput. Medians over processes.", (
    *columns.CONFIGURATION, columns.TIER, columns.IMPLEMENTATION, columns.FRAMEWORK, columns.PROCESSES,
    Column("overhead_s", "s", "what a step costs whatever the network and the batch size"),
    Column("overhead_s_low", "s", "least over processes"),
    Column("overhead_s_high", "s", "greatest over processes"),
    Column("batch_size", "count", "the network's own"),
    Column("step_s", "s", "a step of the network as it is, measured in the sweep"),
    Column("share", "0 to 1", "overhead_s / step_s, process by process"),
    Column("parameter_s", "s", "what each parameter adds to a step: the optimiser, above all"),
    Column("flops_per_s", "1/s", "floating-point operations of the products, as fitted"),
    Column("largest_batch_size", "count", "the largest batch size that was trained"),
    Column("largest_flops_per_s", "1/s", "floating-point operations of the products by the whole time of a step of "
           "that size"),
    Column("of_peak", "0 to 1", "that, as a share of the machine's peak (a large product); empty where that was not "
           "measured"),
    Column("crossing_batch_size", "count", "where the lines cross: the batch size at which the fitted arithmetic "
           "takes as long as the overhead"),
    Column("residual", "relative", "how far a point is from the fit: the median over points"),
    Column("held_out_s", "s", "a step of the point that is no part of the fit; next to no arithmetic, so an "
           "independent measurement of the overhead"),
    Column("held_out_ratio", "ratio", "overhead_s / held_out_s, process by process"),
    Column("held_out_ratio_low", "ratio", "least over processes"),
    Column("held_out_ratio_high", "ratio", "greatest over processes"),
))  # fmt: skip
SWEEP_THREADS = Table("Does another core help? One row for each implementation and point of a sweep that was "
                      "measured with several numbers of threads.", (
    columns.WORKLOAD, columns.DEVICE,
    Column("threads", "count", "the most CPU threads"),
    columns.TIER, columns.IMPLEMENTATION,
    Column("fewer", "count", "the fewest"),
    Column("batch_size", "count", "images of a step"),
    Column("width", "count", "units of the first hidden layer; empty where there is none"),
    Column("estimate", "ratio", "time of a step with the fewest threads by that with the most: how many times as "
           "fast, block by block"),
    Column("low", "ratio", "lower end of the 95 % interval; empty with a single block"),
    Column("high", "ratio", "upper end"),
    columns.BLOCKS,
))  # fmt: skip
FEWEST = 4
"""Points that a fit of three terms needs at the least."""


@dataclass(frozen=True)
class Fit:
    """The three terms of a step, in seconds: of any step, of each parameter, of each floating-point operation.

    ``residual`` is the typical deviation of a point from it, the median, as a share.
    """

    overhead_s: float
    parameter_s: float
    flop_s: float
    residual: float = math.nan

    def step_s(self, parameters: Any, flops: Any) -> Any:
        """Seconds of a step with so many parameters and floating-point operations."""
        return self.overhead_s + self.parameter_s * parameters + self.flop_s * flops


def sweep(results: Sequence[Result], verifications: Sequence[Verification] = ()) -> pd.DataFrame:
    """A row for each process of a sweep and point; ``step_s`` is the median of its calls, by their number of steps.

    What the equivalence gate refused, and processes that came to no end, have none.
    """
    refused = {(one.implementation, one.workload, one.device) for one in verifications if one.status == "failed"}
    rows = []
    for result in results:
        cell = result.cell
        if not isinstance(result, SweepResult) or result.status != "ok":
            continue
        if (cell.implementation, cell.workload.name, cell.device) in refused:
            continue
        for point in result.points:
            row = {name: getattr(point, name) for name in SWEEP.names if name in point.__dataclass_fields__}
            row |= identity(result) | {"calls": len(point.seconds)}
            if point.seconds:
                call_s = median(point.seconds)
                row |= {"step_s": call_s / point.steps, "images_per_second": point.images / call_s}
            rows.append(row)
    frame = SWEEP.frame(rows).astype({"width": "Int64"})
    return frame.sort_values(["cell", "held_out", "batch_size", "width"], ignore_index=True)


def fitted(points: pd.DataFrame) -> Fit | None:
    """The terms that explain the points of one process, the one held out left aside; None for too few points."""
    from scipy.optimize import nnls  # here: it takes a while to import, and few reports have sweeps

    known = points[~points["held_out"].astype(bool)].dropna(subset="step_s")
    if len(known) < FEWEST:
        return None
    step_s, flops = known["step_s"].to_numpy(float), (known["flops"] * known["batch_size"]).to_numpy(float)
    terms = np.column_stack([np.ones(len(known)), known["parameters"].to_numpy(float), flops])
    size = terms.max(axis=0)  # of one order, so that none drowns in rounding
    weights, _ = nnls(terms / size / step_s[:, None], np.ones(len(known)))
    overhead_s, parameter_s, flop_s = (float(seconds) for seconds in weights / size)
    return Fit(overhead_s, parameter_s, flop_s, float(np.median(np.abs(terms @ (weights / size) / step_s - 1))))


def overhead(
    points: pd.DataFrame, workloads: Mapping[str, Workload], peaks: Mapping[Any, float] | None = None
) -> pd.DataFrame:
    """A row for each implementation and configuration: medians over the fits of its processes, and ranges.

    ``peaks`` are the machine's floating-point operations per second by network, device and threads, where it was asked.
    """
    rows = []
    for names, sweeps in grouped(points, [*GROUP, "tier", "implementation", "framework"]):
        base = workloads[names["workload"]]
        fits = pd.DataFrame([row for _, cell in sweeps.groupby("cell") if (row := of_cell(cell, base))])
        if len(fits):
            peak = (peaks or {}).get(tuple(names[name] for name in GROUP))
            medians = {name: fits[name].median() for name in fits}
            ranges = spread(fits, "overhead_s") | spread(fits, "held_out_ratio")
            of_peak = medians["largest_flops_per_s"] / peak if peak else None
            rows.append(names | {"processes": len(fits)} | ranges | medians | {"of_peak": of_peak})
    return OVERHEAD.frame(rows)


def of_cell(points: pd.DataFrame, base: Workload) -> dict[str, float] | None:
    """The figures of one process's fit; None where it has too few points."""
    fit = fitted(points)
    if fit is None:
        return None
    measured = points.dropna(subset="step_s")
    held_out = measured["held_out"].astype(bool)
    of_width = measured[~held_out & same_width(measured, base)].sort_values("batch_size")
    largest = of_width.iloc[-1]
    step_s = first(of_width.loc[of_width["batch_size"] == base.batch_size, "step_s"])
    held_out_s = first(measured.loc[held_out, "step_s"])
    return {
        "overhead_s": fit.overhead_s,
        "batch_size": base.batch_size,
        "step_s": step_s,
        "share": fit.overhead_s / step_s,
        "parameter_s": fit.parameter_s,
        "flops_per_s": 1 / fit.flop_s if fit.flop_s else math.nan,
        "largest_batch_size": largest["batch_size"],
        "largest_flops_per_s": largest["flops"] * largest["batch_size"] / largest["step_s"],
        "crossing_batch_size": fit.overhead_s / (fit.flop_s * base.flops) if fit.flop_s else math.nan,
        "residual": fit.residual,
        "held_out_s": held_out_s,
        "held_out_ratio": fit.overhead_s / held_out_s,
    }


def first(values: pd.Series) -> float:
    """The first of some values; NaN where there are none."""
    return float(values.iloc[0]) if len(values) else math.nan


def same_width(points: pd.DataFrame, base: Workload) -> pd.Series:
    """Which points have the network's own widths."""
    return points["parameters"] == base.parameters


def threads(points: pd.DataFrame) -> pd.DataFrame:
    """A row for each implementation and point that was measured with several numbers of threads.

    ``estimate`` is how many times as fast a step is with the most threads as with ``fewer``, paired by block.
    """
    rows = []
    for names, group in grouped(points.dropna(subset="step_s"), ["workload", "device", "tier", "implementation"]):
        fewer, most = int(group["threads"].min()), int(group["threads"].max())
        for (size, units), point in group.groupby(["batch_size", "width"], dropna=False) if fewer < most else ():
            slow, fast = (point[point["threads"] == number] for number in (fewer, most))
            both = in_blocks(slow, fast, "step_s")
            if len(both):
                ends = asdict(statistics.paired_ratio(list(both["a"]), list(both["b"])))
                several = ends if len(both) > 1 else {"estimate": ends["estimate"]}
                row = names | {"threads": most, "fewer": fewer, "batch_size": size, "width": units}
                rows.append(row | {"blocks": len(both)} | several)
    return SWEEP_THREADS.frame(rows).astype({"width": "Int64"})

"""Overhead against compute: what a training step costs whatever the network, from a sweep over sizes."""

import pandas as pd

from bench.display.section import Section, shown
from bench.report.chapter import Chapter, Pictures
from bench.report.chapters.overhead import charts, fit, tables
from bench.report.results import Results
from bench.report.runs import GROUP

FITTED = (
    "what a training step costs whatever the network, and what its arithmetic costs: fitted to sweeps over batch size "
    "and width"
)
CORES = "does another core help? steps with the most threads beside those with the fewest"


def frames(results: Results) -> dict[str, pd.DataFrame]:
    """The points of the sweeps, the fits, what more threads do. The floor supplies the machine's peak."""
    points = fit.sweep(results.cells, results.gates)
    peaks = results.frames["floor"].groupby(GROUP)["peak_flops_per_s"].median().to_dict()
    fits = fit.overhead(points, results.workloads, peaks)
    return {"sweep": points, "overhead": fits, "sweep_threads": fit.threads(points)}


def section(results: Results, pictures: Pictures) -> Section | None:
    """The fits of all groups that were swept."""
    body = []
    for group in results.groups:
        fits = shown(tables.sheet(results.frames["overhead"], results.frames["sweep"], group), FITTED)
        cores = shown(tables.cores(results.frames["sweep_threads"], group), CORES)
        body += [Section(group.title, [*fits, *pictures[group.key], *cores])] if fits else []
    return Section("Overhead against compute", body, "overhead", "Overhead", folded=True) if body else None


CHAPTER = Chapter(
    tables={"sweep": fit.SWEEP, "overhead": fit.OVERHEAD, "sweep_threads": fit.SWEEP_THREADS},
    frames=frames,
    kinds=dict.fromkeys(charts.KINDS, "tables/sweep.csv"),
    charts=charts.drawn,
    section=section,
)

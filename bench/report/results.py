"""Everything that is derived from the stored records of a directory, before it is written or shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from bench.data import tutorials
from bench.errors import FcnBenchError
from bench.report import groups as report_groups
from bench.report import pairs
from bench.report.chapters import conditions, cost, floor, inference
from bench.report.chapters.accuracy import effects, reaching
from bench.report.chapters.breakdown import stages
from bench.report.chapters.claims import ledger, properties, sources, table_4
from bench.report.chapters.claims.sources import Program
from bench.report.chapters.digits.frames import by_digit, confusion, disagreements
from bench.report.chapters.overhead import fit
from bench.report.groups import Group
from bench.report.runs import GROUP, curves_frame, epochs_frame, machines_frame, measured, runs_frame
from bench.store import archive, predictions
from bench.store.predictions import NO_TEST_SET, TestSet
from bench.store.records.breakdown import Breakdown
from bench.store.records.cell import Result
from bench.store.records.export import StoredExport
from bench.store.records.machine import Machine, Size
from bench.store.records.probe import Probe
from bench.store.records.training import TrainingResult
from bench.store.records.verification import Verification
from impls.workload import Workload


@dataclass(frozen=True)
class Session:
    """Everything that the pages show, derived from the stored cells; ``shown`` are those whose figures may be.

    ``results`` are of the networks that were trained, ``everything`` has what else was measured too.
    """

    results: Sequence[TrainingResult]
    machines: Sequence[Machine]
    gates: Sequence[Verification]
    frames: Mapping[str, pd.DataFrame]
    groups: Sequence[Group]
    size: Size | None = None
    shown: Sequence[TrainingResult] = ()
    test: TestSet = NO_TEST_SET
    programs: Mapping[str, Program] = field(default_factory=dict)
    everything: Sequence[Result] = ()

    @classmethod
    def read(cls, directory: Path) -> "Session":
        """Read the stored records and derive the rest."""
        everything, machines, gates = (
            archive.everything(directory),
            archive.records(directory, Machine),
            archive.records(directory, Verification),
        )
        results = archive.trained(everything)
        if not results:
            raise FcnBenchError(f"{directory}: nothing was trained here; run 'fcnbench run --out {directory}'")
        runs, of_machines = runs_frame(results, gates), machines_frame(machines)
        frames = {
            "runs": runs,
            "epochs": epochs_frame(results),
            "curves": curves_frame(results),
            "machines": of_machines,
            "summary": pairs.summary_frame(runs),
            "control": pairs.control(runs),
            "comparison": pairs.comparison(runs),
            "break_even": cost.break_even_frame(runs),
            "table_4": table_4.table_4(runs, of_machines),
            "gate": conditions.checks_frame(gates),
        }
        frames["floor_parts"] = floor.parts(everything)
        frames["floor"] = floor.floor(frames["floor_parts"])
        frames["multiples"] = floor.multiples(runs, frames["floor"])
        frames["time_to_accuracy"] = reaching.time_to_accuracy(runs, frames["epochs"])
        programs = sources.read(directory)
        kept = archive.records(directory, StoredExport)
        frames["breakdown"] = stages.breakdown(archive.records(directory, Breakdown), runs)
        frames["exports"] = properties.exports_frame(kept)
        frames["table_1"] = properties.table_1(
            archive.records(directory, Probe), programs, [one.export for one in kept]
        )
        decided = ledger.ledger(runs, frames["epochs"], results, of_machines)
        frames["claims"] = ledger.joined(decided, frames["table_1"])
        frames["effects"] = effects.effects(runs, frames["epochs"], results)
        test = predictions.read(directory, results)
        keys = set(measured(runs)["cell"])
        shown = [result for result in results if result.cell.key in keys]
        frames["inference"] = inference.inference(shown)
        frames["sweep"] = fit.sweep(everything, gates)
        known = workloads(results)
        peaks = frames["floor"].groupby(GROUP)["peak_flops_per_s"].median().to_dict()
        frames["overhead"] = fit.overhead(frames["sweep"], known, peaks)
        frames["sweep_threads"] = fit.threads(frames["sweep"])
        frames["digits"] = by_digit(shown, test)
        frames["confusion"] = confusion(shown, test)
        frames["disagreements"] = disagreements(shown, test)
        epochs = {name: workload.epochs for name, workload in known.items()}
        groups = report_groups.groups(frames, epochs, tutorials.headline())
        return cls(results, machines, gates, frames, groups, archive.size(directory), shown, test, programs, everything)


def workloads(results: Sequence[TrainingResult]) -> dict[str, Workload]:
    """The networks of some results, by name."""
    return {result.cell.workload.name: result.cell.workload for result in results}

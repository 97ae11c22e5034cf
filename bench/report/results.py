"""Everything that is derived from the stored records of a directory, before it is written or shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

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
from bench.store import archive, extras, predictions
from bench.store.predictions import NO_TEST_SET, TestSet
from bench.store.records.machine import Machine, Size
from bench.store.records.training import Result
from bench.store.records.verification import Gate
from impls.workload import Workload

if TYPE_CHECKING:
    from bench.report.build import Built
    from bench.report.compare import Comparison


@dataclass(frozen=True)
class Session:
    """Everything that the pages show, derived from the stored cells; ``shown`` are those whose figures may be.

    ``results`` are of the networks that were trained, ``everything`` has what else was measured too.
    """

    results: Sequence[Result]
    machines: Sequence[Machine]
    gates: Sequence[Gate]
    frames: Mapping[str, pd.DataFrame]
    groups: Sequence[Group]
    size: Size | None = None
    shown: Sequence[Result] = ()
    test: TestSet = NO_TEST_SET
    programs: Mapping[str, Program] = field(default_factory=dict)
    everything: Sequence[Result] = ()
    directory: Path = Path()

    @classmethod
    def read(cls, directory: Path) -> "Session":
        """Read the stored records and derive the rest."""
        everything, machines, gates = (
            archive.everything(directory),
            archive.machines(directory),
            archive.gates(directory),
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
        kept = extras.read_exports(directory)
        frames["breakdown"] = stages.breakdown(extras.read_breakdowns(directory), runs)
        frames["exports"] = properties.exports_frame(kept)
        frames["table_1"] = properties.table_1(extras.read_probes(directory), programs, [one.export for one in kept])
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
        size = archive.size(directory)
        return cls(results, machines, gates, frames, groups, size, shown, test, programs, everything, directory)

    @property
    def runs(self) -> pd.DataFrame:
        """A row for each process that trained a network, as in ``runs.csv``."""
        return self.frames["runs"]

    @property
    def epochs(self) -> pd.DataFrame:
        """A row for each epoch of each of them, as in ``epochs.csv``."""
        return self.frames["epochs"]

    def report(self) -> "Built":
        """Write CSVs, tables, charts and report into the directory, as ``fcnbench report`` does."""
        from bench.report import build  # which reads these results itself

        return build.build(self.directory)

    def compare(self, base: "Session | Path | str", fail_slower: float = 0.05) -> "Comparison":
        """Compare with another directory, as ``fcnbench compare BASE`` does; what is slower by more is a regression.

        Raises FcnBenchError where the two have nothing in common or did different work.
        """
        from bench.report import compare

        return compare.compare(base.directory if isinstance(base, Session) else Path(base), self.directory, fail_slower)


def workloads(results: Sequence[Result]) -> dict[str, Workload]:
    """The networks of some results, by name."""
    return {result.cell.workload.name: result.cell.workload for result in results}

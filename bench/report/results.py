"""What a result directory holds, as the chapters need it: its records, the same as frames, what is compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from bench.data import tutorials
from bench.errors import FcnBenchError
from bench.report import groups, pairs, runs
from bench.report.columns import Table
from bench.report.groups import Group
from bench.store import archive, predictions
from bench.store.predictions import TestSet
from bench.store.records.cell import Result
from bench.store.records.machine import Machine, Size
from bench.store.records.training import TrainingResult
from bench.store.records.verification import Verification
from impls.workload import Workload

if TYPE_CHECKING:
    from bench.report.build import Built
    from bench.report.compare import Comparison

DATA: Mapping[str, Table] = {
    "runs": runs.RUNS, "epochs": runs.EPOCHS, "machines": runs.MACHINES, "curves": runs.CURVES,
}  # fmt: skip
"""The records as rows; all other frames are derived from them."""


@dataclass(frozen=True)
class Results:
    """What a directory holds. ``trained`` are the results of networks, ``everything`` has floors and sweeps too.

    ``frames`` has the records as rows and the comparison of them; :func:`bench.report.build.read` adds the chapters'.
    """

    directory: Path
    everything: Sequence[Result]
    trained: Sequence[TrainingResult]
    machines: Sequence[Machine]
    gates: Sequence[Verification]
    size: Size | None
    frames: dict[str, pd.DataFrame]

    @classmethod
    def read(cls, directory: Path) -> "Results":
        """Read the stored records. Raises FcnBenchError where nothing was trained, and for what cannot be read."""
        everything, machines, gates = (
            archive.everything(directory),
            archive.records(directory, Machine),
            archive.records(directory, Verification),
        )
        trained = archive.trained(everything)
        if not trained:
            raise FcnBenchError(f"{directory}: nothing was trained here; run 'fcnbench run --out {directory}'")
        rows = runs.runs_frame(trained, gates)
        frames = {
            "runs": rows,
            "epochs": runs.epochs_frame(trained),
            "machines": runs.machines_frame(machines),
            "curves": runs.curves_frame(trained),
            "summary": pairs.summary_frame(rows),
            "control": pairs.control(rows),
            "comparison": pairs.comparison(rows),
        }
        return cls(directory, everything, trained, machines, gates, archive.size(directory), frames)

    @property
    def runs(self) -> pd.DataFrame:
        """A row for each process that trained a network, as in ``runs.csv``."""
        return self.frames["runs"]

    @property
    def epochs(self) -> pd.DataFrame:
        """A row for each epoch of each of them, as in ``epochs.csv``."""
        return self.frames["epochs"]

    @cached_property
    def groups(self) -> list[Group]:
        """What is compared with each other: the network that the tutorials time comes first."""
        epochs = {name: workload.epochs for name, workload in self.workloads.items()}
        return groups.groups(self.frames, epochs, tutorials.headline())

    @property
    def leading(self) -> list[Group]:
        """The groups that the opening speaks of."""
        return groups.leading(self.groups)

    @property
    def workloads(self) -> dict[str, Workload]:
        """The networks that were trained, by name."""
        return {result.cell.workload.name: result.cell.workload for result in self.trained}

    @cached_property
    def shown(self) -> list[TrainingResult]:
        """The results whose figures may be shown."""
        keys = set(runs.measured(self.runs)["cell"])
        return [result for result in self.trained if result.cell.key in keys]

    @cached_property
    def test(self) -> TestSet:
        """The test set of the stored predictions, as far as it was kept."""
        return predictions.read(self.directory, self.trained)

    def report(self) -> "Built":
        """Write CSVs, tables, charts and report into the directory, as ``fcnbench report`` does."""
        from bench.report import build  # which reads these results itself

        return build.build(self.directory)

    def compare(self, base: "Results | Path | str", fail_slower: float = 0.05) -> "Comparison":
        """Compare with another directory, as ``fcnbench compare BASE`` does; what is slower by more is a regression.

        Raises FcnBenchError where the two have nothing in common or did different work.
        """
        from bench.report import compare

        return compare.compare(base.directory if isinstance(base, Results) else Path(base), self.directory, fail_slower)

    def part(self, name: str, group: Group) -> pd.DataFrame:
        """The rows of a frame that are about a group."""
        return group.part(self.frames[name])

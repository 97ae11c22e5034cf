"""What a result directory holds, as the chapters need it: its records, the same as frames, what is compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from bench.data import tutorials
from bench.errors import FcnBenchError
from bench.report import groups, pairs, runs
from bench.report.columns import Table
from bench.report.groups import Group
from bench.store import archive, predictions
from bench.store.predictions import TestSet
from bench.store.records.machine import Machine, Size
from bench.store.records.training import Result
from bench.store.records.verification import Gate
from impls.workload import Workload

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
    trained: Sequence[Result]
    machines: Sequence[Machine]
    gates: Sequence[Gate]
    size: Size | None
    frames: dict[str, pd.DataFrame]

    @classmethod
    def read(cls, directory: Path) -> "Results":
        """Read the stored records. Raises FcnBenchError where nothing was trained, and for what cannot be read."""
        everything, machines, gates = (
            archive.everything(directory),
            archive.machines(directory),
            archive.gates(directory),
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
        """A row for each process that trained a network."""
        return self.frames["runs"]

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
    def shown(self) -> list[Result]:
        """The results whose figures may be shown."""
        keys = set(runs.measured(self.runs)["cell"])
        return [result for result in self.trained if result.cell.key in keys]

    @cached_property
    def test(self) -> TestSet:
        """The test set of the stored predictions, as far as it was kept."""
        return predictions.read(self.directory, self.trained)

    def part(self, name: str, group: Group) -> pd.DataFrame:
        """The rows of a frame that are about a group."""
        return groups.part(self.frames[name], *group.place_key)

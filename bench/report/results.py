"""What a result directory holds, as the chapters need it: its records, the same as frames, what is compared."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from bench.data import tutorials
from bench.errors import FcnBenchError
from bench.report import groups, runs
from bench.report.groups import Group
from bench.store import contents, predictions
from bench.store.contents import Contents
from bench.store.predictions import TestSet
from bench.store.records.training import TrainingResult
from impls.workload import Workload

if TYPE_CHECKING:
    from bench.report.build import Built
    from bench.report.compare import Comparison


@dataclass(frozen=True, kw_only=True)
class Results(Contents):
    """The records of a directory and what was made of them; ``cells`` has floors and sweeps too.

    ``questions`` is the number of primary pairs that were planned, where some of them are not measured yet.

    ``frames`` has the records as rows; :func:`bench.report.build.read` adds what the chapters derive from them.
    """

    directory: Path
    frames: dict[str, pd.DataFrame]
    questions: int = 0

    @classmethod
    def read(cls, directory: Path, questions: int = 0) -> "Results":
        """Read the stored records. Raises FcnBenchError where nothing was trained, and for what cannot be read."""
        stored = contents.read(directory)
        results = cls(**vars(stored), directory=directory, frames={}, questions=questions)
        if not results.trained:
            raise FcnBenchError(f"{directory}: nothing was trained here; run 'fcnbench run --out {directory}'")
        results.frames.update(
            runs=runs.runs_frame(results.trained, stored.gates),
            epochs=runs.epochs_frame(results.trained),
            machines=runs.machines_frame(stored.machines),
            curves=runs.curves_frame(results.trained),
        )
        return results

    @cached_property
    def trained(self) -> list[TrainingResult]:
        """What became of the networks that were trained, in the order in which they were measured."""
        return [result for result in self.cells if isinstance(result, TrainingResult)]

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

        return build.rebuild(self.directory)

    def compare(self, base: "Results | Path | str", fail_slower: float = 0.05) -> "Comparison":
        """Compare with another directory, as ``fcnbench compare BASE`` does; what is slower by more is a regression.

        Raises FcnBenchError where the two have nothing in common or did different work.
        """
        from bench.report import compare

        return compare.compare(base.directory if isinstance(base, Results) else Path(base), self.directory, fail_slower)

    def part(self, name: str, group: Group) -> pd.DataFrame:
        """The rows of a frame that are about a group."""
        return group.part(self.frames[name])

"""Table 1's questions, put to scripted frameworks: what they do with Python is what is counted."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from bench.data import mnist, tutorials
from bench.store.records.probe import Mode
from bench.worker.jobs import probe as jobs_probe
from bench.worker.messages import DebuggingTools, DefaultMode, LostMode
from bench.worker.requests import EntryPoint, ProbeModes
from impls.contract import Data
from impls.workload import Workload


class Symbol:
    """A tensor without numbers."""


class Program:
    """Trains nothing: calls ``look`` as its mode does, with a symbol while it traces."""

    def __init__(self, workload: Workload, mode: str, look: Callable[[Any], None]) -> None:
        self.workload, self.mode, self.look, self.epochs = workload, mode, look, 0
        if mode == "defined":
            look(Symbol())

    def load(self, data: Any) -> None:
        self.x = self.workload.scale(data.x_train)

    def train_epoch(self, order: Any) -> float:
        if self.mode == "broken":
            raise ValueError("no compiler\nhere")
        if self.mode == "traced" and not self.epochs:
            self.look(Symbol())
        if self.mode == "at once":
            for start in range(0, len(order), self.workload.batch_size):
                self.look(self.x[order[start : start + self.workload.batch_size]])
        self.epochs += 1
        return 0.0

    def sync(self) -> None:
        pass


def scripted(*modes: str) -> ModuleType:
    """A probe with these modes, all of them timed."""

    def program(workload: Workload, mode: str, look: Callable[[Any], None], graphs: list[Any]) -> Program:
        graphs.append("a graph")
        return Program(workload, mode, look)

    made: Any = ModuleType("scripted")
    made.MODES, made.TIMED, made.CAPTURED, made.program = modes, modes[:1], modes[1:], program
    made.number = lambda x: float(x.sum())
    made.tools = lambda folder: {"a tool": folder.is_dir()}
    return made  # type: ignore[no-any-return]


def asked(probe: ModuleType, tiny: Workload, data: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The messages of a whole examination."""
    monkeypatch.setitem(sys.modules, "scripted", probe)
    said: list[Any] = []
    jobs_probe.run(ProbeModes(EntryPoint("scripted", "", ("numpy",)), tiny, str(data)), said.append)
    return said


def test_a_framework_that_runs_python_at_every_step(tiny: Workload, tiny_data: Path) -> None:
    """As many calls, prints and stops as there are steps, each with numbers; nothing before the first."""
    found = jobs_probe.of_mode(scripted("at once"), "at once", tiny, mnist.load(tiny_data))
    assert replace(found, epoch_s=()) == Mode("at once", 10, 0, (10, 10), 20, 20, 20, ("ndarray",))
    assert len(found.epoch_s) == jobs_probe.TIMED and all(seconds > 0 for seconds in found.epoch_s)


def test_a_framework_that_traces(tiny: Workload, tiny_data: Path) -> None:
    """One call with a symbol, and none in a later epoch; a mode that is not timed has no seconds."""
    found = jobs_probe.of_mode(scripted("at once", "traced"), "traced", tiny, mnist.load(tiny_data))
    assert found == Mode("traced", 10, 0, (1, 0), 1, 1, 0, ("Symbol",), graphs=1, epoch_s=())


def test_what_is_traced_before_training_is_counted_apart(tiny: Workload, tiny_data: Path) -> None:
    """A graph that has to be defined first shows."""
    found = jobs_probe.of_mode(scripted("defined"), "defined", tiny, mnist.load(tiny_data))
    assert (found.before, found.calls) == (1, (0, 0))


def test_a_mode_that_raises_is_lost_alone(tiny: Workload, tiny_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reason is told on one line, and the others are asked; versions and tools are told too."""
    versions, default, *said = asked(scripted("at once", "broken", "traced"), tiny, tiny_data, monkeypatch)
    assert versions.versions["numpy"] == np.__version__ and default == DefaultMode("at once")
    assert [type(message).__name__ for message in said] == ["Mode", "LostMode", "Mode", "DebuggingTools"]
    assert said[1] == LostMode("broken", "ValueError: no compiler here")
    assert said[3] == DebuggingTools({"a tool": True})


def test_the_debugger_is_the_usual_one_again(tiny: Workload, tiny_data: Path, capsys: Any) -> None:
    """Also after a mode that raised; and nothing of what was printed is left."""
    usual = sys.breakpointhook
    with pytest.raises(ValueError, match="compiler"):
        jobs_probe.of_mode(scripted("broken"), "broken", tiny, mnist.load(tiny_data))
    jobs_probe.of_mode(scripted("at once"), "at once", tiny, mnist.load(tiny_data))
    assert sys.breakpointhook is usual and capsys.readouterr().out == ""


@pytest.mark.parametrize(("network", "steps"), [("mlp-128-64", 50), ("cnn-32-64", 19)])
def test_an_epoch_is_as_long_as_can_be_afforded(network: str, steps: int) -> None:
    """A convolutional network is probed for fewer steps, and none for more than there are images."""
    workload = tutorials.networks()[network]

    many: Any = Data(*(np.zeros((60_000, 1), np.uint8) for _ in range(4)), root=Path())
    found = jobs_probe.part(many, workload)
    assert len(found.x_train) == len(found.y_train) == steps * workload.batch_size
    few = replace(many, x_train=many.x_train[:200], y_train=many.y_train[:200])
    assert len(jobs_probe.part(few, workload).y_train) == 3 * workload.batch_size

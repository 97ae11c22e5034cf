"""The program that stays, in this process: what it answers step by step is what a run would have said at once."""

import gc
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from bench.machine import gpu
from bench.store.records.training import Epoch
from bench.worker import channel
from bench.worker.jobs import steps as jobs_steps
from bench.worker.jobs import train
from bench.worker.messages import StepDone, SwitchesInForce
from bench.worker.requests import (
    DrawOrder,
    EntryPoint,
    Finish,
    ImportProgram,
    PredictTestSet,
    Prepare,
    ReportEpoch,
    Step,
    Task,
    Train,
    TrainByStep,
    TrainEpoch,
)
from impls.workload import Workload

BEGIN: tuple[Step, ...] = (ImportProgram(), Prepare())
EPOCH: tuple[Step, ...] = (DrawOrder(), TrainEpoch(), ReportEpoch())
Said = list[Any]
Serve = Callable[..., Said]


@pytest.fixture
def entry(plugin: Callable[..., Path]) -> EntryPoint:
    """The plugin."""
    return EntryPoint(str(plugin()), "Implementation", ("numpy",))


@pytest.fixture
def task(tiny: Workload, tiny_data: Path) -> Task:
    """What it works on."""
    return Task(tiny, "cpu", 3, str(tiny_data))


@pytest.fixture
def served(entry: EntryPoint, task: Task) -> Serve:
    """``served(*steps)``: the messages of these steps and of the end."""

    def served(*steps: Step, entry: EntryPoint = entry, disable_gc: bool = False) -> Said:
        said: Said = []
        asked = iter([*steps, Finish()])
        jobs_steps.serve(TrainByStep(entry, task, disable_gc), said.append, lambda: next(asked))
        return said

    return served


@pytest.fixture
def at_once(entry: EntryPoint, task: Task, monkeypatch: pytest.MonkeyPatch) -> Said:
    """The messages of a whole run of two epochs."""
    said: Said = []
    asked = iter([TrainEpoch(), TrainEpoch(), Finish()])
    monkeypatch.setattr(channel, "receive", lambda: next(asked))
    train.run(Train(entry, task, 2), said.append)
    return said


def rows(said: Said) -> list[dict[str, Any]]:
    """The epochs without their seconds, which differ from time to time."""
    found = [asdict(message) for message in said if isinstance(message, Epoch)]
    return [{name: value for name, value in row.items() if not name.endswith("_s")} for row in found]


def test_epochs_step_by_step_are_those_of_a_run(served: Serve, at_once: Said) -> None:
    """Same start, same batches, same losses and accuracies, to the last digit."""
    found = rows(served(*BEGIN, ReportEpoch(), *EPOCH, *EPOCH))
    assert [row.pop("readings") for row in found] == [{}, {"train_energy_j": None}, {"train_energy_j": None}]
    assert found == [{name: value for name, value in row.items() if name != "readings"} for row in rows(at_once)]


def test_phases_versions_and_readings_are_those_of_a_run(served: Serve, at_once: Said) -> None:
    """Whoever reads the messages finds in them what a measured cell has, but for its inference."""
    asked = served(*BEGIN, ReportEpoch())

    def names(said: Said) -> set[str]:
        others = ("StepDone", "Epoch", "Inference", "Whole")
        kinds = [(type(message).__name__, asdict(message)) for message in said]
        found = {f"{kind}.{key}" for kind, values in kinds if kind not in others for key in values}
        return found | {
            f"{kind}.{key}" for kind, values in kinds if kind == "MeterReadings" for key in values["readings"]
        }

    assert names(asked) == names(at_once)


def test_only_what_is_measured_has_seconds(served: Serve) -> None:
    """Import, training and prediction say how long they took; what prepares them does not."""
    steps = (*BEGIN, DrawOrder(), TrainEpoch(), PredictTestSet(), ReportEpoch())
    seconds = [message.seconds for message in served(*steps) if isinstance(message, StepDone)]
    timed = {type(step) for step, value in zip(steps, seconds, strict=True) if value is not None}
    assert timed == {ImportProgram, TrainEpoch, PredictTestSet}
    assert all(value > 0 for value in seconds if value is not None)


@pytest.mark.process
@pytest.mark.parametrize("counter", [True, False])
def test_the_energy_of_an_epoch_is_read_around_its_training(
    served: Serve, monkeypatch: pytest.MonkeyPatch, counter: bool
) -> None:
    """As in a run: what the counter has grown by, none before training, and none where there is no counter."""
    joules = iter([100.0, 103.0, 110.0, 115.0])

    class Counting(gpu.Gpu):
        def energy_j(self) -> float | None:
            return next(joules) if counter else None

        def ask(self, question: Any, *arguments: Any) -> Any:
            return None

    monkeypatch.setattr(gpu, "find", lambda variables: Counting(MagicMock(), None, None))
    said = served(*BEGIN, ReportEpoch(), *EPOCH, *EPOCH)
    found = [message.readings.get("train_energy_j") for message in said if isinstance(message, Epoch)]
    assert found == ([None, 3.0, 5.0] if counter else [None] * 3)


def test_the_collector_rests_while_a_step_is_done(served: Serve, plugin: Callable[..., Path]) -> None:
    """Where it was asked for, and it works again between the steps."""
    body = """
    import gc

    class Implementation(Regression):
        @property
        def switches(self):
            return {"collector": gc.isenabled()}
    """
    for disable in (False, True):
        said = served(*BEGIN, entry=EntryPoint(str(plugin("noted", body)), "Implementation", ()), disable_gc=disable)
        (seen,) = [message.switches["collector"] for message in said
                   if isinstance(message, SwitchesInForce) and "collector" in message.switches]  # fmt: skip
        assert seen is not disable and gc.isenabled()

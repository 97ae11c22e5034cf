"""The program that stays, in this process: what it answers step by step is what a run would have said at once."""

import gc
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from bench.worker.jobs import steps as jobs_steps
from bench.worker.jobs import train
from bench.worker.messages import Event
from bench.worker.program import Program
from impls.workload import Workload

Said = list[Event]


@pytest.fixture
def request_of(plugin: Callable[..., Path], tiny: Workload, tiny_data: Path) -> Callable[..., dict[str, Any]]:
    """``request_of(body)``: what a worker is asked, for a plugin with that body."""

    def request_of(**changes: Any) -> dict[str, Any]:
        named = {"module": str(plugin()), "attribute": "Implementation", "packages": ["numpy"]}
        asked = {"workload": asdict(tiny), "device": "cpu", "seed": 3, "data": str(tiny_data), "epochs": 2}
        return named | asked | {"disable_gc": False} | changes

    return request_of


def served(request: dict[str, Any], *steps: str) -> Said:
    """The events of these steps and of the end."""
    said: Said = []
    questions = iter([*steps, "finish"])
    jobs_steps.serve(request, said.append, lambda: {"step": next(questions)})
    return said


def rows(said: Said) -> list[dict[str, Any]]:
    """The epochs without their seconds, which differ from time to time."""
    found = [event.values for event in said if event.name == "epoch"]
    return [{name: value for name, value in row.items() if not name.endswith("_s")} for row in found]


def test_epochs_step_by_step_are_those_of_a_run(request_of: Callable[..., dict[str, Any]]) -> None:
    """Same start, same batches, same losses and accuracies, to the last digit."""
    at_once: Said = []
    train.run(request_of(), at_once.append)
    epoch = ("draw", "train", "look")
    assert rows(served(request_of(), "import_", "prepare", "look", *epoch, *epoch)) == rows(at_once)


def test_phases_facts_and_memory_are_those_of_a_run(request_of: Callable[..., dict[str, Any]]) -> None:
    """Whoever reads the events finds in them what a measured cell has, but for its inference."""
    at_once: Said = []
    train.run(request_of(), at_once.append)
    asked = served(request_of(), "import_", "prepare", "look")

    def names(said: Said) -> set[str]:
        others = ("answer", "epoch", "inference")
        return {f"{event.name}.{key}" for event in said if event.name not in others for key in event.values}

    assert names(asked) == names(at_once)


def test_only_what_is_measured_has_seconds(request_of: Callable[..., dict[str, Any]]) -> None:
    """Import, training and prediction say how long they took; what prepares them does not."""
    said = served(request_of(), "import_", "prepare", "draw", "train", "predict", "look")
    seconds = {event.values["step"]: event.values["seconds"] for event in said if event.name == "answer"}
    assert {step for step, value in seconds.items() if value is None} == {"prepare", "draw", "look"}
    assert all(value > 0 for value in seconds.values() if value is not None)


@pytest.mark.parametrize("counter", [True, False])
def test_the_energy_of_an_epoch_is_read_around_its_training(
    request_of: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, counter: bool
) -> None:
    """As in a run: what the counter has grown by, none before training, and none where there is no counter."""
    joules = iter([100.0, 103.0, 110.0, 115.0])
    monkeypatch.setattr(Program, "energy_j", lambda self: next(joules) if counter else None)
    epoch = ("draw", "train", "look")
    said = served(request_of(), "import_", "prepare", "look", *epoch, *epoch)
    assert [row["train_energy_j"] for row in rows(said)] == ([None, 3.0, 5.0] if counter else [None] * 3)


def test_the_collector_rests_while_a_step_is_done(
    request_of: Callable[..., dict[str, Any]], plugin: Callable[..., Path]
) -> None:
    """Where it was asked for, and it works again between the steps."""
    body = """
    import gc

    class Implementation(Regression):
        @property
        def switches(self):
            return {"collector": gc.isenabled()}
    """
    for disable in (False, True):
        request = request_of(module=str(plugin("noted", body)), disable_gc=disable)
        said = served(request, "import_", "prepare")
        (seen,) = [event.values["switches"]["collector"] for event in said
                   if event.name == "facts" and "collector" in event.values["switches"]]  # fmt: skip
        assert seen is not disable and gc.isenabled()

"""The CUDA branches of every implementation, with stand-ins for the GPU: what is called, and in which order."""

import json
import os
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from impls import environment
from impls.registry import BUILT_IN, Entry

pytestmark = pytest.mark.process

ON_DEVICES = [entry for entry in BUILT_IN if entry.tier != "reference"]


@pytest.fixture(scope="module")
def all_told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each implementation did on a CUDA device that is not there; one process for each framework, side by side."""
    script, children, told = Path(__file__).parents[1] / "standins.py", [], {}
    for framework, rows in groupby(sorted(ON_DEVICES, key=together), together):
        entries = list(rows)
        variables = {
            **os.environ,
            **environment.environment(entries[0], "cpu", 1),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        command = [
            sys.executable,
            "-P",
            script,
            tmp_path_factory.mktemp("-".join(framework)),
            *(row.name for row in entries),
        ]
        pipe = subprocess.PIPE
        children.append(subprocess.Popen(command, stdout=pipe, stderr=pipe, env=variables, text=True))
    for child in children:
        out, problem = child.communicate(timeout=300)
        assert child.returncode == 0, problem
        told |= json.loads(out.splitlines()[-1])
    return told


def together(entry: Entry) -> tuple[str, str]:
    """What may share a process: the framework, and what Keras is told."""
    return entry.framework, entry.engine


@pytest.fixture(params=ON_DEVICES, ids=lambda entry: entry.name)
def told(request: pytest.FixtureRequest, all_told: dict[str, Any]) -> dict[str, Any]:
    """What one implementation did."""
    return {"entry": request.param, **all_told[request.param.name]}


def idle_at_the_clock(events: list[str]) -> bool:
    """Whether a sync stands directly before each reading of the clock."""
    return all(events[number - 1] == "sync" for number, event in enumerate(events) if event == "clock")


def test_the_gpu_is_idle_whenever_the_clock_is_read(told: dict[str, Any]) -> None:
    """Both readings around training and around prediction; a program whose sync does nothing is found out."""
    assert told["events"].count("clock") == 2 * (2 + 5)
    assert idle_at_the_clock(told["events"])
    assert not idle_at_the_clock(told["careless"])


def test_work_ends_with_a_sync_before_the_second_reading(told: dict[str, Any]) -> None:
    """What was started in the timed part has finished when it ends."""
    events = told["events"]
    after = [
        events[number + 1 : number + 3] for number, event in enumerate(events) if event in ("trained", "predicted")
    ]
    assert after == [["sync", "clock"]] * 7


def test_the_peak_begins_with_training_where_the_framework_can_begin_a_new_one(told: dict[str, Any]) -> None:
    """What the allocator keeps is given back first, so that it is no part of what is reserved; and never in between."""
    events, framework = told["events"], told["entry"].packages
    resets = {"torch": ["empty cache", "reset peak"], "tensorflow": ["reset peak"], "jax": []}
    expected = next(resets[package] for package in framework if package in resets)
    loading, training = events[: events.index("loaded")], events[events.index("loaded") :]
    assert [event for event in loading if event not in ("sync", "read peak")] == expected
    assert not {"empty cache", "reset peak"} & set(training)


def test_the_peak_is_read_when_all_is_done(told: dict[str, Any]) -> None:
    """By the framework's own counter; what has no counter is left out; the switches say since when it counts."""
    events = told["events"]
    assert "read peak" not in events[: events.index("ended")] and events[-1] == "read peak"
    reserved = {"reserved_bytes": 9} if "torch" in told["entry"].packages else {}
    assert told["memory"] == {"peak_bytes": 7, **reserved}
    assert ("start" if "jax" in told["entry"].packages else "since loading") in told["source"]


def test_every_device_function_that_is_named_exists_in_the_installed_framework(told: dict[str, Any]) -> None:
    """A misspelt one would be found first by whoever has a GPU."""
    assert told["missing"] == []


def test_tf32_is_on_where_it_was_asked_for_and_off_elsewhere(told: dict[str, Any]) -> None:
    """Explicitly and equally in every program: some frameworks have it on by themselves, others off."""
    assert told["tf32"] == [False, True]


def test_the_work_is_the_oracles_on_a_gpu_too(told: dict[str, Any]) -> None:
    """In two epochs of the order given; what is captured as a graph trains nothing, and each replay its own batches."""
    assert (told["off"] is None) == (told["entry"].tier == "documented")
    assert told["off"] is None or told["off"] < 1e-5


def test_of_few_batches_most_are_replayed_where_calls_are_captured(told: dict[str, Any]) -> None:
    """So that the gate, whose passes are short, proves what is measured: six of seven groups of two in the
    first epoch, behind the one that is captured, and all of the next."""
    assert told["events"].count("replay") == (6 + 7 if told["entry"].name == "tuned-pytorch" else 0)

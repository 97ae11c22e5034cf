"""Passes over the training images, timed round by round: with a scripted program and a fake clock."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.data import mnist, tutorials
from bench.store.records.breakdown import PASSES
from bench.worker.jobs import breakdown
from impls.contract import Data
from impls.workload import Workload


class Clock:
    """Stands still unless a pass lets it go on."""

    def __init__(self) -> None:
        self.now, self.idle = 0.0, True

    def __call__(self) -> float:
        assert self.idle, "the device was busy when the clock was read"
        return self.now

    def passed(self, seconds: float) -> None:
        """A pass: the device is busy until somebody waits for it."""
        self.now, self.idle = self.now + seconds, False

    def sync(self) -> None:
        """Waiting for the device takes a second if it has something to do."""
        self.now, self.idle = self.now + (0 if self.idle else 1), True


def test_every_round_takes_every_pass_in_turn() -> None:
    """What a pass left for the device to do is its own time; the next one begins with an idle device."""
    clock, asked = Clock(), list[str]()

    def once(name: str, seconds: float) -> None:
        asked.append(name)
        clock.passed(seconds)

    passes = {name: (lambda name=name, seconds=i: once(name, seconds)) for i, name in enumerate(PASSES)}
    found = list(breakdown.rounds(3, passes, clock.sync, clock))
    assert found == [{name: i + 1.0 for i, name in enumerate(PASSES)}] * 3
    assert asked == list(PASSES) * 3


@pytest.mark.parametrize("names", [PASSES[:-1], PASSES[::-1], (*PASSES, "more")])
def test_other_passes_are_refused(names: tuple[str, ...]) -> None:
    """Before any of them is timed: a stage is what a pass adds to the one before it."""
    with pytest.raises(ValueError, match="expected loop, feeding, forward, backward, optimiser, epoch"):
        next(breakdown.rounds(3, {name: lambda: pytest.fail("timed") for name in names}, lambda: None, lambda: 0.0))


@pytest.mark.parametrize(("network", "images"), [("mlp-128-64", 6_400), ("cnn-32-64", 1_216)])
def test_a_pass_is_as_long_as_can_be_afforded(
    network: str, images: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many batches as are asked for, of a convolutional network less."""
    written: list[int] = []
    monkeypatch.setattr(mnist, "write", lambda root, x, y, x_test, y_test: written.append(len(y)))
    monkeypatch.setattr(mnist, "load", lambda root: None)
    many: Any = Data(*(np.zeros((60_000, 1), np.uint8) for _ in range(4)), root=Path())
    breakdown.part(many, tutorials.networks()[network], 100, tmp_path)
    assert written == [images]


def test_a_small_set_is_taken_in_full_batches(tiny: Workload, tiny_data: Path, tmp_path: Path) -> None:
    """At least ten batches where there are so many; all of a set that is smaller than a batch."""
    data = mnist.load(tiny_data)
    found = breakdown.part(data, tiny, 5, tmp_path / "few")
    assert len(found.y_train) == min(10, len(data.y_train) // tiny.batch_size) * tiny.batch_size
    np.testing.assert_array_equal(found.x_train, data.x_train[: len(found.y_train)])
    whole = breakdown.part(data, replace(tiny, batch_size=len(data.y_train) + 1), 5, tmp_path / "all")
    assert len(whole.y_train) == len(data.y_train)

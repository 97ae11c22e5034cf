"""``null``: an implementation that costs nothing and claims nothing."""

import math
from pathlib import Path

import numpy as np
import pytest

from impls.contract import Data
from impls.null import Implementation
from impls.workload import Adam, Dense, Workload

WORKLOAD = Workload("small", 0, (Dense(10),), 0.0, 1.0, 4, 4, 1, Adam(1e-3))


@pytest.fixture
def implementation() -> Implementation:
    """``null`` with six images to train on and five to predict."""
    images, labels = np.zeros((6, 28, 28), np.uint8), np.zeros(6, np.uint8)
    built = Implementation(WORKLOAD, "cpu", 0)
    built.load(Data(images, labels, images[:5], labels[:5], Path()))
    return built


def test_its_loss_is_missing_not_zero(implementation: Implementation) -> None:
    """No loss was computed, so none is claimed: NaN, never 0."""
    assert math.isnan(implementation.train_epoch(np.arange(6)))


def test_its_logits_are_zero_for_every_test_image(implementation: Implementation) -> None:
    """The answer has the right shape and type, and says nothing."""
    logits = implementation.predict()
    assert (logits.shape, logits.dtype) == ((5, 10), np.float32)
    assert not logits.any()


def test_it_holds_no_parameters(implementation: Implementation) -> None:
    """Weights that it is given leave no trace."""
    implementation.set_weights([(np.ones((784, 10), np.float32), np.ones(10, np.float32))])
    assert implementation.get_weights() == []


def test_it_says_that_it_ignores_the_order() -> None:
    """It takes no order, so the gate does not look for equal work where there is none."""
    assert Implementation.takes_order is False


def test_it_touches_no_device() -> None:
    """It can stand in for a cell of any device, and has none to wait for or to report on."""
    built = Implementation(WORKLOAD, "cuda", 0)
    assert (built.sync(), built.device_memory()) == (None, None)


def test_its_members_stand_in_the_contracts_order() -> None:
    """The eight members and their order are those of the contract."""
    members = [name for name, member in vars(Implementation).items() if callable(member)]
    assert members == [
        "__init__", "load", "set_weights", "get_weights", "train_epoch", "predict", "sync", "device_memory",
    ]  # fmt: skip

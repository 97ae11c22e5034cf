"""Dropout's masks as they are counted: by a program that drops as it is told to, on real digits."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.data import download, mnist, tutorials
from bench.verification import dropout
from bench.verification.candidate import Candidate
from impls.contract import Data
from impls.oracle.training import Implementation
from impls.workload import Conv, Dense, Dropout, Pool, Workload

N = 64


@pytest.fixture(scope="module")
def data() -> Data:
    return mnist.load(download.find())


@pytest.fixture
def workload() -> Workload:
    return tutorials.networks()["mlp-128-64-dropout"]


def check_masks(workload: Workload, data: Data, folder: Path, make: Any = Implementation, unseen: str = "") -> Any:
    return {
        check.name: check for check in dropout.check_masks(Candidate.of(make, "cpu", 3), workload, data, folder, unseen)
    }


def judge(counts: Any, rate: float, blur: float = 1e-3) -> dict[str, bool]:
    return {check.name: check.passed for check in dropout.judge("", np.asarray(counts, float), blur, N, rate)}


def drawn(rate: float, shape: tuple[int, int] = (12, 60)) -> Any:
    return np.random.default_rng(0).binomial(N, 1 - rate, shape)


def test_a_correct_dropout_passes_all_three_checks(workload: Workload, data: Data, tmp_path: Path) -> None:
    """The oracle's own dropout is counted right: whole numbers, the rate, the spread of independent draws."""
    made = check_masks(workload, data, tmp_path)
    assert list(made) == ["dropout scale", "dropout rate", "dropout spread"]
    assert all(check.passed for check in made.values())
    assert made["dropout scale"].figure < made["dropout scale"].limit / 100


def test_each_dropout_is_looked_at_alone(workload: Workload, data: Data, tmp_path: Path) -> None:
    """Of several, the others are at rate 0 meanwhile; each has its own rate and its own made."""
    several = (
        Dropout(0.1),
        Dense(30, "tanh"),
        Dropout(0.5),
        Dropout(0.3),
        Dense(20, "sigmoid"),
        Dropout(0.8),
        Dense(10),
    )
    made = check_masks(replace(workload, layers=several), data, tmp_path)
    assert [name for name in made if "scale" in name] == [f"dropout scale at {n}" for n in (0, 2, 3, 5)]
    assert all(check.passed for check in made.values())


def test_before_a_convolution_nothing_can_be_counted(workload: Workload, data: Data, tmp_path: Path) -> None:
    """The check says so instead of passing in silence."""
    network = (Conv(2, 3), Dropout(0.5), Conv(2, 3), Pool(2), Dropout(0.5), Dense(10))
    made = check_masks(replace(workload, layers=network), data, tmp_path)
    assert made["dropout at 1"].note == "not shown: masks can only be counted where a dense layer follows"
    assert made["dropout scale at 4"].passed


def test_without_gradients_there_are_no_masks_to_see(workload: Workload, data: Data, tmp_path: Path) -> None:
    """The reason is that of the gradients' check."""
    (check,) = check_masks(workload, data, tmp_path, unseen="not shown: only Adam here").values()
    assert (check.passed, check.note) == (True, "not shown: only Adam here")


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_independent_draws_at_the_rate_pass(rate: float) -> None:
    """Counts of a binomial distribution, as a correct dropout gives them."""
    assert judge(drawn(rate), rate) == {"dropout scale": True, "dropout rate": True, "dropout spread": True}


@pytest.mark.parametrize(
    ("counts", "check"),
    [
        (drawn(0.5) * 1.001, "dropout scale"),
        (drawn(0.5) * 2.0, "dropout scale"),
        (drawn(0.47), "dropout rate"),
        (np.full((12, 60), N // 2), "dropout spread"),
        (np.random.default_rng(1).choice([0, N], (12, 60)), "dropout spread"),
        (np.repeat(drawn(0.5, (1, 60)), 12, axis=0), "dropout spread"),
    ],
    ids=["scale", "kept twice", "rate", "never dropped", "one mask a batch", "one mask for all steps"],
)
def test_a_dropout_of_another_kind_is_refused(counts: Any, check: str) -> None:
    """Each mistake shows on the check that looks at it."""
    assert not judge(counts, 0.5)[check]

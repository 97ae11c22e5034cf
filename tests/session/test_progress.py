"""The estimate of what is left."""

from dataclasses import replace

import pytest
from synthetic import result

from bench.data import tutorials
from bench.session import progress


def test_time_left_is_what_each_kind_has_taken() -> None:
    """A kind that has not run yet takes as much longer than guessed as the others did; before any, nothing is said."""
    quick, slow, new = (result(name).cell for name in ("matched-quick", "matched-slow", "matched-new"))
    seconds = {progress.kind(quick): [1.0, 3.0], progress.kind(slow): [10.0]}
    assert progress.time_left([quick, quick, slow], seconds) == 2 + 2 + 10
    assert progress.time_left([new], seconds) == pytest.approx(6)
    dear = result("matched-new", workload=tutorials.networks()["cnn-32-64"]).cell
    assert progress.time_left([dear], seconds) > 6 * 20
    assert progress.time_left([], seconds) == 0
    assert progress.time_left([quick], {}) is None


def test_what_trains_no_epochs_is_not_guessed_by_them() -> None:
    """A floor or a sweep takes as long whatever the number of epochs."""
    for role in progress.ROUGHLY_S:
        cell = result("floor-numpy", role=role).cell
        few, many = (progress.kind(replace(cell, epochs=epochs)) for epochs in (1, 100))
        assert progress.guess(few) == progress.guess(many) == progress.ROUGHLY_S[role]

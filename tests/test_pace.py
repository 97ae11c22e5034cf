"""The estimate of what is left."""

import pytest
from synthetic import result

from bench import pace, workloads


def test_time_left_is_what_each_kind_has_taken() -> None:
    """A kind that has not run yet takes as much longer than guessed as the others did; before any, nothing is said."""
    quick, slow, new = (result(name).cell for name in ("matched-quick", "matched-slow", "matched-new"))
    seconds = {pace.kind(quick): [1.0, 3.0], pace.kind(slow): [10.0]}
    assert pace.time_left([quick, quick, slow], seconds) == 2 + 2 + 10
    assert pace.time_left([new], seconds) == pytest.approx(6)
    dear = result("matched-new", workload=workloads.load()["cnn-32-64"]).cell
    assert pace.time_left([dear], seconds) > 6 * 20
    assert pace.time_left([], seconds) == 0
    assert pace.time_left([quick], {}) is None


def test_what_trains_no_epochs_is_not_guessed_by_them() -> None:
    """A floor or a sweep takes as long whatever the number of epochs."""
    for role in pace.ROUGHLY_S:
        few, many = (pace.kind(result("floor-numpy", role=role, epochs=epochs).cell) for epochs in (1, 100))
        assert pace.guess(few) == pace.guess(many) == pace.ROUGHLY_S[role]

"""The gate refuses planted mistakes and lets correct programs pass."""

import numpy as np
import pytest

from bench.data import download, mnist, tutorials
from bench.store.records.verification import Check
from bench.verification import checks, samples
from bench.verification.candidate import Candidate
from impls.contract import Unavailable
from impls.oracle import training
from impls.oracle.training import Implementation
from impls.workload import Conv, Dense, Pool


@pytest.fixture(scope="module")
def data():
    return mnist.load(download.find())


@pytest.fixture
def workload():
    return tutorials.networks()["mlp-128-64"]


@pytest.fixture(scope="module")
def verify(data, tmp_path_factory):
    """``verify(make, workload)``: the checks by name; the oracle is asked once for all tests that ask it the same.

    Whole epochs are short here.
    """
    shared = tmp_path_factory.mktemp("oracle")
    short = checks.replace(data, x_train=data.x_train[:3000], y_train=data.y_train[:3000])

    def verify(make, workload, seed=0, deep=False, cache=shared):
        candidate = Candidate.of(make, "cpu", seed, cache)
        return {check.name: check for check in checks.verify(candidate, workload, short, deep)}

    return verify


def test_oracle_passes_its_own_gate(verify, workload):
    """The oracle as an implementation passes every check, all but one with a figure."""
    made = verify(Implementation, workload, deep=True)
    assert all(check.passed for check in made.values())
    assert [name for name, check in made.items() if check.figure is None] == ["weights", "fresh start"]


def test_limits_are_measured_not_fixed(verify, workload):
    """The gradients' limit follows what float32 does to this network's gradients, and so differs between samples."""
    limits = {verify(Implementation, workload, seed)["gradients"].limit for seed in (0, 1)}
    assert len(limits) == 2
    assert all(0 < limit < 1e-4 for limit in limits)


def test_program_without_sgd_passes_with_a_note(verify, workload):
    """Who cannot be asked for gradients says so, and the check says that it showed nothing."""

    class OnlyAdam(Implementation):
        def __init__(self, workload, device, seed):
            if workload.optimiser.kind != "adam":
                raise Unavailable("only Adam here")
            super().__init__(workload, device, seed)

    check = verify(OnlyAdam, workload)["gradients"]
    assert check == Check("gradients", None, None, True, "not shown: only Adam here")


def test_program_with_adam_for_everything_passes_with_a_note(verify, workload):
    """A program that ignores the workload's optimiser does document 1's work all the same."""
    own = workload.optimiser

    class AlwaysAdam(Implementation):
        def __init__(self, workload, device, seed):
            super().__init__(checks.replace(workload, optimiser=own), device, seed)

    check = verify(AlwaysAdam, workload)["gradients"]
    assert check.passed
    assert check.note == "not shown: it trains with Adam whatever the workload says"


def test_wrong_shape_of_logits_is_named(verify, workload):
    """Logits of another shape fail their check with both shapes in the note."""

    class Transposed(Implementation):
        def predict(self):
            return super().predict().T

    check = verify(Transposed, workload)["logits"]
    assert not check.passed
    assert check.note == "predict() has shape (10, 1301), expected (1301, 10)"


def test_without_float64_the_lock_step_says_that_it_shows_nothing(verify, workload):
    """A program that declares float32 alone is not asked for more."""

    class Narrow(Implementation):
        dtypes = ("float32",)

    check = verify(Narrow, workload, deep=True)["100 steps in float64"]
    assert check == Check("100 steps in float64", None, None, True, "not shown: it declares no float64")


def test_program_that_lacks_float64_for_this_network_says_so(verify, workload):
    """It may be able to in general; the check has its reason."""

    class NotThisOne(Implementation):
        def __init__(self, workload, device, seed):
            if workload.dtype == "float64":
                raise Unavailable("no float64 for relu")
            super().__init__(workload, device, seed)

    check = verify(NotThisOne, workload, deep=True)["100 steps in float64"]
    assert check == Check("100 steps in float64", None, None, True, "not shown: no float64 for relu")


def test_oracle_is_asked_once_for_all_who_run_the_same_equation(verify, workload, tmp_path, monkeypatch):
    """The second candidate finds the trajectories and the images in the cache, and gets the answer of one without a cache."""
    first = verify(Implementation, workload, cache=tmp_path)
    assert verify(Implementation, workload, cache=None) == first
    monkeypatch.setattr("bench.verification.candidate.trajectories", None)
    monkeypatch.setattr("bench.verification.candidate.draw_steady_passes", None)
    assert verify(Implementation, workload, cache=tmp_path) == first


def test_costly_network_is_trained_for_fewer_steps(workload):
    """What the oracle cannot do in a second is done less often, but never without a second pass."""
    heavy = tutorials.networks()["cnn-32-64"]
    assert samples.affordable(workload, 20) == 20
    assert samples.affordable(heavy, 20) == 4
    assert samples.three_passes(heavy, 4) == [64, 32, 96]


def test_steady_takes_the_images_farthest_from_a_switch(data, workload):
    """No relu of the chosen images is nearer to its kink than those of the typical image."""
    rng = np.random.default_rng(3)
    weights = training.initial_weights(workload, rng)

    def nearest(images):
        _, activations = training.forward(workload, weights, workload.scale(data.x_train[images]))
        inputs = zip(activations[:-2], weights[:-1], strict=True)
        return np.min([np.abs(a @ kernel + bias).min(axis=1) for a, (kernel, bias) in inputs], axis=0)

    chosen = samples.draw_steady(workload, weights, data, rng, 64)
    assert nearest(chosen).min() > np.median(nearest(np.arange(200)))


def test_margin_looks_at_poolings_too(data, workload):
    """Where a pooling is about to choose another pixel, an image is as unfit as where a relu is about to switch."""
    pooled = checks.replace(workload, layers=(Conv(3, 3, 1), Pool(2), Dense(10)))
    weights = training.initial_weights(pooled, np.random.default_rng(0))
    x = pooled.scale(data.x_train[:3])
    _, activations = training.forward(pooled, weights, x)
    squares = activations[1].reshape(3, 14, 2, 14, 2, 3).transpose(0, 1, 3, 5, 2, 4).reshape(3, -1, 4)
    best = np.sort(squares, axis=-1)
    gaps = best[..., 3] - best[..., 2]
    expected = np.where(gaps < 1e-12, np.inf, gaps).min(axis=1)
    np.testing.assert_allclose(samples.margin(pooled, weights, x), expected, rtol=1e-9)


def test_passes_are_stored_in_another_order_than_they_are_trained_on(data, workload, tmp_path):
    """A shuffled pass visits in `order` the very images that an unshuffled one stores one after the other."""
    images = [np.random.default_rng(1).integers(60_000, size=100)]
    plain, shuffled = (
        samples.store_passes(workload, data, np.random.default_rng(5), tmp_path / str(mixed), images, mixed)[0]
        for mixed in (False, True)
    )
    assert not np.array_equal(shuffled.order, np.arange(100))
    assert np.array_equal(shuffled.data.x_train[shuffled.order], plain.data.x_train[plain.order])
    assert np.array_equal(plain.data.x_train, data.x_train[images[0]])

"""The gate refuses planted mistakes and lets correct programs pass."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mutants import MISTAKES

from bench import equivalence, fetch, mnist, workloads
from bench.records import Rung
from impls import reference
from impls.contract import Unavailable

SEEDS = 5
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def answers():
    """The rungs that each mutant failed, all climbed in one child, since importing PyTorch takes longer than a climb."""
    done = subprocess.run(
        [sys.executable, "tests/mutants.py", str(SEEDS)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def data():
    return mnist.load(fetch.find())


@pytest.fixture
def workload():
    return workloads.load()["mlp-128-64"]


def climb(make, workload, data, seed=0, form=("pytorch", 1e-8)):
    return {rung.name: rung for rung in equivalence.climb(make, form, workload, "cpu", data, seed)}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_planted_mistake_is_refused(mistake, answers):
    """A program with this one mistake fails at least one rung."""
    assert answers[mistake]


@pytest.mark.parametrize(
    ("mistake", "rung"),
    [
        ("epsilon 1e-7", "one step"),
        ("epsilon form", "one step"),
        ("missing bias", "weights"),
        ("softmax twice", "gradients"),
        ("sum instead of mean", "gradients"),
        ("last batch dropped", "20 steps"),
        ("images shuffled without labels", "gradients"),
        ("learning rate 1 % off", "one step"),
        ("layers swapped", "weights"),
        ("new optimiser every epoch", "20 steps"),
        ("bfloat16 prediction", "logits"),
        ("prediction kept", "logits after training"),
        ("loss of the last batch", "mean loss of 20 steps"),
    ],
)
def test_mistake_is_caught_where_it_belongs(mistake, rung, answers):
    """The rung that looks at this part of the work is among those that fail."""
    assert rung in answers[mistake]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_correct_program_passes_for_every_seed(seed, answers):
    """Other start weights, samples and orders do not make a correct program fail."""
    assert answers[f"seed {seed}"] == []


def test_oracle_passes_its_own_gate(data, workload):
    """The oracle as an implementation passes every rung, all but one with a figure."""
    rungs = climb(reference.Implementation, workload, data)
    assert all(rung.passed for rung in rungs.values())
    assert [name for name, rung in rungs.items() if rung.figure is None] == ["weights"]


def test_limits_are_measured_not_fixed(data, workload):
    """The gradients' limit follows what float32 does to this network's gradients, and so differs between samples."""
    limits = {climb(reference.Implementation, workload, data, seed)["gradients"].limit for seed in (0, 1)}
    assert len(limits) == 2
    assert all(0 < limit < 1e-4 for limit in limits)


def test_program_without_sgd_passes_with_a_note(data, workload):
    """Who cannot be asked for gradients says so, and the rung says that it showed nothing."""

    class OnlyAdam(reference.Implementation):
        def __init__(self, workload, device, seed):
            if workload.optimiser.kind != "adam":
                raise Unavailable("only Adam here")
            super().__init__(workload, device, seed)

    rung = climb(OnlyAdam, workload, data)["gradients"]
    assert rung == Rung("gradients", None, None, True, "not shown: only Adam here")


def test_program_with_adam_for_everything_passes_with_a_note(data, workload):
    """A program that ignores the workload's optimiser does document 1's work all the same."""
    own = workload.optimiser

    class AlwaysAdam(reference.Implementation):
        def __init__(self, workload, device, seed):
            super().__init__(equivalence.replace(workload, optimiser=own), device, seed)

    rung = climb(AlwaysAdam, workload, data)["gradients"]
    assert rung.passed
    assert rung.note == "not shown: it trains with Adam whatever the workload says"


def test_wrong_shape_of_logits_is_named(data, workload):
    """Logits of another shape fail their rung with both shapes in the note."""

    class Transposed(reference.Implementation):
        def predict(self):
            return super().predict().T

    rung = climb(Transposed, workload, data)["logits"]
    assert not rung.passed
    assert rung.note == "predict() has shape (10, 1301), expected (1301, 10)"


def test_steady_takes_the_images_farthest_from_a_switch(data, workload):
    """No relu of the chosen images is nearer to its kink than those of the typical image."""
    rng = np.random.default_rng(3)
    weights = reference.initial_weights(workload, rng)

    def nearest(images):
        _, activations = reference.forward(workload, weights, workload.scale(data.x_train[images]))
        inputs = zip(activations[:-2], weights[:-1], strict=True)
        return np.min([np.abs(a @ kernel + bias).min(axis=1) for a, (kernel, bias) in inputs], axis=0)

    chosen = equivalence.steady(workload, weights, data, rng, 64)
    assert nearest(chosen).min() > np.median(nearest(np.arange(200)))


def test_lessons_are_stored_in_another_order_than_they_are_taught(data, workload, tmp_path):
    """A shuffled lesson visits in `order` the very images that an unshuffled one stores one after the other."""
    weights = reference.initial_weights(workload, np.random.default_rng(0))
    plain, shuffled = (
        equivalence.lessons(
            workload, ("pytorch", 1e-8), weights, data, np.random.default_rng(5), tmp_path / str(mixed), [100], mixed
        )[0]
        for mixed in (False, True)
    )
    assert not np.array_equal(shuffled.order, np.arange(100))
    assert np.array_equal(shuffled.data.x_train[shuffled.order][:64], plain.data.x_train[plain.order][:64])

"""Verification refuses programs with one planted mistake each."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mutants import ALL, networks

SEEDS = 2
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def answers():
    """The checks that each mutant failed, all made in one child, since importing PyTorch takes longer than the checks."""
    done = subprocess.run(
        [sys.executable, "tests/mutants.py", str(SEEDS)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.process
@pytest.mark.parametrize("mistake", ALL)
def test_planted_mistake_is_refused(mistake, answers):
    """A program with this one mistake fails at least one check."""
    assert answers[mistake]


@pytest.mark.process
@pytest.mark.parametrize(
    ("mistake", "check"),
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
        ("evaluation in training mode", "logits"),
        ("weights not reset", "fresh start"),
        ("float16 training", "gradients"),
        ("learning rate a millionth off", "100 steps in float64"),
        ("beta 0.9990001", "100 steps in float64"),
        ("epsilon 1.1e-8", "100 steps in float64"),
        ("loss in float32", "100 steps in float64"),
        ("rate halved after 30 steps", "loss of 150 steps"),
        ("dropout never applied", "dropout spread"),
        ("dropout 0.4 for 0.5", "dropout scale"),
        ("dropout not scaled", "dropout scale"),
        ("dropout scaled by its rate", "dropout scale"),
        ("one mask for the batch", "dropout spread"),
        ("the same mask in every step", "dropout spread"),
        ("dropout in prediction", "logits with dropout"),
        ("one mask for all units", "dropout rate"),
        ("no dropout after a prediction", "dropout spread"),
        ("momentum ignored", "20 steps"),
        ("Nesterov", "one step"),
        ("kernel turned", "weights"),
        ("channels first where they are last", "weights"),
        ("average for the largest", "logits"),
    ],
)
def test_mistake_is_caught_where_it_belongs(mistake, check, answers):
    """The check that looks at this part of the work is among those that fail."""
    assert check in answers[mistake]


@pytest.mark.process
@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("network", networks())
def test_correct_program_passes_for_every_seed(network, seed, answers):
    """Other start weights, samples and orders do not make a correct program fail."""
    assert answers[f"{network} {seed}"] == []


@pytest.mark.process
@pytest.mark.parametrize("mistake", networks()["IN_FLOAT64"][0])
def test_smallest_mistakes_show_in_the_deep_checks_only(mistake, answers):
    """What float32 cannot tell from rounding is what the long checks are for."""
    assert set(answers[mistake]) <= {"100 steps in float64", "loss of 150 steps"}

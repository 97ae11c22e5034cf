"""What matched Keras answers for one image, by another call than for many: the same, on each backend."""

import os
import subprocess
import sys

import pytest

from impls.registry import BUILT_IN

pytestmark = pytest.mark.process

COMPARED = """
from pathlib import Path

import numpy as np

from impls.contract import Data
from impls.matched.keras import Implementation
from impls.workload import SGD, Dense, Dropout, Workload

layers = (Dense(12, "relu"), Dropout(0.5), Dense(10))
built = Implementation(Workload("tiny", 0, layers, 0.0, 1.0, 4, 50, 2, SGD(0.05, 0.9)), "cpu", 1)
images, labels = np.random.default_rng(1).integers(0, 256, (60, 28, 28)).astype(np.uint8), np.zeros(60, np.uint8)

def answer(number):
    built.load(Data(images, labels, images[:number], labels[:number], Path()))
    return built.predict(), built.switches["predict"]

many, by_many = answer(60)
one, by_one = answer(1)
assert (type(one), one.shape, one.dtype) == (np.ndarray, (1, 10), np.float32), (type(one), one.shape, one.dtype)
assert np.allclose(one[0], many[0], rtol=1e-4, atol=1e-5), (one[0], many[0])
print(by_many, by_one, sep="; ")
"""
KERAS = [entry for entry in BUILT_IN if entry.module == "impls.matched.keras"]


@pytest.mark.parametrize("entry", KERAS, ids=lambda entry: entry.name)
def test_one_image_is_answered_by_calling_the_model_and_many_by_predict(entry):
    """Without dropout and as NumPy's array, and the program says which call it was."""
    environment = os.environ | dict(entry.environment) | {"CUDA_VISIBLE_DEVICES": "-1", "KERAS_TORCH_DEVICE": "cpu"}
    command = [sys.executable, "-c", COMPARED]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.stdout.splitlines()[-1:] == ["model.predict(x); model(x, training=False)"], done.stderr

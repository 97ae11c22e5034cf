"""What `tuned-pytorch` compiles for one program is not run for another in the same process, though few guards are asked."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import TINY

from bench.data import mnist
from impls.workload import Adam

pytestmark = pytest.mark.process

pytest.importorskip("torch")
RATES = 1e-3, 1e-1


def test_two_programs_of_one_shape_keep_their_own_learning_rate(tiny_data: Path) -> None:
    """A step of Adam moves no weight by much more than the rate, and the first moves most by nearly as much."""
    from impls.tuned.pytorch import Implementation

    data = mnist.load(tiny_data)
    programs = [Implementation(replace(TINY, optimiser=Adam(rate)), "cpu", 0) for rate in RATES]
    start = [(np.zeros((784, 10), np.float32), np.zeros(10, np.float32))]
    for rate, program in zip(RATES, programs, strict=True):
        program.load(data)
        program.set_weights(start)
        program.train_epoch(np.arange(2 * TINY.batch_size))
        ((kernel, _),) = program.get_weights()
        assert rate < np.abs(kernel).max() < 2.01 * rate

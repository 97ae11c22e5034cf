"""Small random image sets, how torchvision reads them, and the one-line errors of what reads ours."""

import numpy as np
import pytest

from bench.errors import FcnBenchError


def small_set(n_train=6, n_test=3, seed=0):
    """A random set in the order that ``mnist.write`` takes."""
    random = np.random.default_rng(seed)
    images = [random.integers(0, 256, (n, 28, 28), dtype=np.uint8) for n in (n_train, n_test)]
    labels = [random.integers(0, 10, n, dtype=np.uint8) for n in (n_train, n_test)]
    return images[0], labels[0], images[1], labels[1]


def same(data, arrays):
    """Whether a ``Data`` holds these four arrays, bit for bit."""
    return all(
        np.array_equal(actual, expected) and actual.dtype == np.uint8
        for actual, expected in zip((data.x_train, data.y_train, data.x_test, data.y_test), arrays, strict=True)
    )


def as_torchvision_reads(root, train):
    """Images and labels from torchvision, imported here since the child processes of these tests need none of it."""
    from torchvision.datasets import MNIST

    theirs = MNIST(root, train=train, download=False)
    return theirs.data.numpy(), theirs.targets.numpy()


def error_of(call, *arguments):
    """The text of the FcnBenchError that the call raises, which must be one line."""
    with pytest.raises(FcnBenchError) as caught:
        call(*arguments)
    text = str(caught.value)
    assert "\n" not in text
    assert "expected" in text
    return text

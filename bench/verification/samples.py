"""What the gate trains on: data sets on disk, with an order in which to use them, as large as the oracle can afford."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.data import mnist
from impls.contract import Data, Form
from impls.oracle import layers, training
from impls.workload import Conv, Dense, Pool, Workload

COURSE_FLOPS = 2e10
"""What one course of the oracle may cost: networks that are dearer are trained for fewer steps."""
N_TEST = (1301, 131)
"""Primes: whatever the batch size, the last batch of the test set is not full. The second is for dear networks."""
SLICE = 64
"""Images of which the oracle keeps the activations at a time."""
AnyWeights = Any  # as in impls.oracle.training, float32 or float64
Floats = NDArray[np.floating[Any]]
Images = NDArray[np.int64]
"""Indices into the training set."""


@dataclass(frozen=True)
class Lesson:
    """A data set and the order in which to train on it once."""

    data: Data
    order: NDArray[np.int64]


def affordable(workload: Workload, steps: int, least: int = 4) -> int:
    """``steps``, or as many as a course may cost, but not fewer than ``least``."""
    return max(least, min(steps, int(COURSE_FLOPS / (workload.flops * workload.batch_size))))


def dear(workload: Workload) -> bool:
    """Whether the oracle takes so long for this network that fewer samples have to do."""
    return workload.flops * N_TEST[0] > COURSE_FLOPS


def three_passes(workload: Workload, steps: int) -> list[int]:
    """Images of three passes that together take ``steps`` steps: one whole batch, then two that end in half a batch."""
    batch, second = workload.batch_size, (steps - 1) // 2
    half = (batch + 1) // 2
    return [batch, (second - 1) * batch + half, (steps - 2 - second) * batch + half]


def steady_passes(
    workload: Workload, form: Form, weights: AnyWeights, data: Data, rng: np.random.Generator, sizes: list[int]
) -> list[Images]:
    """Training images for passes of ``sizes`` images, in the order in which to train on them.

    Each batch is chosen on the way, of images on which no relu and no pooling of the oracle is about to switch:
    rounding must not decide for it, since one switch in the last digit sets two correct programs apart for good.
    """
    passes, state = [], None
    for n in sizes:
        chosen = []
        for start in range(0, n, workload.batch_size):
            batch = steady(workload, weights, data, rng, min(workload.batch_size, n - start))
            x, in_order = workload.scale(data.x_train[batch]), np.arange(len(batch))
            weights, _, state = training.train_steps(workload, weights, x, data.y_train[batch], in_order, *form, state)
            chosen.append(batch)
        passes.append(np.concatenate(chosen))
    return passes


def lessons(
    workload: Workload, data: Data, rng: np.random.Generator, folder: Path, passes: list[Images], shuffled: bool
) -> list[Lesson]:
    """A data set of the images of each pass, on disk for those who read it there.

    They are stored as they are to be used or, where ``shuffled``, in another order, with one that restores it.
    """
    return [lesson(workload, data, rng, folder / str(n), images, shuffled) for n, images in enumerate(passes)]


def lesson(
    workload: Workload, data: Data, rng: np.random.Generator, folder: Path, images: Images, shuffled: bool
) -> Lesson:
    """The data set of one pass."""
    order = rng.permutation(len(images)) if shuffled else np.arange(len(images))
    stored, test = np.empty_like(images), rng.integers(len(data.y_test), size=N_TEST[dear(workload)])
    stored[order] = images
    mnist.write(folder, data.x_train[stored], data.y_train[stored], data.x_test[test], data.y_test[test])
    return Lesson(mnist.load(folder), order)


def steady(workload: Workload, weights: AnyWeights, data: Data, rng: np.random.Generator, n: int) -> Images:
    """``n`` training images, the ones among more on which everything is farthest from where it switches."""
    pool = rng.integers(len(data.y_train), size=2 * n + (0 if dear(workload) else 200))
    slices = [pool[start : start + SLICE] for start in range(0, len(pool), SLICE)]
    margins = [margin(workload, weights, workload.scale(data.x_train[part])) for part in slices]
    best: Images = pool[np.argsort(-np.concatenate(margins), kind="stable")[:n]]
    return best


def margin(workload: Workload, weights: AnyWeights, x: Floats) -> Floats:
    """For each image, how far the nearest relu is from its kink and the nearest pooling from choosing another pixel.

    Pixels that are equal do not count: they come of equal surroundings, whose gradient is the same.
    """
    nearest, out, kernels = np.full(len(x), np.inf), x.astype(np.float64), iter(weights)
    for layer in workload.layers:
        gaps = np.empty(0)
        if isinstance(layer, Dense | Conv):
            kernel, bias = (array.astype(np.float64) for array in next(kernels))
            before, _ = layers.weighted(replace(layer, activation="linear"), out, kernel, bias)
            out = layers.ACTIVATIONS[layer.activation][0](before)
            gaps = np.abs(before) if layer.activation == "relu" else gaps
        elif isinstance(layer, Pool):
            second, best = np.moveaxis(np.partition(layers.squares(layer, out), (-2, -1), axis=-1)[..., -2:], -1, 0)
            gaps, out = best - second, best
            gaps[gaps < 1e-12] = np.inf
        if gaps.size:
            nearest = np.minimum(nearest, gaps.reshape(len(x), -1).min(axis=1))
    return nearest

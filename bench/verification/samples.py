"""What a verification trains on: small data sets on disk, each with an order."""

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
"""Floating-point operations of one trajectory: costlier networks are trained for fewer steps."""
N_TEST = (1301, 131)
"""Test images; primes, so that the last batch is never full. The second is for costly networks."""
SLICE = 64
"""Images whose activations the oracle keeps at a time."""
AnyWeights = Any  # as in impls.oracle.training, float32 or float64
Floats = NDArray[np.floating[Any]]
Images = NDArray[np.int64]
"""Indices into the training set."""


@dataclass(frozen=True)
class StoredPass:
    """The data set of one pass over it, and its order."""

    data: Data
    order: NDArray[np.int64]


def affordable(workload: Workload, steps: int, least: int = 4) -> int:
    """``steps``, or fewer where they cost too much, but at least ``least``."""
    return max(least, min(steps, int(COURSE_FLOPS / (workload.flops * workload.batch_size))))


def is_costly(workload: Workload) -> bool:
    """Whether the oracle is so slow for this network that fewer samples have to do."""
    return workload.flops * N_TEST[0] > COURSE_FLOPS


def three_passes(workload: Workload, steps: int) -> list[int]:
    """Images of three passes of ``steps`` steps in all: one whole batch, then two passes that end in half a batch."""
    batch, second = workload.batch_size, (steps - 1) // 2
    half = (batch + 1) // 2
    return [batch, (second - 1) * batch + half, (steps - 2 - second) * batch + half]


def draw_steady_passes(
    workload: Workload, form: Form, weights: AnyWeights, data: Data, rng: np.random.Generator, sizes: list[int]
) -> list[Images]:
    """Training images for passes of ``sizes`` images, in their order.

    The oracle is trained meanwhile, and each batch is drawn from images for which no relu and no pooling of it is about
    to switch: a switch that rounding decides sets two correct programs apart for good.
    """
    passes, state = [], None
    for n in sizes:
        chosen = []
        for start in range(0, n, workload.batch_size):
            batch = draw_steady(workload, weights, data, rng, min(workload.batch_size, n - start))
            x, in_order = workload.scale(data.x_train[batch]), np.arange(len(batch))
            weights, _, state = training.train_steps(workload, weights, x, data.y_train[batch], in_order, *form, state)
            chosen.append(batch)
        passes.append(np.concatenate(chosen))
    return passes


def store_passes(
    workload: Workload, data: Data, rng: np.random.Generator, folder: Path, passes: list[Images], shuffled: bool
) -> list[StoredPass]:
    """The images of each pass as a data set on disk, in their order or, where ``shuffled``, in one that is drawn."""
    return [store_pass(workload, data, rng, folder / str(n), images, shuffled) for n, images in enumerate(passes)]


def store_pass(
    workload: Workload, data: Data, rng: np.random.Generator, folder: Path, images: Images, shuffled: bool
) -> StoredPass:
    """As :func:`store_passes`, for one."""
    order = rng.permutation(len(images)) if shuffled else np.arange(len(images))
    stored, test = np.empty_like(images), rng.integers(len(data.y_test), size=N_TEST[is_costly(workload)])
    stored[order] = images
    mnist.write(folder, data.x_train[stored], data.y_train[stored], data.x_test[test], data.y_test[test])
    return StoredPass(mnist.load(folder), order)


def draw_steady(workload: Workload, weights: AnyWeights, data: Data, rng: np.random.Generator, n: int) -> Images:
    """``n`` training images: of a larger draw those for which every unit is farthest from a switch."""
    pool = rng.integers(len(data.y_train), size=2 * n + (0 if is_costly(workload) else 200))
    slices = [pool[start : start + SLICE] for start in range(0, len(pool), SLICE)]
    margins = [margin(workload, weights, workload.scale(data.x_train[part])) for part in slices]
    best: Images = pool[np.argsort(-np.concatenate(margins), kind="stable")[:n]]
    return best


def margin(workload: Workload, weights: AnyWeights, x: Floats) -> Floats:
    """For each image, how near a relu is to its kink, or a pooling to choosing another pixel, ``[n]``.

    Equal pixels do not count: their surroundings are equal, and so are the gradients.
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

"""The sweep in the worker: each point a network of its own, built, loaded and trained for a few short epochs.

What lies between two readings of the clock is what lies there when an epoch is measured (:mod:`bench.measure`).
"""

import gc
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bench import measure
from bench.measure import Clock
from bench.points import SweepPoint, points
from impls.contract import Data, Implementation, Workload
from impls.reference import initial_weights

FEWEST, MOST, ENOUGH_S = 5, 20, 0.5
"""How often a point's call is repeated: until so many seconds are full, but within these numbers."""


def drawn(base: Workload, n_train: int, seed: int) -> list[tuple[Workload, SweepPoint]]:
    """The points of a sweep in the order in which to measure them, which the seed draws."""
    found = list(points(base, n_train))
    return [found[i] for i in np.random.default_rng([seed, 5]).permutation(len(found))]


def order(n_train: int, images: int, seed: int, shuffle: bool = True) -> NDArray[np.int64]:
    """What a call trains on: the beginning of an epoch's permutation, int64 ``[images]``.

    Where a point asks for more images than there are, they come again from the beginning, so that all batches are full.
    """
    whole = np.random.default_rng([seed, 1]).permutation(n_train) if shuffle else np.arange(n_train)
    return np.resize(whole, images)


def measured(
    make: Callable[[Workload, str, int], Implementation],
    workload: Workload,
    point: SweepPoint,
    data: Data,
    device: str,
    seed: int,
    clock: Clock = time.perf_counter_ns,
) -> SweepPoint:
    """The point with its times. Whatever the implementation raises comes through."""
    gc.collect()  # the network before may hold itself in a circle, and its data with it
    implementation = make(workload, device, seed)
    implementation.load(data)
    implementation.set_weights(initial_weights(workload, np.random.default_rng([seed, 0])))
    images = order(len(data.y_train), point.images, seed, workload.shuffle)
    _, first_s, _ = measure.train(implementation, images, clock, clock)
    seconds: list[float] = []
    while len(seconds) < FEWEST or (len(seconds) < MOST and sum(seconds) < ENOUGH_S):
        seconds.append(measure.train(implementation, images, clock, clock)[1])
    return replace(point, first_s=first_s, seconds=tuple(seconds))

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
from bench.program import batch_orders
from impls.contract import Data, Implementation, Workload
from impls.reference import initial_weights

FEWEST, MOST, ENOUGH_S = 5, 20, 0.5
"""How often a point's call is repeated: until so many seconds are full, but within these numbers."""


def drawn(base: Workload, n_train: int, seed: int) -> list[tuple[Workload, SweepPoint]]:
    """The points of a sweep in the order in which to measure them, which the seed draws."""
    found = list(points(base, n_train))
    return [found[i] for i in np.random.default_rng([seed, 5]).permutation(len(found))]


def order(workload: Workload, n_train: int, images: int, seed: int) -> NDArray[np.int64]:
    """What a call trains on: the beginning of the first epoch's order, int64 ``[images]``.

    Where a point asks for more images than there are, they come again from the beginning, so that all batches are full.
    """
    return np.resize(next(batch_orders(workload, n_train, 1, seed)), images)


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
    images = order(workload, len(data.y_train), point.images, seed)
    _, first_s, _ = measure.train(implementation, images, clock, clock)
    seconds = measure.repeated(lambda: measure.train(implementation, images, clock, clock)[1], FEWEST, MOST, ENOUGH_S)
    return replace(point, first_s=first_s, seconds=seconds)

"""Time short trainings of networks of other batch sizes and widths."""

import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.data import mnist
from bench.store.records.sweep import SweepPoint
from bench.worker import channel, timing
from bench.worker.messages import Send, Versions
from bench.worker.program import TimedProgram, loaded_versions
from bench.worker.requests import Sweep
from bench.worker.timing import Clock
from impls.contract import Data, Implementation, Unavailable, declared
from impls.oracle.training import initial_weights
from impls.workload import Conv, Pool, Workload

FEWEST, MOST, ENOUGH_S = 5, 20, 0.5
"""How often a point's call is repeated: until so many seconds are full, but within these numbers."""
BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
WIDTHS = (32, 128, 512, 2048)
"""Units of the first hidden layer; the others keep their proportion to it."""
STEPS, ARITHMETIC = 200, 2e10
"""A call has at most so many steps, and roughly so many floating-point operations: no call lasts many seconds."""


def drawn(base: Workload, n_train: int, seed: int) -> list[tuple[Workload, SweepPoint]]:
    """The points of a sweep in the order in which to measure them, which the seed draws."""
    found = list(points(base, n_train))
    return [found[i] for i in np.random.default_rng([seed, 5]).permutation(len(found))]


def order(workload: Workload, n_train: int, images: int, seed: int) -> NDArray[np.int64]:
    """What a call trains on: the beginning of the first epoch's order, int64 ``[images]``.

    Where a point asks for more images than there are, they come again from the beginning, so that all batches are full.
    """
    return np.resize(next(timing.batch_orders(workload, n_train, seed)), images)


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
    _, first_s, _ = timing.train(implementation, images, clock, clock)
    seconds = timing.repeated(lambda: timing.train(implementation, images, clock, clock)[1], FEWEST, MOST, ENOUGH_S)
    return replace(point, first_s=first_s, seconds=seconds)


def points(base: Workload, n_train: int) -> Iterator[tuple[Workload, SweepPoint]]:
    """The networks of a sweep over ``base``, each once, with the points that say what is to be measured of them."""
    width = base.width
    made = [(base.with_batch_size(size), False) for size in sorted({*BATCHES, base.batch_size})]
    if width is not None:
        made += [(base.with_width(units), False) for units in sorted({*WIDTHS} - {width})]
        if base.batch_size != 1 and width != WIDTHS[0]:
            made.append((base.with_batch_size(1).with_width(WIDTHS[0]), False))
        if not any(isinstance(layer, Conv | Pool) for layer in base.layers):
            made.append((base.with_batch_size(1).with_width(1), True))
    for workload, held_out in made:
        steps = affordable(workload, min(STEPS, -(-n_train // base.batch_size)))
        size = workload.batch_size
        yield (
            workload,
            SweepPoint(size, workload.width, workload.parameters, workload.flops, steps * size, steps, held_out),
        )


def affordable(workload: Workload, most: int) -> int:
    """How many steps a call takes: the ``most``, unless that is too much arithmetic; at least one."""
    return max(1, min(most, round(ARITHMETIC / (workload.flops * workload.batch_size))))


def run(request: Sweep, send: Send) -> None:
    """Import, then build and train one network after the other; what one of them raises ends that one alone.

    Where none can be trained the cell ends as the last of them did.
    """
    program = TimedProgram(request.entry, request.task, send, Path(request.task.scratch))
    program.import_()
    if not declared(program.make, "takes_order"):
        raise Unavailable("it takes no order, so that it cannot be asked for a few steps")
    task, any_measured = request.task, False
    data = mnist.load(Path(task.data))
    for workload, point in drawn(task.workload, len(data.y_train), task.seed):
        with channel.ending(request.entry.packages) as end:
            point = measured(program.make, workload, point, data, task.device_kind, task.seed)
        any_measured |= end.status == "ok"
        send(replace(point, reason=end.reason))
    send(Versions(loaded_versions(request.entry.packages)))
    if not any_measured:
        raise (Unavailable if end.status == "skipped" else RuntimeError)(f"no point of it: {end.reason}")

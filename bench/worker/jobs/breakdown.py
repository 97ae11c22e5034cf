"""Where an epoch's time goes: the passes of a program, each of which does one thing more, timed round by round.

The programs are those of ``impls/breakdown``. Raw seconds leave this process; what they say of the stages is found in
:mod:`bench.report.chapters.breakdown.stages`.
"""

import importlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.data import mnist
from bench.store.records.breakdown import PASSES
from bench.worker.messages import BreakdownImages, BreakdownRound, Send, Versions
from bench.worker.program import loaded_versions
from bench.worker.requests import BreakDown
from impls.contract import Data
from impls.environment import kind
from impls.workload import Workload

Passes = Mapping[str, Callable[[], Any]]
FEWEST, ARITHMETIC = 10, 1e11
"""A pass has so many floating-point operations at most, but no fewer than ``FEWEST`` batches: a convolutional network
is dissected over fewer images, not for longer.
"""


def run(request: BreakDown, send: Send) -> None:
    """Time every pass in each of the rounds, one after the other, and report what each took."""
    workload, data = request.workload, mnist.load(Path(request.data))
    program = importlib.import_module(request.entry.module)
    with TemporaryDirectory(prefix="fcnbench-breakdown-", dir=request.scratch or None) as folder:
        own = part(data, workload, program.BATCHES, Path(folder))
        passes, sync = program.passes(workload, kind(request.device), own)
        images = len(data.y_train)
        send(Versions(loaded_versions(request.entry.packages)))
        send(BreakdownImages(len(own.y_train), images - round(workload.validation * images)))
        for seconds in rounds(program.ROUNDS, passes, sync, time.perf_counter):
            send(BreakdownRound(seconds))


def part(data: Data, workload: Workload, batches: int, folder: Path) -> Data:
    """The first training images, in ``batches`` full batches at most.

    They are written under ``folder``, for a program that reads its files itself. The test set is a batch of the test
    images: nothing is predicted.
    """
    size = workload.batch_size
    affordable = min(batches, int(ARITHMETIC / (workload.flops * size)))
    n = size * min(max(FEWEST, affordable), len(data.y_train) // size) or len(data.y_train)
    mnist.write(folder, data.x_train[:n], data.y_train[:n], data.x_test[:size], data.y_test[:size])
    return mnist.load(folder)


def rounds(
    number: int, passes: Passes, sync: Callable[[], None], clock: Callable[[], float]
) -> Iterator[dict[str, float]]:
    """Seconds of every pass in each of the rounds; the device is idle whenever the clock is read.

    Raises ValueError for a program whose passes are not :data:`bench.store.records.breakdown.PASSES`, in their order.
    """
    if tuple(passes) != PASSES:
        raise ValueError(f"passes {', '.join(passes)}, expected {', '.join(PASSES)}")
    for _ in range(number):
        seconds = {}
        for name, once in passes.items():
            sync()
            start = clock()
            once()
            sync()
            seconds[name] = clock() - start
        yield seconds

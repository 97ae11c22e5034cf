"""Table 1's questions, put to a framework in a process of its own: calls are counted, stops recorded, epochs timed.

The programs that are asked are those of ``impls/probes``. Raw counts and seconds leave this process; what they decide
is found in :mod:`bench.report.chapters.claims.rules`.
"""

import importlib
import inspect
import io
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import numpy as np

from bench.data import mnist
from bench.store.records.probe import Mode
from bench.worker import channel
from bench.worker.messages import DebuggingTools, DefaultMode, LostMode, Send, Versions
from bench.worker.program import loaded_versions
from bench.worker.requests import ProbeModes
from impls.contract import Data
from impls.workload import Workload

STEPS, FEWEST = 50, 10
ARITHMETIC = 1e11
"""Floating-point operations of an epoch, at most: a convolutional network is probed for fewer steps, not for longer."""
TIMED, DEBUGGED = 4, 2
"""Epochs with nothing of ours in the forward pass, and with a breakpoint there; the first of either traces."""
PRINTED = "fcnbench printed:"


@dataclass
class Visitor:
    """A Python function in the forward pass that a reader might put there: it stops at a breakpoint, and prints."""

    calls: int = 0

    def __call__(self, x: Any) -> None:
        """Count the call, stop at the breakpoint, print."""
        self.calls += 1
        breakpoint()
        print(PRINTED, x)


def run(request: ProbeModes, send: Send) -> None:
    """Answer for every mode of a framework; one that raises is lost with its reason, and the others go on."""
    probe, workload = importlib.import_module(request.entry.module), request.workload
    send(Versions(loaded_versions(request.entry.packages)))
    send(DefaultMode(probe.MODES[0]))
    data = part(mnist.load(Path(request.data)), workload)
    for mode in probe.MODES:
        try:
            send(of_mode(probe, mode, workload, data))
        except Exception as error:  # a framework may refuse a mode with whatever it likes: that is the answer
            send(LostMode(mode, f"{type(error).__name__}: {channel.message(error)}"))
    with TemporaryDirectory(prefix="fcnbench-tools-", dir=request.scratch or None) as folder:
        send(DebuggingTools(probe.tools(Path(folder))))


def part(data: Data, workload: Workload) -> Data:
    """The first training images: full batches, as many as an epoch of the probe has steps."""
    affordable = int(ARITHMETIC / (workload.flops * workload.batch_size))
    steps = min(STEPS, max(FEWEST, affordable), len(data.y_train) // workload.batch_size)
    images = steps * workload.batch_size
    return replace(data, x_train=data.x_train[:images], y_train=data.y_train[:images])


def of_mode(probe: ModuleType, mode: str, workload: Workload, data: Data) -> Mode:
    """What a mode makes of Python in the forward pass, and how long its epochs take without any."""
    order, graphs, seconds = np.arange(len(data.y_train)), list[Any](), []
    program = probe.program(workload, mode, nothing, graphs)
    program.load(data)
    for _ in range(TIMED):
        start = time.perf_counter()
        program.train_epoch(order)
        program.sync()
        seconds.append(time.perf_counter() - start)
    visitor, calls = Visitor(), []
    with redirect_stdout(io.StringIO()) as printed, stopping(probe) as stops:
        program = probe.program(workload, mode, visitor, [])
        program.load(data)
        before = visitor.calls
        for _ in range(DEBUGGED):
            called = visitor.calls
            program.train_epoch(order)
            calls.append(visitor.calls - called)
    return Mode(
        name=mode,
        steps=len(order) // workload.batch_size,
        before=before,
        calls=tuple(calls),
        prints=printed.getvalue().count(PRINTED),
        stops=len(stops),
        numbers=sum(has_number for _, has_number in stops),
        kinds=tuple(dict.fromkeys(kind for kind, _ in stops)),
        graphs=len(graphs) if mode in probe.CAPTURED else None,
        epoch_s=tuple(seconds) if mode in probe.TIMED else (),
    )


def nothing(x: Any) -> None:
    """What stands in the forward pass while it is timed."""


@contextmanager
def stopping(probe: ModuleType) -> Iterator[list[tuple[str, bool]]]:
    """Have every ``breakpoint()`` write down what a person at the debugger's prompt would find, instead of waiting.

    That is the type of ``x`` in the function where it stands, and whether its sum is a number.
    """
    stops: list[tuple[str, bool]] = []

    def at_the_prompt() -> None:
        frame = inspect.currentframe()
        assert frame is not None and frame.f_back is not None
        x = frame.f_back.f_locals.get("x")  # a compiler may have taken it away
        try:
            has_number = bool(np.isfinite(probe.number(x)))
        except Exception:  # a tensor without numbers says so in its framework's own way
            has_number = False
        stops.append((type(x).__name__, has_number))

    usual, sys.breakpointhook = sys.breakpointhook, at_the_prompt
    try:
        yield stops
    finally:
        sys.breakpointhook = usual

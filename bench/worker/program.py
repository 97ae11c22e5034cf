"""An implementation in the process of its own: import, build, load, each reported as it ends, then the epochs.

What a cell of ``fcnbench run`` does once from beginning to end (:mod:`bench.worker.jobs.train`) and what a process that
stays does step by step as it is asked (:mod:`bench.worker.jobs.steps`) are the same steps.
"""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.data import mnist
from bench.data.holdout import Parts, hold_out
from bench.machine import meters
from bench.worker import timing
from bench.worker.messages import MeterReadings, ModelKept, Phase, Send, SwitchesInForce, Versions
from bench.worker.requests import EntryPoint, Task
from bench.worker.timing import Scoring
from impls import loading, portable
from impls.contract import declared
from impls.oracle.training import initial_weights


class TimedProgram:
    """One implementation, one workload. The methods are called in the order in which they stand."""

    def __init__(self, entry: EntryPoint, task: Task, send: Send, folder: Path) -> None:
        """Import nothing yet. ``folder`` is for what is written on the way and goes when the process does."""
        self.entry, self.task, self.send, self.folder = entry, task, send, folder
        self.workload, self.seed = task.workload, task.seed
        self.at = meters.in_worker()
        self.whole = meters.start("worker", self.at)

    def import_(self) -> None:
        """Import the implementation, and with it its framework."""
        with meters.metered("import", self.at) as readings, self.phase("import_s"):
            self.make = loading.find_class(self.entry.module, self.entry.attribute)
        self.send(MeterReadings(readings))

    def build(self) -> None:
        """Build the model, the loss and the optimiser."""
        with self.phase("build_s"):
            self.implementation = self.make(self.workload, self.task.device_kind, self.seed)
        self.at = replace(self.at, device_memory=self.implementation.device_memory)
        self.send(Versions(loaded_versions(self.entry.packages)))
        self.send(SwitchesInForce(loading.declarations(self.make)))

    def load(self) -> None:
        """Hand over the data, less what is held out, and the start weights."""
        implementation, workload = self.implementation, self.workload
        data = mnist.load(Path(self.task.data))
        parts = Parts(len(data.y_test))
        if workload.validation:
            data, parts = hold_out(data, workload.validation, self.seed, self.folder)
        with meters.metered("load", self.at) as readings:
            with self.phase("load_s"):
                implementation.load(data)
                implementation.sync()
            self.send(SwitchesInForce(loading.declarations(self.make) | loading.switches(implementation)))
        self.send(MeterReadings(readings))
        ordered = declared(implementation, "takes_order")
        if ordered:
            implementation.set_weights(initial_weights(workload, np.random.default_rng([self.seed, 0])))
        self.training = meters.start("training", self.at)
        self.n_train = len(data.y_train)
        self.scoring = Scoring(data.y_test, parts, workload.batch_size, workload.evaluate_every if ordered else 0)

    def orders(self) -> Iterator[NDArray[np.int64]]:
        """The training order of one epoch after another."""
        return timing.batch_orders(self.workload, self.n_train, self.seed)

    def finish(self) -> None:
        """Report what meters read around the training and around all that this process did."""
        self.send(MeterReadings(self.training.stop(self.at) | self.whole.stop(self.at)))

    def keep(self, model: str, origin: Mapping[str, str]) -> None:
        """Write the trained network to the file ``model``, if one is named, once everything has been measured.

        What has none, such as ``null``, or gives weights of other shapes, which the checks refuse, leaves none.
        """
        if not model:
            return
        described = {**origin, "versions": loaded_versions(self.entry.packages)}
        try:
            digest = portable.save(Path(model), self.workload, self.implementation.get_weights(), described)
        except ValueError as error:
            with suppress(OSError, ValueError):  # a program may have closed standard error
                print(f"the trained network is not kept: {error}", file=sys.stderr)
        else:
            self.send(ModelKept(digest))

    def infer(self) -> None:
        """Time the prediction of one image and of one batch, each loaded as a test set of its own.

        That ``load`` may be called again is part of the contract. What an implementation makes of it cannot touch what
        was measured before: it is called when all of that has been reported. By which call of its framework it predicts
        so many images it may say among its switches, as ``predict``.
        """
        data = mnist.load(Path(self.task.data))
        for images in dict.fromkeys((1, self.workload.test_batch_size)):
            self.implementation.load(mnist.write_few(self.folder / f"test-{images}", data, images))
            call = loading.switches(self.implementation).get("predict")
            self.send(timing.inference(self.implementation, images, "" if call is None else str(call)))

    @contextmanager
    def phase(self, name: Literal["import_s", "build_s", "load_s"]) -> Iterator[None]:
        """Report how many seconds the block took."""
        start = time.perf_counter()
        yield
        self.send(Phase(name, time.perf_counter() - start))


def loaded_versions(packages: Sequence[str]) -> dict[str, str]:
    """The versions of those packages that are loaded, and of Python."""
    found = {"python": sys.version.split()[0]}
    for package in packages:
        if package in sys.modules:
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                found[package] = "unknown"
    return found

"""An implementation in the process of its own: import, build, load, each reported as it ends, then the epochs.

What a cell of ``fcnbench run`` does once from beginning to end (:mod:`bench.worker.main`) and what a process that stays
does step by step as it is asked (:mod:`bench.worker.jobs.steps`) are the same steps.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from bench.data import mnist
from bench.data.holdout import Parts, hold_out
from bench.machine import gpu, memory
from bench.worker import timing
from bench.worker.messages import Emit, Event
from bench.worker.timing import Asked
from impls import loading, portable
from impls.contract import declared
from impls.environment import kind
from impls.oracle.training import initial_weights
from impls.workload import Workload


class Program:
    """One implementation, one workload. The methods are called in the order in which they stand."""

    def __init__(self, request: dict[str, Any], emit: Emit, folder: Path) -> None:
        """Import nothing yet. ``folder`` is for what is written on the way and goes when the process does."""
        self.request, self.emit, self.folder = request, emit, folder
        self.workload = Workload.from_dict(request["workload"])
        self.peaks = [memory.peak().size_bytes]
        self.gpu = gpu.find(os.environ)
        self.gpu_before = self.gpu.before() if self.gpu else None

    def import_(self) -> None:
        """Import the implementation, and with it its framework."""
        with self.phase("import_s"):
            self.make = loading.find_class(self.request["module"], self.request["attribute"])
        self.emit(Event("memory", snapshot("after_import")))

    def build(self) -> None:
        """Build the model, the loss and the optimiser."""
        with self.phase("build_s"):
            self.implementation = self.make(self.workload, kind(self.request["device"]), self.request["seed"])
        facts = {"versions": loaded_versions(self.request["packages"]), "switches": loading.declarations(self.make)}
        self.emit(Event("facts", facts))

    def load(self) -> None:
        """Hand over the data, less what is held out, and the start weights."""
        implementation, workload, seed = self.implementation, self.workload, self.request["seed"]
        data = mnist.load(Path(self.request["data"]))
        parts = Parts(len(data.y_test))
        if workload.validation:
            data, parts = hold_out(data, workload.validation, seed, self.folder)
        with self.phase("load_s"):
            implementation.load(data)
            implementation.sync()
        self.emit(Event("facts", {"switches": loading.declarations(self.make) | loading.switches(implementation)}))
        self.emit(Event("memory", snapshot("after_load")))
        ordered = declared(implementation, "takes_order")
        if ordered:
            implementation.set_weights(initial_weights(workload, np.random.default_rng([seed, 0])))
        self.peaks.append(memory.peak().size_bytes)
        memory.reset_peak()
        self.n_train = len(data.y_train)
        self.asked = Asked(data.y_test, parts, workload.batch_size, workload.evaluate_every if ordered else 0)

    def orders(self) -> Iterator[NDArray[np.int64]]:
        """The training order of each epoch, as many as are asked for."""
        return batch_orders(self.workload, self.n_train, self.request["epochs"], self.request["seed"])

    def energy_j(self) -> float | None:
        """The GPU's counter of joules, where it has one."""
        return self.gpu.energy_j() if self.gpu else None

    def finish(self) -> None:
        """Report the memory that training took, and what may have disturbed it; the GPU first, while it is warm."""
        state = self.gpu.state() if self.gpu else {}
        held, source = None, None
        if self.gpu and self.gpu_before:
            held, source = self.gpu.held(self.gpu_before, gpu.own_process_numbers())
        training = memory.peak()
        device = self.implementation.device_memory() or {}
        if set(device) - {"peak_bytes", "reserved_bytes"}:
            raise ValueError(f"device_memory() returned {sorted(device)}, expected peak_bytes and reserved_bytes")
        self.emit(Event("memory", {
            "training_peak_bytes": training.size_bytes,
            "process_peak_bytes": max(*self.peaks, training.size_bytes),
            "process_file_bytes": memory.file_backed(),
            "peak_source": training.source,
            **{f"device_{name}": value for name, value in device.items()},
            "device_process_bytes": held,
            "device_process_source": source,
        }))  # fmt: skip
        switches = psutil.Process().num_ctx_switches().involuntary
        self.emit(Event("noise", {"involuntary_switches": switches, **state}))

    def keep(self) -> None:
        """Write the trained network where it was asked for, once everything has been measured.

        What has none, such as ``null``, or gives weights of other shapes, which the gate refuses, leaves none.
        """
        if not self.request.get("model"):
            return
        origin = {**self.request["origin"], "versions": loaded_versions(self.request["packages"])}
        try:
            digest = portable.save(
                Path(self.request["model"]), self.workload, self.implementation.get_weights(), origin
            )
        except ValueError as error:
            print(f"the trained network is not kept: {error}", file=sys.stderr)
        else:
            self.emit(Event("model", {"sha256": digest}))

    def infer(self) -> None:
        """Time the prediction of one image and of one batch, each loaded as a test set of its own.

        That ``load`` may be called again is part of the contract. What an implementation makes of it cannot touch what
        was measured before: it is called when all of that has been reported.
        """
        data = mnist.load(Path(self.request["data"]))
        for images in dict.fromkeys((1, self.workload.test_batch_size)):
            self.implementation.load(mnist.write_few(self.folder / f"test-{images}", data, images))
            self.emit(Event("inference", asdict(timing.inference(self.implementation, images))))

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Report how many seconds the block took."""
        start = time.perf_counter()
        yield
        self.emit(Event("phase", {name: time.perf_counter() - start}))


def batch_orders(workload: Workload, n: int, epochs: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """The training order of each epoch, int64 ``[n]``: a permutation drawn from the seed, or the order as stored."""
    rng = np.random.default_rng([seed, 1])
    for _ in range(epochs):
        yield rng.permutation(n) if workload.shuffle else np.arange(n)


def loaded_versions(packages: list[str]) -> dict[str, str]:
    """The versions of those packages that are loaded, and of Python."""
    found = {"python": sys.version.split()[0]}
    for package in packages:
        if package in sys.modules:
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                found[package] = "unknown"
    return found


def snapshot(moment: str) -> dict[str, int]:
    """Resident and unique bytes, named for the moment."""
    rss, uss = memory.snapshot()
    return {f"{moment}_rss_bytes": rss, f"{moment}_uss_bytes": uss}

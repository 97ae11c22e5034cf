"""The child: one process, one implementation, one answer on its own channel.

It reads its request as one JSON line from standard input and writes events as JSON lines to what was its standard
output. Whatever a framework prints goes to the cell's log, where standard error already goes. When standard input
closes, the parent is gone and so is the child.
"""

import importlib
import importlib.util
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from bench import equivalence, measure, memory, mnist
from bench.holdout import Parts, hold_out
from bench.records import Event
from bench.trial import DEFAULT_ADAM, Candidate, declared
from impls.contract import Implementation, Unavailable, Workload
from impls.reference import initial_weights

Emit = Callable[[Event], None]
MEMBERS = ("load", "set_weights", "get_weights", "train_epoch", "predict", "sync", "device_memory")


def main() -> None:
    """Answer one request and exit: 0 when the answer is complete, whatever it is."""
    emit = take_answer_channel()
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=die_with_parent, daemon=True).start()
    with ended(request) as end:
        JOBS[request["job"]](request, emit)
    emit(Event("end", end))
    sys.stdout.flush()
    os._exit(0)  # a framework's exit handlers may hang or crash, and have nothing to add


@contextmanager
def ended(request: dict[str, Any]) -> Iterator[dict[str, str]]:
    """How the block ends: ``status`` and ``reason`` are filled in when it has, and nothing that it raises gets out."""
    end = {"status": "ok", "reason": ""}
    try:
        yield end
    except Unavailable as missing:
        end |= {"status": "skipped", "reason": one_line(missing)}
    except ModuleNotFoundError as missing:
        traceback.print_exc()
        known = missing.name in request["packages"]
        reason = f"{missing.name} is not installed" if missing.name else one_line(missing)
        end |= {"status": "skipped" if known else "failed", "reason": reason}
    except MemoryError:
        traceback.print_exc()
        end |= {"status": "failed", "reason": "out of memory (MemoryError)"}
    except BaseException as error:  # a plugin may raise anything, SystemExit too; all of it is this cell's answer
        traceback.print_exc()
        end |= {"status": "failed", "reason": f"{type(error).__name__}: {one_line(error)}"}


def take_answer_channel() -> Emit:
    """Keep standard output for events alone and send all that is printed from now on to the log."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def emit(event: Event) -> None:
        answers.write(json.dumps(asdict(event)) + "\n")
        answers.flush()

    return emit


def die_with_parent() -> None:
    """Sleep until standard input closes, which happens when the parent dies, by whatever cause."""
    os.read(0, 1)
    os._exit(3)


def probe(request: dict[str, Any], emit: Emit) -> None:
    """Only import the implementation and check its members."""
    find_class(request["module"], request["attribute"])


def gate(request: dict[str, Any], emit: Emit) -> None:
    """Climb the equivalence gate once for each question, reporting each rung, and how the climb ended.

    Whatever a program raises ends that climb alone; what ends the process leaves the questions after it unanswered.
    """
    make, data = find_class(request["module"], request["attribute"]), mnist.load(Path(request["data"]))
    for question in request["questions"]:
        candidate = Candidate.of(make, request["device"], question["seed"], Path(request["cache"]))
        workload = Workload.from_dict(question["workload"])
        with ended(request) as end:
            for rung in equivalence.climb(candidate, workload, data, request["deep"]):
                emit(Event("rung", asdict(rung)))
        emit(Event("answer", end))


def measure_cell(request: dict[str, Any], emit: Emit) -> None:
    """Import, build, load, train and predict, reporting each phase as it ends."""
    workload = Workload.from_dict(request["workload"])
    seed = request["seed"]
    peaks = [memory.peak().size_bytes]

    start = time.perf_counter()
    make = find_class(request["module"], request["attribute"])
    emit(Event("phase", {"import_s": time.perf_counter() - start}))
    emit(Event("memory", snapshot("after_import")))

    start = time.perf_counter()
    implementation = make(workload, request["device"], seed)
    emit(Event("phase", {"build_s": time.perf_counter() - start}))
    facts = declarations(make)
    emit(Event("facts", {"versions": versions(request["packages"]), "switches": facts}))

    with TemporaryDirectory(prefix="fcnbench-holdout-") as folder:
        data = mnist.load(Path(request["data"]))
        parts = Parts(len(data.y_test))
        if workload.validation:
            data, parts = hold_out(data, workload.validation, seed, Path(folder))
        start = time.perf_counter()
        implementation.load(data)
        implementation.sync()
        emit(Event("phase", {"load_s": time.perf_counter() - start}))
        emit(Event("facts", {"switches": facts | switches(implementation)}))
        emit(Event("memory", snapshot("after_load")))

        ordered = declared(implementation, "takes_order", True)
        if ordered:
            implementation.set_weights(initial_weights(workload, np.random.default_rng([seed, 0])))
        peaks.append(memory.peak().size_bytes)
        memory.reset_peak()
        orders = batch_orders(workload, len(data.y_train), request["epochs"], seed)
        every = workload.evaluate_every if ordered else 0
        asked = measure.Asked(data.y_test, parts, workload.batch_size, every)
        for row in measure.epochs(implementation, orders, asked):
            emit(Event(type(row).__name__.lower(), asdict(row)))
    training = memory.peak()
    device = implementation.device_memory() or {}
    if set(device) - {"peak_bytes", "reserved_bytes"}:
        raise ValueError(f"device_memory() returned {sorted(device)}, expected peak_bytes and reserved_bytes")
    emit(Event("memory", {
        "training_peak_bytes": training.size_bytes,
        "process_peak_bytes": max(*peaks, training.size_bytes),
        "peak_source": training.source,
        **{f"device_{name}": value for name, value in device.items()},
    }))  # fmt: skip
    emit(Event("noise", {"involuntary_switches": psutil.Process().num_ctx_switches().involuntary}))


def find_class(module: str, attribute: str) -> type[Implementation]:
    """Import the implementation's class from an import path or a file, and check that it has the eight members."""
    if module.endswith(".py"):
        path = Path(module)
        sys.path.append(str(path.parent))  # at the end: a plugin's neighbours must not hide anybody's package
        spec = importlib.util.spec_from_file_location(f"fcnbench_plugin_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        loaded = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = loaded
        spec.loader.exec_module(loaded)
    else:
        loaded = importlib.import_module(module)
    found = getattr(loaded, attribute, None)
    if found is None:
        raise TypeError(f"{module} has no class {attribute!r}; see the contract in CONTRIBUTING.md")
    missing = [member for member in MEMBERS if not callable(getattr(found, member, None))]
    if missing:
        raise TypeError(f"{module}: {attribute} lacks {', '.join(missing)}; see the contract in CONTRIBUTING.md")
    return found  # type: ignore[no-any-return]  # checked above as far as it can be without running it


def batch_orders(workload: Workload, n: int, epochs: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """The training order of each epoch, int64 ``[n]``: a permutation drawn from the seed, or the order as stored."""
    rng = np.random.default_rng([seed, 1])
    for _ in range(epochs):
        yield rng.permutation(n) if workload.shuffle else np.arange(n)


def declarations(make: type[Implementation]) -> dict[str, Any]:
    """What the class declares, or the defaults that the contract states."""
    defaults = (("takes_order", True), ("adam", DEFAULT_ADAM))
    return printable({name: declared(make, name, default) for name, default in defaults})


def switches(implementation: Implementation) -> dict[str, Any]:
    """What was in force in the framework."""
    own: dict[str, Any] = declared(implementation, "switches", {})
    return printable(dict(own))


def printable(values: dict[str, Any]) -> dict[str, Any]:
    """The values as JSON can carry them."""
    return json.loads(json.dumps(values, default=str))  # type: ignore[no-any-return]


def versions(packages: list[str]) -> dict[str, str]:
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


def one_line(error: BaseException) -> str:
    """An exception's message on one line, at most 300 characters."""
    return " ".join(str(error).split())[:300]


JOBS = {"probe": probe, "gate": gate, "measure": measure_cell}

if __name__ == "__main__":
    main()

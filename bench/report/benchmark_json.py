"""Result directories and pytest-benchmark's JSON: each can be made from the other.

A file has pytest-benchmark's statistics, for its own tools, and under ``fcnbench`` the records they were made of, so
that nothing is lost on the way there and back. The suite (``bench/suite``) writes the same.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import from_json
from pytest_benchmark import __version__ as pytest_benchmark_version
from pytest_benchmark.stats import Stats

from bench import files
from bench.display import naming
from bench.errors import FcnBenchError
from bench.machine import disturbances
from bench.report import attestation, runs
from bench.store import contents, formats
from bench.store.contents import Contents
from bench.store.records.training import TrainingResult

if TYPE_CHECKING:
    from bench.store.records.machine import Machine
    from bench.store.records.verification import Verification

SUITE = "bench/suite"


def steady(result: TrainingResult) -> list[float]:
    """Seconds of each epoch after the first."""
    return [epoch.train_s for epoch in result.epochs[2:] if epoch.train_s is not None]


def first(result: TrainingResult) -> list[float]:
    """Seconds of the first epoch."""
    return [epoch.train_s for epoch in result.epochs[1:2] if epoch.train_s is not None]


def predictions(result: TrainingResult) -> list[float]:
    """Seconds of each prediction of the test set after an epoch; the first, before training, is another thing."""
    return [epoch.predict_s for epoch in result.epochs[1:]]


def one_image(result: TrainingResult) -> list[float]:
    """Seconds of each prediction of a single image, after training and after a first one."""
    return [seconds for found in result.inference if found.images == 1 for seconds in found.seconds]


def imports(result: TrainingResult) -> list[float]:
    """Seconds of the import."""
    return [] if result.phases.import_s is None else [result.phases.import_s]


QUESTIONS: Mapping[str, Callable[[TrainingResult], list[float]]] = {
    "test_training_epoch.py::test_training_epoch": steady,
    "test_first_epoch.py::test_first_epoch": first,
    "test_predict_test_set.py::test_predict_test_set": predictions,
    "test_predict_one_image.py::test_predict_one_image": one_image,
    "test_import_framework.py::test_import_framework": imports,
}
"""What a result directory can answer of what the suite asks."""


class Timing(BaseModel):
    """The statistic that is held against the records."""

    median: float


class Benchmark(BaseModel):
    """What is read of one of pytest-benchmark's entries."""

    fullname: str
    stats: Timing


class File(BaseModel):
    """What is read of a JSON file beside the records."""

    benchmarks: list[Benchmark]


def parameter(workload: str, implementation: str, device: str, threads: int, suffix: str = "") -> str:
    """What stands between the brackets of a benchmark's name."""
    return f"{workload}-{implementation}-{device}-{threads}t{suffix}"


def group(function: str, workload: str, device: str, threads: int) -> str:
    """What is compared with each other has this in common: the question, the network, the device, the threads."""
    return f"{function.removeprefix('test_').replace('_', ' ')}: {naming.title(workload, device, threads)}"


def machine_info(machine: "Machine") -> dict[str, Any]:
    """A machine in pytest-benchmark's words, and in ours. The same machine is always described the same."""
    system, _, release = machine.os.partition(" ")
    return {
        "processor": machine.cpu,
        "machine": machine.architecture,
        "python_implementation": "CPython",
        "python_version": machine.python,
        "system": system,
        "release": release,
        "cpu": {"brand_raw": machine.cpu, "count": machine.logical_cpus, "arch": machine.architecture},
        "fcnbench": asdict(machine),
    }


def extra_info(result: TrainingResult, gate: "Verification | None") -> dict[str, Any]:
    """What stands beside the statistics of a benchmark: accuracy, memory, versions, the gate, what disturbed it."""
    row = runs.run_row(result)
    shown = ("tier", "framework", "accuracy", "process_peak_bytes", "training_peak_bytes", "device_peak_bytes",
             "cpu_per_wall", "seed", "block", "machine")  # fmt: skip
    return {name: row[name] for name in shown} | {
        "versions": result.versions,
        "switches": result.switches,
        "gate": None if gate is None else gate.status,
        "gate_rungs": {} if gate is None else {rung.name: [rung.figure, rung.limit] for rung in gate.checks},
        "disturbed_by": disturbances.disturbances(result),
        "hints": disturbances.hints(result, row["cpu_per_wall"]),  # type: ignore[arg-type]  # a number or None
    }


def export(directory: Path) -> tuple[str, int]:
    """A result directory as pytest-benchmark writes its JSON, and how many benchmarks it holds.

    Rounds are those of all blocks, in their order. Raises FcnBenchError where there are no results.
    """
    stored = contents.read(directory)
    last, made = stored.cells[-1], benchmarks(stored)
    machine = next((machine for machine in stored.machines if machine.machine == last.machine), None)
    content = {
        "machine_info": machine_info(machine) if machine else {},
        "commit_info": last.commit or {"id": "unknown", "time": None},
        "benchmarks": made,
        "datetime": last.started,
        "version": pytest_benchmark_version,
        "fcnbench": contents.encoded(stored),
    }
    return json.dumps(content, indent=1, allow_nan=False), len(made)


def write(path: Path, text: str) -> None:
    """Write the file so that it is found whole or not at all."""
    with files.writing(path):
        files.write_text(path, text + "\n")


def benchmarks(stored: Contents) -> list[dict[str, Any]]:
    """One benchmark for each question, network, implementation, device, number of threads and role.

    What failed has none, nor what the equivalence gate or the timed epochs themselves refuse; a sweep answers other
    questions than the suite asks.
    """
    gates = {(gate.implementation, gate.workload, gate.device): gate for gate in stored.gates}
    cells: dict[tuple[Any, ...], list[TrainingResult]] = {}
    trained = [result for result in stored.cells if isinstance(result, TrainingResult)]
    refused = [key for key, gate in gates.items() if gate.status == "failed"]
    verdicts = attestation.attested(trained, refused)
    for result in sorted(trained, key=lambda result: result.cell.block):
        cell = result.cell
        proved = (cell.implementation, cell.workload.name, cell.device) not in refused
        if result.status == "ok" and proved and verdicts[cell.key][0] != "no":
            cells.setdefault((*cell.place, cell.implementation, cell.role), []).append(result)
    found = []
    for name, values in QUESTIONS.items():
        for (workload, device, threads, implementation, role), blocks in cells.items():
            data = [value for result in blocks for value in values(result)]
            if data:
                suffix = "-control" if role == "control" else ""
                param = parameter(workload, implementation, device, threads, suffix)
                function = name.partition("::")[2]
                found.append({
                    "group": group(function, workload, device, threads),
                    "name": f"{function}[{param}]",
                    "fullname": f"{SUITE}/{name}[{param}]",
                    "params": {
                        "workload": workload, "implementation": implementation, "device": device, "threads": threads
                    },
                    "param": param,
                    "extra_info": extra_info(blocks[-1], gates.get((implementation, workload, device))),
                    "options": {"timer": "perf_counter_ns, in the worker"},
                    "stats": statistics(data),
                })  # fmt: skip
    return found


def statistics(data: list[float]) -> dict[str, Any]:
    """Rounds in seconds, summed up as pytest-benchmark does it."""
    stats = Stats()
    stats.data = data
    return {**stats.as_dict(), "data": data, "iterations": 1}


def read(path: Path) -> tuple[Contents, int]:
    """The records of a JSON file that the suite or :func:`export` wrote, and how many benchmarks are about others.

    Raises FcnBenchError for anything else, and where the statistics are not those of the records.
    """
    advice = "give a file that 'pytest bench --benchmark-json' or 'fcnbench export-benchmark' wrote"
    with formats.reading(path, str(path), "damaged or of another version", advice):
        content = from_json(path.read_bytes(), allow_inf_nan=False)
        if not isinstance(content, dict) or "fcnbench" not in content:
            raise FcnBenchError(f"{path}: holds no records of fcnbench; {advice}")
        file, stored = File.model_validate(content), contents.decoded(content["fcnbench"])
        if not stored.cells:
            raise FcnBenchError(f"{path}: holds no training epochs; let 'pytest bench' run test_training_epoch too")
        return stored, others(path, file.benchmarks, benchmarks(stored))


def others(path: Path, stated: Sequence[Benchmark], made: Sequence[dict[str, Any]]) -> int:
    """How many benchmarks are about other processes than those of the records.

    Raises FcnBenchError where training epochs are not those of the records: somebody has changed one of the two.
    """
    known = {benchmark["fullname"].rpartition("/")[2]: benchmark["stats"]["median"] for benchmark in made}
    number = 0
    for benchmark in stated:
        name, median = benchmark.fullname.rpartition("/")[2], benchmark.stats.median
        same = math.isclose(known.get(name, math.nan), median, rel_tol=1e-6)
        if not same and name in known and name.startswith("test_training_epoch.py"):
            raise FcnBenchError(f"{path}: {name} says {median:g} s, its records say {known[name]:g} s; it was changed")
        number += not same
    return number


def save(paths: Sequence[Path], directory: Path) -> tuple[int, int]:
    """Bring files into a result directory: how many cells are new there, and how many benchmarks are of no cell.

    Raises FcnBenchError, before anything is written, where a file is no good or the cells do not belong together.
    """
    parts = {path: read(path) for path in paths}
    added = contents.add(directory, {path: stored for path, (stored, _) in parts.items()})
    return added, sum(number for _, number in parts.values())

"""The child: one process, one implementation, one answer on its own channel.

It reads its request as one JSON line from standard input and writes events as JSON lines to what was its standard
output. Whatever a framework prints goes to the cell's log, where standard error already goes. When standard input
closes, the parent is gone and so is the child.
"""

import importlib
import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import psutil

from bench import dissect, equivalence, examine, exporting, floor, measure, mnist, serve, sweep
from bench.program import Emit, Program, find_class, versions
from bench.records import PROTOCOL, Event
from bench.trial import Candidate, declared
from impls import portable
from impls.contract import Unavailable, Workload
from impls.devices import kind
from impls.exports import table


def main() -> None:
    """Answer one request and exit: 0 when the answer is complete, whatever it is."""
    emit = take_answer_channel()
    emit(Event("hello", {"protocol": PROTOCOL}))
    request = json.loads(sys.stdin.readline())
    questions: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=listen, args=(questions,), daemon=True).start()
    with ended(request) as end:
        if request.get("protocol") != PROTOCOL:
            raise ValueError(f"asked in protocol {request.get('protocol')}, this worker speaks {PROTOCOL}")
        if request["job"] == "serve":
            serve.serve(request, emit, questions.get)
        else:
            JOBS[request["job"]](request, emit)
    emit(Event("end", end | {"helpers_cpu_s": helpers_cpu_s()}))
    sys.stdout.flush()
    os._exit(0)  # a framework's exit handlers may hang or crash, and have nothing to add


def helpers_cpu_s() -> float:
    """CPU seconds of the processes that this one started and that still live, such as a compiler's pool.

    The system counts them nowhere as this process's: it never waits for them.
    """
    spent = 0.0
    for helper in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # ended since
            spent += sum(helper.cpu_times()[:4])  # its own and that of its ended children, in user and system mode
    return spent


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


def listen(questions: "queue.SimpleQueue[dict[str, Any]]") -> None:
    """Pass on what is asked, and end when standard input closes: the parent has died, by whatever cause."""
    for line in sys.stdin:
        questions.put(json.loads(line))
    os._exit(3)


def hello(request: dict[str, Any], emit: Emit) -> None:
    """Nothing: that this interpreter can run a worker was said by starting it."""


def probe(request: dict[str, Any], emit: Emit) -> None:
    """Only import the implementation and check its members."""
    find_class(request["module"], request["attribute"])


def usable(request: dict[str, Any], emit: Emit) -> None:
    """Build the implementation on its device, and wait until the device has done what that asks of it."""
    make = find_class(request["module"], request["attribute"])
    make(Workload.from_dict(request["workload"]), kind(request["device"]), 0).sync()


def gate(request: dict[str, Any], emit: Emit) -> None:
    """Climb the equivalence gate once for each question, reporting each rung, and how the climb ended.

    Whatever a program raises ends that climb alone; what ends the process leaves the questions after it unanswered.
    """
    make, data = find_class(request["module"], request["attribute"]), mnist.load(Path(request["data"]))
    for question in request["questions"]:
        candidate = Candidate.of(make, kind(request["device"]), question["seed"], Path(request["cache"]))
        workload = Workload.from_dict(question["workload"])
        with ended(request) as end:
            for rung in equivalence.climb(candidate, workload, data, request["deep"]):
                emit(Event("rung", asdict(rung)))
        emit(Event("answer", end))


def measure_cell(request: dict[str, Any], emit: Emit) -> None:
    """Import, build, load, train and predict, reporting each phase as it ends; then, apart, time single predictions.

    With ``whole`` the cell is good: what goes wrong afterwards takes nothing of it away (:class:`bench.launch.Answer`).
    """
    with TemporaryDirectory(prefix="fcnbench-holdout-") as folder:
        program = Program(request, emit, Path(folder))
        program.import_()
        program.build()
        program.load()
        for row in measure.epochs(program.implementation, program.orders(), program.asked, energy_j=program.energy_j):
            emit(Event(type(row).__name__.lower(), asdict(row)))
        program.finish()
        program.keep()
        emit(Event("whole", {}))
        program.infer()


def sweep_cell(request: dict[str, Any], emit: Emit) -> None:
    """Import, then build and train one network after the other; what one of them raises ends that one alone.

    Where none can be trained the cell ends as the last of them did.
    """
    with TemporaryDirectory(prefix="fcnbench-sweep-") as folder:
        program = Program(request, emit, Path(folder))
        program.import_()
    if not declared(program.make, "takes_order", True):
        raise Unavailable("it takes no order, so that it cannot be asked for a few steps")
    data, measured = mnist.load(Path(request["data"])), False
    for workload, point in sweep.drawn(program.workload, len(data.y_train), request["seed"]):
        with ended(request) as end:
            point = sweep.measured(program.make, workload, point, data, kind(request["device"]), request["seed"])
        measured |= end["status"] == "ok"
        emit(Event("point", asdict(replace(point, reason=end["reason"]))))
    emit(Event("facts", {"versions": versions(request["packages"])}))
    if not measured:
        raise (Unavailable if end["status"] == "skipped" else RuntimeError)(f"no point of it: {end['reason']}")


def export(request: dict[str, Any], emit: Emit) -> None:
    """Write a trained network in another format, and report what a comparison with the original says of the file."""
    exporter = table.find(request["format"], request["by"])
    images = mnist.load(Path(request["data"])).x_test
    found = exporting.export(Path(request["model"]), exporter, Path(request["out"]), images)
    emit(Event("export", asdict(found)))


def predict(request: dict[str, Any], emit: Emit) -> None:
    """Logits of the images by one trained network after the other; what one of them raises ends that one alone."""
    framework = importlib.import_module(request["module"])
    with np.load(request["images"], allow_pickle=False) as stored:
        images = stored["images"]
    for path in request["models"]:
        values: dict[str, Any] = {}
        with ended(request) as end:
            about, weights = portable.load(Path(path))
            workload = Workload.from_dict(about["workload"])
            model = framework.build(workload, weights, kind(request["device"]))
            values["logits"] = np.asarray(framework.logits(model, workload.scale(images)), np.float64).tolist()
        emit(Event("answer", end | values))


def unpack(request: dict[str, Any], emit: Emit) -> None:
    """The framework's own files of trained networks as portable ones; what one of them raises ends that one alone."""
    framework = importlib.import_module(request["module"])
    for file, out in request["files"]:
        with ended(request) as end:
            described, weights = framework.load(Path(file))
            origin = {"implementation": Path(file).stem, "framework": request["framework"], "versions": {}}
            portable.save(Path(out), Workload.from_dict(json.loads(described)), weights, origin)
        emit(Event("answer", end))


def one_line(error: BaseException) -> str:
    """An exception's message on one line, at most 300 characters."""
    return " ".join(str(error).split())[:300]


JOBS = {
    "hello": hello,
    "probe": probe,
    "usable": usable,
    "gate": gate,
    "measure": measure_cell,
    "floor": floor.answer,
    "sweep": sweep_cell,
    "dissect": dissect.dissect,
    "examine": examine.examine,
    "predict": predict,
    "unpack": unpack,
    "export": export,
}

if __name__ == "__main__":
    main()

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
from typing import Any

from bench.worker import channel
from bench.worker.messages import PROTOCOL, Event


def main() -> None:
    """Answer one request and exit: 0 when the answer is complete, whatever it is."""
    emit = channel.take_answer_channel()
    emit(Event("hello", {"protocol": PROTOCOL}))
    request = json.loads(sys.stdin.readline())
    questions: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=channel.listen, args=(questions,), daemon=True).start()
    with channel.ended(request) as end:
        if request.get("protocol") != PROTOCOL:
            raise ValueError(f"asked in protocol {request.get('protocol')}, this worker speaks {PROTOCOL}")
        module, _, function = JOBS[request["job"]].partition(".")
        job = getattr(importlib.import_module(f"bench.worker.jobs.{module}"), function)
        asked_on = (questions.get,) if request["job"] == "serve" else ()
        job(request, emit, *asked_on)
    emit(Event("end", end | {"helpers_cpu_s": channel.helpers_cpu_s()}))
    sys.stdout.flush()
    os._exit(0)  # a framework's exit handlers may hang or crash, and have nothing to add


JOBS = {
    "hello": "check.hello",
    "probe": "check.probe",
    "usable": "check.usable",
    "gate": "verify.run",
    "measure": "train.run",
    "floor": "floor.run",
    "sweep": "sweep.run",
    "dissect": "breakdown.run",
    "examine": "probe.run",
    "predict": "predict.run",
    "unpack": "predict.unpack",
    "export": "export.run",
    "serve": "steps.serve",
}
"""Functions of :mod:`bench.worker.jobs`, imported by name, so that a worker runs the code of no other job."""
if __name__ == "__main__":
    main()

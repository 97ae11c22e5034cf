"""Compare an implementation with the oracle, check by check."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.data import mnist
from bench.verification import checks
from bench.verification.candidate import Candidate
from bench.worker import channel
from bench.worker.messages import Emit, Event
from impls.environment import kind
from impls.loading import find_class
from impls.workload import Workload


def run(request: dict[str, Any], emit: Emit) -> None:
    """Climb the equivalence gate once for each question, reporting each rung, and how the climb ended.

    Whatever a program raises ends that climb alone; what ends the process leaves the questions after it unanswered.
    """
    make, data = find_class(request["module"], request["attribute"]), mnist.load(Path(request["data"]))
    for question in request["questions"]:
        candidate = Candidate.of(make, kind(request["device"]), question["seed"], Path(request["cache"]))
        workload = Workload.from_dict(question["workload"])
        with channel.ended(request) as end:
            for rung in checks.climb(candidate, workload, data, request["deep"]):
                emit(Event("rung", asdict(rung)))
        emit(Event("answer", end))

"""Compare an implementation with the oracle, check by check."""

from pathlib import Path

from bench.data import mnist
from bench.verification import checks
from bench.verification.candidate import Candidate
from bench.worker import channel
from bench.worker.messages import PartEnded, Send
from bench.worker.requests import Verify
from impls.environment import kind
from impls.loading import find_class


def run(request: Verify, send: Send) -> None:
    """Verify the implementation on each network, reporting each check, and how they ended.

    Whatever a program raises ends the checks on that network alone; what ends the process leaves the networks after it
    unanswered.
    """
    make, data = find_class(request.entry.module, request.entry.attribute), mnist.load(Path(request.data))
    for network in request.networks:
        candidate = Candidate.of(make, kind(request.device), network.seed, Path(request.cache))
        with channel.ending(request.entry.packages) as end:
            for check in checks.verify(candidate, network.workload, data, request.deep):
                send(check)
        send(PartEnded(end.status, end.reason))

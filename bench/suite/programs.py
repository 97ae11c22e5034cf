"""The programs that the benchmarks measure: verified once, then asked step by step, each in a worker of its own."""

from dataclasses import dataclass, replace

from bench.session.digest import of_facts
from bench.session.plan import Plan
from bench.session.session import Session
from bench.session.verification import verify
from bench.store.records.verification import Verification
from bench.suite.steps import SteppedTraining
from bench.worker.requests import DrawOrder, TrainEpoch
from impls import registry

PINGS = 500
"""How often the null implementation is asked."""


@dataclass(frozen=True)
class Bench:
    """The plan of which the benchmarks are the last block, and the session that knows where and with what."""

    plan: Plan
    session: Session

    def only(self, workload: str) -> Plan:
        """The plan with one of its networks."""
        return replace(self.plan, workloads=[one for one in self.plan.workloads if one.name == workload])


def verified(bench: Bench, workload: str, implementation: str, device: str) -> Verification | None:
    """Whether an implementation does the same work; None for one that nobody asks, such as the null implementation."""
    plan = replace(bench.only(workload), entries=[bench.session.entries[implementation]], devices=[device])
    answers: list[Verification] = []
    verify(bench.session, plan, lambda answer, old: answers.append(answer))
    return answers[-1] if answers else None


def training(
    bench: Bench, workload: str, implementation: str, device: str, threads: int, epochs: int, disable_gc: bool
) -> SteppedTraining:
    """A worker that is not started yet; ``disable_gc`` turns Python's collector off where it is timed."""
    plan, entry = replace(bench.only(workload), epochs=epochs), bench.session.entries[implementation]
    cell = plan.cell(entry, "measured", plan.workloads[0], device, threads, plan.blocks)
    cell = replace(cell, digest=of_facts(cell.digest, "suite"))
    return SteppedTraining(bench.session, cell, bench.session.data, disable_gc)


def null(bench: Bench, disable_gc: bool) -> SteppedTraining:
    """The null implementation's worker, which has drawn its batches."""
    entry = next(entry for entry in registry.BUILT_IN if entry.name == "null")
    session = replace(bench.session, entries={entry.name: entry})
    worker = training(Bench(bench.plan, session), bench.plan.workloads[0].name, "null", "cpu", 1, 1, disable_gc)
    try:
        worker.begin()
        worker.ask(DrawOrder())
    except BaseException:
        worker.end()
        raise
    return worker


def waits_s(bench: Bench, disable_gc: bool) -> list[float]:
    """Seconds of every way to the null implementation's worker and back."""
    worker = null(bench, disable_gc)
    for _ in range(PINGS):
        worker.ask(TrainEpoch())
    worker.end()
    return worker.waits_s[-PINGS:]

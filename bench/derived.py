"""Everything that is derived from the stored records of a directory, before it is written or shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from bench import (
    answers,
    architecture,
    breakdowns,
    claims,
    digits,
    effects,
    exported,
    latency,
    ledger,
    limit,
    overhead,
    probes,
    reaching,
    shares,
    sources,
    store,
    tables,
    verdicts,
)
from bench.answers import Group
from bench.digits import NO_TEST_SET, TestSet
from bench.environment import Machine
from bench.errors import FcnBenchError
from bench.records import Gate, Result, Size
from bench.sources import Program
from impls.contract import Workload


@dataclass(frozen=True)
class Session:
    """Everything that the pages show, derived from the stored cells; ``shown`` are those whose figures may be.

    ``results`` are of the networks that were trained, ``everything`` has what else was measured too.
    """

    results: Sequence[Result]
    machines: Sequence[Machine]
    gates: Sequence[Gate]
    frames: Mapping[str, pd.DataFrame]
    groups: Sequence[Group]
    size: Size | None = None
    shown: Sequence[Result] = ()
    test: TestSet = NO_TEST_SET
    programs: Mapping[str, Program] = field(default_factory=dict)
    everything: Sequence[Result] = ()

    @classmethod
    def read(cls, directory: Path) -> "Session":
        """Read the stored records and derive the rest."""
        everything, machines, gates = store.everything(directory), store.machines(directory), store.gates(directory)
        results = store.trained(everything)
        if not results:
            raise FcnBenchError(f"{directory}: nothing was trained here; run 'fcnbench run --out {directory}'")
        runs, of_machines = tables.runs(results, gates), tables.machines(machines)
        frames = {
            "runs": runs,
            "epochs": tables.epochs(results),
            "curves": tables.curves(results),
            "machines": of_machines,
            "summary": tables.summary(runs),
            "control": verdicts.control(runs),
            "comparison": verdicts.comparison(runs),
            "break_even": verdicts.break_even(runs),
            "table_4": ledger.table_4(runs, of_machines),
            "gate": tables.gate(gates),
        }
        frames["floor_parts"] = limit.parts(everything)
        frames["floor"] = limit.floor(frames["floor_parts"])
        frames["multiples"] = limit.multiples(runs, frames["floor"])
        frames["time_to_accuracy"] = reaching.time_to_accuracy(runs, frames["epochs"])
        programs = sources.read(directory)
        kept = exported.read(directory)
        frames["breakdown"] = shares.breakdown(breakdowns.read(directory), runs)
        frames["exports"] = exported.frame(kept)
        frames["table_1"] = architecture.table_1(probes.read(directory), programs, [one.export for one in kept])
        decided = claims.ledger(runs, frames["epochs"], results, of_machines)
        frames["claims"] = architecture.joined(decided, frames["table_1"])
        frames["effects"] = effects.effects(runs, frames["epochs"], results)
        test = digits.read(directory, results)
        keys = set(tables.measured(runs)["cell"])
        shown = [result for result in results if result.cell.key in keys]
        frames["inference"] = latency.inference(shown)
        frames["sweep"] = overhead.sweep(everything, gates)
        known = workloads(results)
        peaks = frames["floor"].groupby(tables.GROUP)["peak_flops_per_s"].median().to_dict()
        frames["overhead"] = overhead.overhead(frames["sweep"], known, peaks)
        frames["sweep_threads"] = overhead.threads(frames["sweep"])
        frames["digits"] = digits.by_digit(shown, test)
        frames["confusion"] = digits.confusion(shown, test)
        frames["disagreements"] = digits.disagreements(shown, test)
        epochs = {name: workload.epochs for name, workload in known.items()}
        groups = answers.groups(frames, epochs, ledger.claims()["workload"].iloc[0])
        return cls(results, machines, gates, frames, groups, store.size(directory), shown, test, programs, everything)


def workloads(results: Sequence[Result]) -> dict[str, Workload]:
    """The networks of some results, by name."""
    return {result.cell.workload.name: result.cell.workload for result in results}

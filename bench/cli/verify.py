"""The command `verify`: do the implementations do the same work?"""

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import (
    Data,
    Devices,
    Implementations,
    Plugins,
    Precisions,
    Pythons,
    Seed,
    Timeout,
    WorkloadFile,
    Workloads,
)

app = typer.Typer()


@app.command()
def verify(
    workload: Workloads = None,
    implementation: Implementations = None,
    plugin: Plugins = None,
    device: Devices = None,
    seed: Seed = 1,
    seeds: Annotated[int, typer.Option(min=1, help="Ask with so many seeds, one after the other from --seed on.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="Only what 'run' asks: no float64, no long training.")] = False,
    data: Data = None,
    workloads: WorkloadFile = None,
    timeout: Timeout = 300,
    python: Pythons = None,
    precision_mode: Precisions = None,
) -> int:
    """Prove that the implementations do the same work, without timing anything; exit 1 where one does not.

    Without options: every implementation, every network, one thread each, as many at a time as there are CPUs.
    """
    from tempfile import TemporaryDirectory

    from bench.session.choice import Options, prepare, to_verify
    from bench.session.progress import answered, rungs
    from bench.store import archive
    from bench.store.records.verification import Gate

    answers: list[Gate] = []

    def on_answer(gate: Gate, old: bool) -> None:
        answers.append(gate)
        print(answered(gate, old, seeds), flush=True)
        if seeds == 1 or gate.status == "failed":
            print(rungs(gate), flush=True)

    names = to_verify(implementation, plugin)
    with TemporaryDirectory(prefix="fcnbench-verify-") as folder:
        out = Path(folder)
        options = Options(
            workload=workload, implementation=names, plugin=plugin, device=device, blocks=1, seed=seed,
            data=data, workloads=workloads, preset="documents", timeout_s=timeout, python=python,
            precision_mode=precision_mode,
        )  # fmt: skip
        plan, session = prepare(options, out, say=print)
        with archive.opened(out):
            session.verify(plan, on_answer, not quick, seeds, side_by_side=max(plan.threads))
    passed = sum(gate.status == "passed" for gate in answers)
    skipped = sum(gate.status == "skipped" for gate in answers)
    print(f"{passed} of {len(answers)} passed{f', {skipped} skipped' if skipped else ''}")
    return 1 if any(gate.status == "failed" for gate in answers) else 0

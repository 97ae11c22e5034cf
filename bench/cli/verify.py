"""The command `verify`: do the implementations do the same work?"""

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import (
    Data,
    Devices,
    Implementations,
    Plugins,
    Pythons,
    Seed,
    Tf32,
    Timeout,
    WorkloadFile,
    Workloads,
    say,
)

app = typer.Typer()


@app.command()
def verify(
    workload: Workloads = None,
    implementation: Implementations = None,
    plugin: Plugins = None,
    device: Devices = None,
    seed: Seed = 1,
    seeds: Annotated[
        int, typer.Option(min=1, metavar="N", help="Ask with so many seeds, one after the other from --seed on.")
    ] = 1,
    quick: Annotated[
        bool, typer.Option("--quick", metavar="", help="Only what 'run' asks before it measures.")
    ] = False,
    data: Data = None,
    workloads: WorkloadFile = None,
    timeout: Timeout = 300,
    python: Pythons = None,
    tf32: Tf32 = False,
) -> int:
    """Prove that the implementations do the same work, without timing anything; exit 1 where one does not.

    Without options: every implementation, every network, one thread each, as many at a time as there are CPUs.
    """
    from tempfile import TemporaryDirectory

    from bench.session.choice import Options, to_verify
    from bench.session.progress import answered, checks
    from bench.session.setup import prepare
    from bench.session.verification import verify as ask
    from bench.store import archive
    from bench.store.records.verification import Verification

    answers: list[Verification] = []

    def on_answer(answer: Verification, old: bool) -> None:
        answers.append(answer)
        say(answered(answer, old, seeds))
        if seeds == 1 or answer.status == "failed":
            say(checks(answer))

    names = to_verify(implementation, plugin)
    with TemporaryDirectory(prefix="fcnbench-verify-") as folder:
        out = Path(folder)
        options = Options(
            workload=workload, implementation=names, plugin=plugin, device=device, blocks=1, seed=seed,
            data=data, workloads=workloads, preset="documents", timeout_s=timeout, python=python,
            tf32=tf32,
        )  # fmt: skip
        plan, session = prepare(options, out, say=say)
        with archive.opened(out):
            ask(session, plan, on_answer, not quick, seeds)
    passed = sum(answer.status == "passed" for answer in answers)
    skipped = sum(answer.status == "skipped" for answer in answers)
    say(f"{passed} of {len(answers)} passed{f', {skipped} skipped' if skipped else ''}")
    return 1 if any(answer.status == "failed" for answer in answers) else 0

"""The command ``floor``: the least time that an epoch can take on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import Data, Devices, Pythons, Threads, Timeout, WorkloadFile, Workloads, say

app = typer.Typer()


@app.command()
def floor(
    workload: Workloads = None,
    device: Devices = None,
    threads: Threads = None,
    blocks: Annotated[int, typer.Option(min=1, metavar="N", help="Times that every library is measured.")] = 3,
    data: Data = None,
    workloads: WorkloadFile = None,
    timeout: Timeout = 600,
    python: Pythons = None,
) -> int:
    """Measure what the machine itself needs at least for an epoch: its products, its optimiser, gathering its batches.

    Each part by every library that is here, each library in a process of its own; the best one counts. 'fcnbench run
    --floor' measures it beside the implementations and shows their times as multiples of it.
    """
    from dataclasses import replace
    from tempfile import TemporaryDirectory

    from bench.display import terminal
    from bench.report.chapters.floor import tables as floor_tables
    from bench.session.blocks.loop import measure_blocks
    from bench.session.choice import Options
    from bench.session.setup import prepare
    from bench.store import archive

    with TemporaryDirectory(prefix="fcnbench-floor-") as folder:
        options = Options(
            workload=workload, device=device, threads=threads, blocks=blocks, data=data, workloads=workloads,
            timeout_s=timeout, python=python, floor=True,
        )  # fmt: skip
        plan, session = prepare(options, Path(folder), say=say)
        plan = replace(plan, entries=())
        with archive.opened(Path(folder)):
            results = list(measure_blocks(session, plan.cells(), {}, say).values())
    sheets = floor_tables.sheets(results)
    say(terminal.page([], sheets))
    return 1 if any(result.status == "failed" for result in results) or not sheets else 0

"""The command `run`: measure, then compare and report."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from bench.cli.options import Data, Devices, Implementations, Plugins, Precisions, Pythons, Workloads
from bench.errors import FcnBenchError

app = typer.Typer()


@app.command()
def run(
    workload: Workloads = None,
    implementation: Implementations = None,
    plugin: Plugins = None,
    device: Devices = None,
    threads: Annotated[
        list[int] | None, typer.Option(help="CPU threads; may be repeated [default: all that may be used].")
    ] = None,
    blocks: Annotated[
        int | None,
        typer.Option(min=1, help="Times that every implementation is run [default: 3]; with --precision, the pilot's."),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(help="Take as many blocks as intervals of this half-width need, such as 2%; a pilot tells."),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Take as many blocks as this time allows, such as 10m; a pilot tells.")
    ] = None,
    repeats: Annotated[
        int | None,
        typer.Option(min=0, help="Disturbed blocks that are measured once more, per network [default: 1 in 5 blocks]."),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Epochs in each process [default: what the preset says]; the first is reported apart."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws start weights, batch order and the order of runs.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Result directory; an unfinished one is continued [default: results/PRESET].")
    ] = None,
    data: Data = None,
    workloads: Annotated[Path | None, typer.Option(help="TOML file with networks of your own.")] = None,
    preset: Annotated[
        Literal["quick", "documents"],
        typer.Option(
            help="quick: document 1's network, 2 epochs. documents: every document's networks, as long as they train."
        ),
    ] = "quick",
    timeout: Annotated[float, typer.Option(min=1, help="Seconds after which a process is killed.")] = 3600,
    python: Pythons = None,
    precision_mode: Precisions = None,
    floor: Annotated[
        bool, typer.Option("--floor", help="Measure in each block too what the machine itself needs at least.")
    ] = False,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Also time steps over batch sizes and widths: overhead against compute.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure again what is already there.")] = False,
) -> int:
    """Measure, then show the comparison and write tables, charts and a report.

    Without options: the network of document 1 in PyTorch and Keras, documented and matched, a few minutes.
    """
    from bench.cli import options
    from bench.session import choice, extras
    from bench.session.choice import Asked, prepare
    from bench.session.progress import introduction
    from bench.session.stages import measure
    from bench.store import archive, predictions
    from bench.store.archive import check_same_terms, finished
    from bench.store.records.verification import Verification
    from bench.store.sources import keep

    target = options.target(precision, budget)
    first = options.pilot(target, blocks, epochs)
    asked = Asked(
        workload,
        implementation,
        plugin,
        device,
        threads,
        first,
        epochs,
        seed,
        data,
        workloads,
        preset,
        timeout,
        python,
        precision_mode,
        floor,
        sweep,
    )
    out = out or Path("results", preset)
    plan, session = prepare(asked, out, say=print)
    with archive.opened(out):
        cells = plan.cells()
        done = archive.everything(out) if archive.has_results(out) else []
        check_same_terms(cells, [] if fresh else done, session.machine.machine, out)
        kept = finished(done, fresh)
        archive.save_record(out, session.machine)
        left = sum(cell.key not in kept for cell in cells)
        print(introduction(plan, session.machine.cpu, len(cells), left, out))
        try:
            plan = measure(plan, session, kept, target, repeats, partial(print, flush=True))
            extras.ask_probes(plan, session, choice.HEADLINE, fresh, partial(print, flush=True))
            extras.ask_breakdowns(plan, session, choice.HEADLINE, fresh, partial(print, flush=True))
            everything = archive.everything(out)
            results = archive.trained(everything)
            extras.ask_exports(results, session, choice.HEADLINE, fresh, partial(print, flush=True))
        except FcnBenchError:
            print()  # ends the line of the cell that was being measured
            raise
        except KeyboardInterrupt:
            print(f"\nstopped; finished cells are kept in {out}. Run the same command again to go on.", file=sys.stderr)
            raise
        predictions.keep(out, session.data, results, plan.data)
        keep(out, plan.entries)
        from bench.report import (
            build,  # here, so that a mistake in the arguments is told without waiting for matplotlib
        )

        built = build.build(out)
        asked_for = {cell.key for cell in plan.cells()}
        failed = any(result.status == "failed" for result in everything if result.cell.key in asked_for)
        refused = any(answer.status == "failed" for answer in archive.records(out, Verification))
    print(built.text)
    print(f"report: {built.html}")
    return 1 if failed or refused else 0

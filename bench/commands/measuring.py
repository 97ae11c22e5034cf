"""The commands that start frameworks: ``run`` and ``verify``."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from bench.errors import FcnBenchError

app = typer.Typer()

Data = Annotated[
    Path | None, typer.Option(envvar="FCNBENCH_DATA", help="Directory with the four IDX files [default: cached MNIST].")
]
Workloads = Annotated[list[str] | None, typer.Option("--workload", help="Network to train; may be repeated.")]
Implementations = Annotated[
    list[str] | None, typer.Option("--implementation", help="Implementation to run; may be repeated.")
]
Devices = Annotated[
    list[str] | None,
    typer.Option("--device", help="cpu, cuda, cuda:N, mps, auto; may be repeated [default: what this machine has]."),
]
Plugins = Annotated[
    list[Path] | None, typer.Option("--plugin", help="Python file with an implementation of yours; may be repeated.")
]

Precisions = Annotated[
    list[str] | None,
    typer.Option(
        "--precision-mode",
        help="float32, tf32 (NVIDIA GPUs, as network NAME-tf32); may be repeated [default: float32].",
    ),
]
Pythons = Annotated[
    list[str] | None,
    typer.Option("--python", help="FRAMEWORK=PATH: another interpreter for a framework; may be repeated."),
]


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
    from bench import arguments, breakdowns, digits, exported, probes, progress, sources, stages, store
    from bench.arguments import Asked, prepare
    from bench.run import check_same_terms, finished

    target = arguments.target(precision, budget)
    first = arguments.pilot(target, blocks, epochs)
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
    with store.opened(out):
        cells = plan.cells()
        done = store.everything(out) if store.has_results(out) else []
        check_same_terms(cells, [] if fresh else done, session.machine.machine, out)
        kept = finished(done, fresh)
        store.save_machine(out, session.machine)
        left = sum(cell.key not in kept for cell in cells)
        print(progress.introduction(plan, session.machine.cpu, len(cells), left, out))
        try:
            plan = stages.measure(plan, session, kept, target, repeats, partial(print, flush=True))
            probes.ask(plan, session, arguments.HEADLINE, fresh, partial(print, flush=True))
            breakdowns.ask(plan, session, arguments.HEADLINE, fresh, partial(print, flush=True))
            everything = store.everything(out)
            results = store.trained(everything)
            exported.ask(results, session, arguments.HEADLINE, fresh, partial(print, flush=True))
        except FcnBenchError:
            print()  # ends the line of the cell that was being measured
            raise
        except KeyboardInterrupt:
            print(f"\nstopped; finished cells are kept in {out}. Run the same command again to go on.", file=sys.stderr)
            raise
        digits.keep(out, session.data, results, plan.data)
        sources.keep(out, plan.entries)
        from bench import report  # here, so that a mistake in the arguments is told without waiting for matplotlib

        built = report.build(out)
        asked_for = {cell.key for cell in plan.cells()}
        failed = any(result.status == "failed" for result in everything if result.cell.key in asked_for)
        refused = any(gate.status == "failed" for gate in store.gates(out))
    print(built.text)
    print(f"report: {built.html}")
    return 1 if failed or refused else 0


@app.command()
def verify(
    workload: Workloads = None,
    implementation: Implementations = None,
    plugin: Plugins = None,
    device: Devices = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws the samples and the start weights.")] = 1,
    seeds: Annotated[int, typer.Option(min=1, help="Ask with so many seeds, one after the other from --seed on.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="Only what 'run' asks: no float64, no long training.")] = False,
    data: Data = None,
    workloads: Annotated[Path | None, typer.Option(help="TOML file with networks of your own.")] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds after which a process is killed.")] = 300,
    python: Pythons = None,
    precision_mode: Precisions = None,
) -> int:
    """Prove that the implementations do the same work, without timing anything; exit 1 where one does not.

    Without options: every implementation, every network, one thread each, as many at a time as there are CPUs.
    """
    from tempfile import TemporaryDirectory

    from bench import progress, store
    from bench.arguments import Asked, prepare
    from bench.records import Gate
    from impls import registry

    answers: list[Gate] = []

    def on_answer(gate: Gate, old: bool) -> None:
        answers.append(gate)
        print(progress.answered(gate, old, seeds), flush=True)
        if seeds == 1 or gate.status == "failed":
            print(progress.rungs(gate), flush=True)

    if not implementation:
        rows = map(registry.from_file, plugin) if plugin else registry.installed()
        implementation = [entry.name for entry in rows if entry.gated]
    with TemporaryDirectory(prefix="fcnbench-verify-") as folder:
        out = Path(folder)
        asked = Asked(
            workload,
            implementation,
            plugin,
            device,
            None,
            1,
            None,
            seed,
            data,
            workloads,
            "documents",
            timeout,
            python,
            precision_mode,
        )
        plan, session = prepare(asked, out, say=print)
        with store.opened(out):
            session.verify(plan, on_answer, not quick, seeds, side_by_side=max(plan.threads))
    passed = sum(gate.status == "passed" for gate in answers)
    skipped = sum(gate.status == "skipped" for gate in answers)
    print(f"{passed} of {len(answers)} passed{f', {skipped} skipped' if skipped else ''}")
    return 1 if any(gate.status == "failed" for gate in answers) else 0

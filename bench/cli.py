"""The command line: arguments in, lines out. The only place that prints or exits."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from bench.errors import FcnBenchError

IMAGES = 60_000

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Train the same network in PyTorch and in Keras, prove that the work was the same, and say which is faster.",
)

Data = Annotated[
    Path | None, typer.Option(envvar="FCNBENCH_DATA", help="Directory with the four IDX files [default: cached MNIST].")
]
Workloads = Annotated[list[str] | None, typer.Option("--workload", help="Network to train; may be repeated.")]
Implementations = Annotated[
    list[str] | None, typer.Option("--implementation", help="Implementation to run; may be repeated.")
]
Devices = Annotated[
    list[str] | None, typer.Option("--device", help="cpu, cuda, mps; may be repeated [default: what this machine has].")
]
Plugins = Annotated[
    list[Path] | None, typer.Option("--plugin", help="Python file with an implementation of yours; may be repeated.")
]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; every error that a user can mend is one line, and the exit status says what kind it was."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        status = app(arguments or ["--help"], standalone_mode=False)
        sys.stdout.flush()  # here, where a closed pipe is an answer too
    except (FcnBenchError, typer.TyperException) as error:
        message = str(error) if isinstance(error, FcnBenchError) else usage(error)
        print(f"fcnbench: {' '.join(message.split())}", file=sys.stderr)
        status = error.exit_status if isinstance(error, FcnBenchError) else 2
    except (KeyboardInterrupt, typer.Abort):
        status = 130
    except BrokenPipeError:  # `fcnbench list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = 0
    except Exception as error:  # a mistake of ours, but still one line; finished cells are on the disk
        if os.environ.get("FCNBENCH_DEBUG"):
            raise
        print(
            f"fcnbench: unexpected {type(error).__name__}: {' '.join(str(error).split())[:200]}; finished cells are "
            "kept; set FCNBENCH_DEBUG=1 to see where, and report it",
            file=sys.stderr,
        )
        status = 1
    sys.exit(status if isinstance(status, int) else 0)


def usage(error: typer.TyperException) -> str:
    """A usage error on one line, with the command to ask for help."""
    return f"{' '.join(error.format_message().split())} (see 'fcnbench --help')"


@app.command()
def run(
    workload: Workloads = None,
    implementation: Implementations = None,
    plugin: Plugins = None,
    device: Devices = None,
    threads: Annotated[
        list[int] | None, typer.Option(help="CPU threads; may be repeated [default: all that may be used].")
    ] = None,
    blocks: Annotated[int, typer.Option(min=1, help="Times that every implementation is run.")] = 3,
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
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure again what is already there.")] = False,
) -> int:
    """Measure, then show the comparison and write tables, charts and a report.

    Without options: the network of document 1 in PyTorch and Keras, documented and matched, a few minutes.
    """
    from bench import progress, store
    from bench.arguments import Asked, prepare
    from bench.run import check_same_terms, unfinished

    asked = Asked(
        workload, implementation, plugin, device, threads, blocks, epochs, seed, data, workloads, preset, timeout
    )
    out = out or Path("results", preset)
    plan, session = prepare(asked, out, say=print)
    with store.opened(out):
        cells = plan.cells()
        done = store.results(out) if store.has_results(out) else []
        check_same_terms(cells, [] if fresh else done, session.machine.machine, out)
        todo = unfinished(cells, done, fresh)
        store.save_machine(out, session.machine)
        print(progress.introduction(plan, session.machine.cpu, len(cells), len(todo), out))
        try:
            session.verify(plan, lambda gate, old: print(progress.answered(gate, old), flush=True))
            session.run(
                todo,
                lambda at: print(progress.started(at), end="", flush=True),
                lambda result: print(progress.ended(result), flush=True),
            )
        except FcnBenchError:
            print()  # ends the line of the cell that was being measured
            raise
        except KeyboardInterrupt:
            print(f"\nstopped; finished cells are kept in {out}. Run the same command again to go on.", file=sys.stderr)
            raise
        from bench import report  # here, so that a mistake in the arguments is told without waiting for matplotlib

        built = report.build(out)
        asked_for = {cell.key for cell in cells}
        failed = any(result.status == "failed" for result in store.results(out) if result.cell.key in asked_for)
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
            workload, implementation, plugin, device, None, 1, None, seed, data, workloads, "documents", timeout
        )
        plan, session = prepare(asked, out, say=print)
        with store.opened(out):
            session.verify(plan, on_answer, not quick, seeds, side_by_side=max(plan.threads))
    passed = sum(gate.status == "passed" for gate in answers)
    skipped = sum(gate.status == "skipped" for gate in answers)
    print(f"{passed} of {len(answers)} passed{f', {skipped} skipped' if skipped else ''}")
    return 1 if any(gate.status == "failed" for gate in answers) else 0


@app.command()
def report(directory: Annotated[Path, typer.Argument(help="A result directory.")]) -> None:
    """Rebuild CSVs, tables, charts and report from the stored cells; no framework is needed."""
    from bench import report

    built = report.build(directory)
    print(built.text)
    print(f"report: {built.html}")


@app.command("list")
def list_(
    file: Annotated[Path | None, typer.Option("--workloads", help="TOML file with networks of your own.")] = None,
) -> None:
    """Show the implementations and the networks."""
    from rich.console import Console
    from rich.table import Table

    from bench import workloads
    from bench.plan import package_version
    from impls import registry

    console = Console(width=None if sys.stdout.isatty() else 140)
    table = Table("IMPLEMENTATION", "TIER", "INSTALLED HERE", box=None, padding=(0, 2, 0, 0))
    for entry in registry.installed():
        versions = [f"{package} {package_version(package)}" for package in entry.packages]
        table.add_row(entry.name, entry.tier, ", ".join(versions) if entry in registry.BUILT_IN else "as it needs")
    console.print(table)
    print()
    columns = ("NETWORK", "DOCUMENT", "LAYERS", "PARAMETERS", "GFLOP/EPOCH", "BATCH", "EPOCHS", "OPTIMISER")
    table = Table(*columns, box=None)
    table.padding = (0, 2, 0, 0)
    table.columns[0].no_wrap = True
    for workload in workloads.load(file or workloads.OWN).values():
        table.add_row(
            workload.name, str(workload.document or "-"), " - ".join(map(workloads.describe, workload.layers)),
            f"{workload.parameters:,}", f"{workload.flops * IMAGES * (1 - workload.validation) / 1e9:,.1f}",
            str(workload.batch_size), str(workload.epochs), workloads.describe_optimiser(workload.optimiser),
        )  # fmt: skip
    console.print(table)
    console.print(
        f"GFLOP/EPOCH: products with the kernels, forward and backward, for MNIST's {IMAGES:,} training images less "
        "those held out for validation.",
        highlight=False,
    )


@app.command()
def data(
    directory: Annotated[
        Path | None, typer.Argument(envvar="FCNBENCH_DATA", help="A directory with IDX files to check.")
    ] = None,
) -> None:
    """Fetch MNIST once, check it against the published digests, and show where it lies."""
    from bench import fetch, mnist

    root = fetch.find(directory, say=print)
    found = mnist.describe(root)
    print(f"{found.name}: {found.n_train:,} training and {found.n_test:,} test images in {root / 'MNIST' / 'raw'}")
    for name, md5 in found.md5.items():
        print(f"  {name}  md5 {md5}")


@app.command()
def env() -> None:
    """Show the machine, the versions and the switches that a measurement here would have."""
    from dataclasses import asdict

    from bench import environment
    from bench.plan import package_version
    from impls import registry

    machine = environment.machine()
    for name, value in asdict(machine).items():
        print(f"{name:20} {'-' if value in (None, '') else value}")
    for package in registry.all_packages():
        print(f"{package:20} {package_version(package)}")
    for name, value in registry.environment(registry.BUILT_IN[0], "cpu", machine.available_cpus).items():
        print(f"{name:30} {value}")


if __name__ == "__main__":
    main()

"""The command `run`: measure, then compare and report."""

import sys
from pathlib import Path

import typer

from bench.cli import options as given
from bench.cli.options import say, seconds, share

app = typer.Typer()


@app.command()
def run(
    workload: given.Workloads = None,
    implementation: given.Implementations = None,
    plugin: given.Plugins = None,
    device: given.Devices = None,
    threads: given.Threads = None,
    blocks: given.Blocks = None,
    precision: given.Precision = None,
    budget: given.Budget = None,
    repeats: given.Repeats = None,
    epochs: given.Epochs = None,
    seed: given.Seed = 1,
    out: given.Out = None,
    data: given.Data = None,
    workloads: given.WorkloadFile = None,
    preset: given.Preset = "quick",
    timeout: given.Timeout = 3600,
    python: given.Pythons = None,
    tf32: given.Tf32 = False,
    floor: given.Floor = False,
    sweep: given.Sweep = False,
    extras: given.Extras = None,
    fresh: given.Fresh = False,
) -> int:
    """Measure, then show the comparison and write tables, charts and a report.

    Without options: the first tutorial's network in both frameworks, doing the same and as the tutorial writes it;
    some minutes.
    """
    from bench.machine import neighbours
    from bench.session import run as session_run
    from bench.session.choice import Options
    from bench.session.setup import prepare
    from bench.store import archive

    options = Options(
        workload=workload, implementation=implementation, plugin=plugin, device=device, threads=threads, blocks=blocks,
        precision=None if precision is None else share("--precision", precision),
        budget_s=None if budget is None else seconds("--budget", budget),
        repeats=repeats, epochs=epochs, seed=seed, data=data, workloads=workloads, preset=preset, timeout_s=timeout,
        python=python, tf32=tf32, floor=floor, sweep=sweep, extras=extras, fresh=fresh,
    )  # fmt: skip
    out = out or Path("results", preset)
    plan, session = prepare(options, out, say=say)
    neighbours.warn(max(plan.threads), say)
    with archive.opened(out):
        try:
            good = session_run.run(plan, session, options, say, lambda: say_answer(out, plan.questions()))
            say_report(out)
            if options.with_extras:
                session_run.extra(plan, session, options, say)
                say_report(out)
        except KeyboardInterrupt:
            say(f"\nstopped; what is finished is kept in {out}. Run the same command again to go on.", file=sys.stderr)
            raise
    return 0 if good else 1


def say_answer(directory: Path, questions: int) -> None:
    """Show what the cells say that are measured so far, of so many questions."""
    from bench.report import build  # takes a second, for which a mistake in the arguments does not wait

    say(f"\n{build.answer(directory, questions)}\n")


def say_report(directory: Path) -> None:
    """Build the report, show its table and say where it is."""
    from bench.report import build

    built = build.build(directory)
    say(built.text)
    say(f"report: {built.html}\n")
    for line in built.headlines:
        say(line)

"""The commands that write and read pytest-benchmark's JSON."""

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import say

app = typer.Typer()


@app.command("export-benchmark")
def export_benchmark(
    directory: Annotated[Path, typer.Argument(metavar="DIRECTORY", help="A result directory.")],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="JSON file to write; - for the terminal (default: DIRECTORY/benchmark.json)."
        ),
    ] = None,
) -> None:
    """Write a result directory as pytest-benchmark's JSON, for 'pytest-benchmark compare' and --benchmark-compare."""
    from bench.report import benchmark_json

    text, number = benchmark_json.export(directory)
    if str(out) == "-":
        say(text)
        return
    path = out or directory / "benchmark.json"
    benchmark_json.write(path, text)
    say(f"{number} benchmarks: {path}; look at them with: pytest-benchmark compare {path}")


@app.command("import-benchmark")
def import_benchmark(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="JSON files of 'pytest bench --benchmark-json', one per block."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIRECTORY", help="Result directory (default: results/NAME, as the first file)."),
    ] = None,
) -> None:
    """Bring what the pytest-benchmark suite measured into a result directory, and write its tables and report."""
    from bench.display import numbers
    from bench.report import benchmark_json, build

    directory = out or Path("results", files[0].stem)
    added, others = benchmark_json.save(files, directory)
    built = build.rebuild(directory)
    say(built.text)
    say(f"new in {directory}: {numbers.count(added, 'process', 'es')}")
    if others:
        left = numbers.count(others, "benchmark")
        say(f"{left} of other processes (first epoch, prediction, import) left in the files")
    say(f"report: {built.html}")

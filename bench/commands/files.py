"""The commands that read stored results, and need no framework."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def report(directory: Annotated[Path, typer.Argument(help="A result directory.")]) -> None:
    """Rebuild CSVs, tables, charts and report from the stored cells; no framework is needed."""
    from bench import report

    built = report.build(directory)
    print(built.text)
    print(f"report: {built.html}")


@app.command()
def compare(
    base: Annotated[Path, typer.Argument(help="The result directory to compare with.")],
    new: Annotated[Path, typer.Argument(help="The result directory to judge.")],
    fail_slower: Annotated[
        str, typer.Option(help="Exit 1 where something is surely slower, and by more than this.")
    ] = "5%",
    markdown: Annotated[
        Path | None, typer.Option(help="File for a summary in Markdown, as for a pull request; - for the terminal.")
    ] = None,
) -> int:
    """Compare two result directories: another version, another machine, another implementation of the same name.

    Exit status: 0 nothing is slower, 1 something is slower or was lost, 2 the two cannot be compared.
    """
    from bench import regression
    from bench.arguments import share

    found = regression.compare(base, new, share("--fail-slower", fail_slower))
    if markdown is None or str(markdown) != "-":
        print(found.text)
    if markdown is not None:
        if str(markdown) == "-":
            print(found.markdown, end="")
        else:
            regression.write(markdown, found)
            print(f"summary: {markdown}")
    return 1 if found.regressions else 0


@app.command("export-benchmark")
def export_benchmark(
    directory: Annotated[Path, typer.Argument(help="A result directory.")],
    out: Annotated[
        Path | None, typer.Option(help="JSON file to write; - for the terminal [default: DIRECTORY/benchmark.json].")
    ] = None,
) -> None:
    """Write a result directory as pytest-benchmark's JSON, for 'pytest-benchmark compare' and --benchmark-compare."""
    from bench import exchange

    text, number = exchange.export(directory)
    if str(out) == "-":
        print(text)
        return
    path = out or directory / "benchmark.json"
    exchange.write(path, text)
    print(f"{number} benchmarks: {path}; look at them with: pytest-benchmark compare {path}")


@app.command("import-benchmark")
def import_benchmark(
    files: Annotated[list[Path], typer.Argument(help="JSON files of 'pytest bench --benchmark-json', one per block.")],
    out: Annotated[
        Path | None, typer.Option(help="Result directory [default: results/NAME, as the first file].")
    ] = None,
) -> None:
    """Bring what the pytest-benchmark suite measured into a result directory, and write its tables and report."""
    from bench import exchange, report, words

    directory = out or Path("results", files[0].stem)
    added, others = exchange.save(files, directory)
    built = report.build(directory)
    print(built.text)
    print(f"new in {directory}: {words.count(added, 'process', 'es')}")
    if others:
        print(
            f"{words.count(others, 'benchmark')} of other processes (first epoch, prediction, import) left in the files"
        )
    print(f"report: {built.html}")

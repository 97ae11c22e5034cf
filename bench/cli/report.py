"""The commands `report` and `compare`, which read stored results."""

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import say

app = typer.Typer()


@app.command()
def report(directory: Annotated[Path, typer.Argument(metavar="DIRECTORY", help="A result directory.")]) -> None:
    """Rebuild CSVs, tables, charts and report from the stored cells; no framework is needed."""
    from bench.report import build

    built = build.rebuild(directory)
    say(built.text)
    say(f"report: {built.html}")


@app.command()
def compare(
    base: Annotated[Path, typer.Argument(metavar="BASE", help="The result directory to compare with.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The result directory to judge.")],
    fail_slower: Annotated[
        str, typer.Option(metavar="SHARE", help="Exit 1 where something is surely slower, and by more than this.")
    ] = "5%",
    markdown: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File for a summary in Markdown, as for a pull request; - for the terminal."),
    ] = None,
) -> int:
    """Compare two result directories: another version, another machine, another implementation of the same name.

    Exit status: 0 nothing is slower, 1 something is slower or was lost, 2 the two cannot be compared.
    """
    from bench import files
    from bench.cli.options import share
    from bench.report import compare as report_compare

    comparison = report_compare.compare(base, new, share("--fail-slower", fail_slower))
    if str(markdown) == "-":
        say(comparison.markdown, end="")
    else:
        say(comparison.text)
        if markdown is not None:
            with files.writing(markdown, "make room or give another --markdown"):
                files.write_text(markdown, comparison.markdown)
            say(f"summary: {markdown}")
    return 1 if comparison.regressions else 0

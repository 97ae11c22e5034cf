"""The command that writes a trained network in another format."""

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import Data, Timeout, say
from impls import exports

app = typer.Typer()
FORMATS = ", ".join(
    f"{format} ({', '.join(dict.fromkeys(row.suffix for row in exports.writers(format)))})"
    for format in exports.FORMATS
)
BY = ", ".join(dict.fromkeys(row.by for row in exports.EXPORTERS))


@app.command()
def export(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A portable file (models/*.npz), or a result directory.")
    ],
    format: Annotated[str, typer.Option(metavar="FORMAT", help=f"Format to write: {FORMATS}.")],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="File, or a directory for it (default: WORKLOAD.IMPLEMENTATION.SUFFIX, here)."
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="FRAMEWORK", help=f"Framework that writes the file: {BY} (default: the one that trained it)."
        ),
    ] = None,
    implementation: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of a result directory: who trained it.")
    ] = None,
    workload: Annotated[
        str | None, typer.Option(metavar="NETWORK", help="Of a result directory: which network.")
    ] = None,
    data: Data = None,
    timeout: Timeout = 900,
) -> None:
    """Write a trained network in a format of the frameworks or of other programs, and show its graph.

    The file is compared with the original on all test images first: what does other work is not written (exit
    status 1). A file that is there already is replaced.
    """
    from bench.data import download
    from bench.models import export as exporting
    from bench.models import graph

    planned = exporting.prepare(model, format, by, out, implementation, workload)
    root = download.find(data, say=say)
    say(graph.text(planned, exporting.export(planned, root, timeout)))

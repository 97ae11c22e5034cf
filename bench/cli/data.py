"""The command `data`: fetch MNIST and check it."""

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import say

app = typer.Typer()


@app.command()
def data(
    directory: Annotated[
        Path | None,
        typer.Argument(metavar="DIRECTORY", envvar="FCNBENCH_DATA", help="A directory with IDX files to check."),
    ] = None,
) -> None:
    """Fetch MNIST once, check it against the published digests, and show where it lies."""
    from bench.data import download
    from bench.data.mnist import describe

    root = download.find(directory, say=say)
    idx = describe(root)
    say(f"{idx.name}: {idx.n_train:,} training and {idx.n_test:,} test images in {root / 'MNIST' / 'raw'}")
    for name, md5 in idx.md5.items():
        say(f"  {name}  md5 {md5}")

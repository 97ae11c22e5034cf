"""The command that asks trained networks: ``predict``."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bench.cli.options import Pythons, Timeout, say
from impls import registry
from impls.frameworks import FRAMEWORKS

if TYPE_CHECKING:
    from bench.models.predict import Prediction

NATIVE = ", ".join(row.native for row in FRAMEWORKS.values() if row.native)
Models = Annotated[
    list[Path] | None,
    typer.Option(
        "--model",
        metavar="PATH",
        help=f"Trained network (.npz of models/, {NATIVE}) or a result directory with some; may be repeated "
        "(default: results/quick, else results/reference).",
    ),
]
Network = Annotated[
    str | None,
    typer.Option(
        "--workload",
        metavar="NETWORK",
        help="Which network of a result directory (default: mlp-128-64, or the only one).",
    ),
]
Predictors = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="FRAMEWORK",
        help=f"Predict in {', '.join(registry.predictors())}; may be repeated (default: what trained).",
    ),
]
Resize = Annotated[
    Literal["centred", "plain"],
    typer.Option(
        metavar="HOW", help="centred: as MNIST was made. plain: the whole picture on 28 x 28, as the tutorials do."
    ),
]
app = typer.Typer()


@app.command()
def predict(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Images, each of one handwritten digit.")],
    model: Models = None,
    workload: Network = None,
    with_: Predictors = None,
    resize: Resize = "centred",
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="cpu, cuda, cuda:N, mps or auto (the best that there is).")
    ] = "cpu",
    all_ten: Annotated[
        bool, typer.Option("--all", metavar="", help="Show the probabilities of all ten digits.")
    ] = False,
    show: Annotated[bool, typer.Option("--show", metavar="", help="Show what the networks see.")] = False,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON instead of tables.")] = False,
    timeout: Timeout = 300,
    python: Pythons = None,
) -> int:
    """Say which digit an image file shows: trained networks side by side, each in the framework that trained it.

    Exit status: 0 all were predicted, 1 a network could not say anything, 2 a file or a network cannot be used.
    """
    from tempfile import TemporaryDirectory

    import numpy as np

    from bench.models import find, picture
    from bench.models import predict as asking
    from bench.session.devices import chosen_devices
    from bench.worker.interpreters import assigned

    names = asking.predictors(with_ or [])
    chosen_device = chosen_devices([device])[0]
    rows = assigned(list(registry.predictors().values()), python or [])
    images, refused = picture.load_all(files, resize)
    file_names = list(map(shown, images))
    with TemporaryDirectory(prefix="fcnbench-predict-") as folder:
        networks, unusable = find.chosen(model or [], workload, rows, Path(folder), timeout) if images else ([], [])
        pixels = np.array(list(images.values()), np.uint8).reshape(-1, 28, 28)
        answers = asking.ask(networks, names, rows, pixels, chosen_device, timeout, Path(folder)) if networks else []
    refused += unusable
    for line in refused:
        say(f"fcnbench: {shown(' '.join(line.split()))}", file=sys.stderr)
    if as_json:
        print_json(file_names, pixels, answers, refused)
    else:
        print_tables(file_names, pixels, answers, all_ten, show)
    if refused:
        return 2
    statuses = {answer.status for answer in answers}
    return 1 if "failed" in statuses or "ok" not in statuses else 0


def print_json(names: Sequence[str], pixels: Any, answers: "Sequence[Prediction]", refused: Sequence[str]) -> None:
    """Everything, for another program."""
    import json

    from bench.models.answers import record

    say(json.dumps(record(names, pixels, answers, refused), indent=1, allow_nan=False))


def print_tables(names: Sequence[str], pixels: Any, answers: "Sequence[Prediction]", all_ten: bool, show: bool) -> None:
    """A table for each image, where there are predictions; then why a network predicted nothing."""
    from bench.display import terminal
    from bench.models.answers import failures, picture, sheet

    for number, name in enumerate(names if answers else []):
        say(terminal.page([], [sheet(name, answers, number, all_ten)]))
        if show:
            say("\n".join(["", *picture(pixels[number])]))
    for lines in failures(answers):
        say(f"\n{lines}")


def shown(text: object) -> str:
    """A file's name as any terminal can show it: what is no letter is written out."""
    text = str(text).encode("utf-8", "backslashreplace").decode()
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)

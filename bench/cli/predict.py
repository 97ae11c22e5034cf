"""The command that asks trained networks: ``predict``."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from bench.cli.options import Pythons, Timeout
from bench.errors import FcnBenchError
from impls import registry
from impls.frameworks import FRAMEWORKS

app = typer.Typer()
NATIVE = ", ".join(row.native for row in FRAMEWORKS.values() if row.native)


@app.command()
def predict(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Images, each of one handwritten digit.")],
    model: Annotated[
        list[Path] | None,
        typer.Option(
            help=f"Trained network (.npz of models/, {NATIVE}) or a result directory with some; may be repeated "
            "[default: results/quick, else results/reference]."
        ),
    ] = None,
    workload: Annotated[
        str | None, typer.Option(help="Which network of a result directory [default: mlp-128-64, or the only one].")
    ] = None,
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help=f"Predict in {', '.join(registry.predictors())}; may be repeated [default: what trained].",
        ),
    ] = None,
    resize: Annotated[
        Literal["centred", "plain"],
        typer.Option(help="centred: as MNIST was made. plain: the whole picture on 28 x 28, as the documents do."),
    ] = "centred",
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:N, mps or auto (the best that there is).")] = "cpu",
    all_ten: Annotated[bool, typer.Option("--all", help="Show the probabilities of all ten digits.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Show what the networks see.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    timeout: Timeout = 300,
    python: Pythons = None,
) -> int:
    """Say which digit an image file shows: trained networks side by side, each in the framework that trained it.

    Exit status: 0 all were predicted, 1 a network could not say anything, 2 a file or a network cannot be used.
    """
    import json
    from tempfile import TemporaryDirectory

    import numpy as np

    from bench.display import terminal
    from bench.machine import description
    from bench.models import answers as prediction_answers
    from bench.models import find, picture
    from bench.models import predict as asking
    from bench.session import choice
    from bench.worker.interpreters import assigned

    names = asking.predictors(with_ or [])
    where = choice.chosen_devices([device], description.devices())[0]
    rows = assigned(list(registry.predictors().values()), python or [])
    refused, read = [], {}
    for file in dict.fromkeys(files):
        try:
            read[shown(str(file))] = picture.load(file, resize)
        except FcnBenchError as error:
            refused.append(str(error))
    with TemporaryDirectory(prefix="fcnbench-predict-") as folder:
        kept, unusable = (
            find.chosen(model or [], workload, choice.HEADLINE, rows, Path(folder), timeout) if read else ([], [])
        )
        seen = np.array(list(read.values()), np.uint8).reshape(-1, 28, 28)
        answers = asking.ask(kept, names, rows, seen, where, timeout, Path(folder)) if kept else []
    for line in (refused := refused + unusable):
        print(f"fcnbench: {shown(' '.join(line.split()))}", file=sys.stderr)
    if as_json:
        print(json.dumps(prediction_answers.record(list(read), seen, answers, refused), indent=1, allow_nan=False))
    else:
        for number, name in enumerate(read if answers else []):
            print(terminal.page([], [prediction_answers.sheet(name, answers, number, all_ten)]))
            if show:
                print("\n".join(["", *prediction_answers.picture(seen[number])]))
        for line in prediction_answers.lost(answers):
            print(f"\n{terminal.wrapped(line)}")
    if refused:
        return 2
    statuses = {answer.status for answer in answers}
    return 1 if "failed" in statuses or "ok" not in statuses else 0


def shown(text: str) -> str:
    """A file's name as any terminal can show it: what is no letter is written out."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)

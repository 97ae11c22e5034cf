"""Options that several commands share, and how their values are read."""

import re
from pathlib import Path
from typing import Annotated

import typer

from bench.errors import FcnBenchError
from bench.session import choice
from bench.session.pilot import Target

UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3600}
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


def share(option: str, text: str) -> float:
    """A share as people write it, above 0 and below 1: ``2%``, ``2 %`` and ``0.02`` are 0.02."""
    number, percent = re.subn(r"\s*%$", "", text.strip())
    try:
        value = float(number) / (100 if percent else 1)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise FcnBenchError(f"{option} {text!r}: expected a share such as 2% or 0.02")
    return value


def seconds(option: str, text: str) -> float:
    """A time as people write it: ``90s``, ``10m``, ``1h30m``; a number alone is of seconds."""
    found = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    whole = "".join(number + unit for number, unit in found) == re.sub(r"\s", "", text.lower())
    units = [unit or "s" for _, unit in found]
    if not found or not whole or not set(units) <= set(UNITS_S):
        raise FcnBenchError(f"{option} {text!r}: expected a time such as 90s, 10m or 1h30m")
    total = sum(float(number) * UNITS_S[unit] for (number, _), unit in zip(found, units, strict=True))
    if not total:
        raise FcnBenchError(f"{option} {text!r}: expected more than no time, such as 10m")
    return total


def pilot(target: Target, blocks: int | None, epochs: int | None) -> int:
    """The blocks to begin with: as many as were asked for, else a pilot's, or three where nothing is to be decided."""
    if target.half_width is not None and blocks == 1:
        raise FcnBenchError("--blocks 1 with --precision: a pilot needs at least 2 blocks; leave --blocks out")
    if target.half_width is not None and epochs == 1:
        raise FcnBenchError("--epochs 1 with --precision: there are no steady epochs; take 2 or more")
    return blocks or target.pilot or choice.BLOCKS


def target(precision: str | None, budget: str | None) -> Target:
    """What decides on the number of blocks, if anything does."""
    return Target(
        None if precision is None else share("--precision", precision),
        None if budget is None else seconds("--budget", budget),
    )

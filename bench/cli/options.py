"""What several commands share: options, how their values are read, how a line is printed."""

import re
import sys
from pathlib import Path
from typing import Annotated, Literal, TextIO

import typer

from bench.display.text import clean
from bench.errors import FcnBenchError

MOST = 2**31 - 1
"""The largest number that every framework takes for a seed."""
UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3600}

Workloads = Annotated[list[str] | None, typer.Option("--workload", help="Network to train; may be repeated.")]
WorkloadFile = Annotated[Path | None, typer.Option("--workloads", help="TOML file with networks of your own.")]
Implementations = Annotated[
    list[str] | None, typer.Option("--implementation", help="Implementation to run; may be repeated.")
]
Plugins = Annotated[
    list[Path] | None, typer.Option("--plugin", help="Python file with an implementation of yours; may be repeated.")
]
Devices = Annotated[
    list[str] | None,
    typer.Option("--device", help="cpu, cuda, cuda:N, mps, auto; may be repeated [default: what this machine has]."),
]
Threads = Annotated[
    list[int] | None,
    typer.Option(
        "--threads",
        help="CPU threads; may be repeated [default: all CPUs that may be used but one, which stays free for whatever "
        "else runs: a neighbour on one thread's CPU makes all threads wait].",
    ),
]
Blocks = Annotated[
    int | None,
    typer.Option(
        "--blocks", min=1, help="Times that every implementation is run [default: 4]; with --precision, the pilot's."
    ),
]
Precision = Annotated[
    str | None,
    typer.Option("--precision", help="Precision to reach, such as 2%; a pilot decides how many blocks that takes."),
]
Budget = Annotated[
    str | None, typer.Option("--budget", help="Time to use, such as 10m; a pilot decides how many blocks it is for.")
]
Repeats = Annotated[
    int | None,
    typer.Option(
        "--repeats", min=0, help="Disturbed blocks that are measured once more, per network [default: 1 in 5 blocks]."
    ),
]
Epochs = Annotated[
    int | None,
    typer.Option(
        "--epochs",
        min=1,
        max=2**31 - 1,
        help="Epochs in each process [default: those of the preset]; the first is reported apart.",
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        "--seed", min=0, max=2**31 - 1, help="Draws start weights, batch order, samples and the order of runs."
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Result directory; an unfinished one is continued [default: results/PRESET]."),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="FCNBENCH_DATA", help="Directory with the four IDX files [default: cached MNIST]."),
]
Preset = Annotated[
    Literal["quick", "documents"],
    typer.Option(
        "--preset",
        help="quick: document 1's network, 2 epochs. documents: every document's networks, as long as they train.",
    ),
]
Timeout = Annotated[float, typer.Option("--timeout", min=1, help="Seconds after which a process is killed.")]
Pythons = Annotated[
    list[str] | None,
    typer.Option("--python", help="FRAMEWORK=PATH: another interpreter for a framework; may be repeated."),
]
Precisions = Annotated[
    list[str] | None,
    typer.Option(
        "--precision-mode",
        help="float32, tf32 (NVIDIA GPUs, as network NAME-tf32); may be repeated [default: float32].",
    ),
]
Floor = Annotated[bool, typer.Option("--floor", help="Measure in each block too what the machine itself needs.")]
Sweep = Annotated[
    bool, typer.Option("--sweep", help="Also time steps over batch sizes and widths: overhead against compute.")
]
Extras = Annotated[
    bool | None,
    typer.Option(
        "--extras/--no-extras",
        help="After the report, add probes, a breakdown and exports to it [default: with --preset documents].",
    ),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Measure again what is already there.")]


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


def say(line: str = "", end: str = "\n", file: TextIO | None = None) -> None:
    """Print a line as any terminal can show it, at once; leave where nobody reads on, as in ``fcnbench list | head``.

    Raises FcnBenchError where the line cannot be written.
    """
    try:
        print(clean(line), end=end, file=file, flush=True)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        reason = f"cannot write ({error.strerror}); make room or send it elsewhere"
        raise FcnBenchError(f"standard output: {reason}") from error

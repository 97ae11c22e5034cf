"""What several commands share: options, how their values are read, how a line is printed."""

import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

import typer

from bench.display.text import clean
from bench.errors import FcnBenchError

MOST = 2**31 - 1
"""The largest number that every framework takes for a seed."""
UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3600}

WHAT, HOW, WHERE = "What is measured", "How precisely", "Where"
"""The groups of options in the help."""


def option(group: str, *names: str, help: str, metavar: str = "", **others: Any) -> Any:
    """An option in its group of the help; ``metavar`` is what stands for its value there, nothing for a switch."""
    return typer.Option(*names, help=help, metavar=metavar, rich_help_panel=group, **others)


Workloads = Annotated[
    list[str] | None, option(WHAT, "--workload", metavar="NETWORK", help="Network to train; may be repeated.")
]
WorkloadFile = Annotated[
    Path | None, option(WHAT, "--workloads", metavar="FILE", help="TOML file with networks of your own.")
]
Implementations = Annotated[
    list[str] | None, option(WHAT, "--implementation", metavar="NAME", help="Program to run; may be repeated.")
]
Plugins = Annotated[
    list[Path] | None,
    option(WHAT, "--plugin", metavar="FILE", help="Python file with a program of yours; may be repeated."),
]
Devices = Annotated[
    list[str] | None,
    option(
        WHAT,
        "--device",
        metavar="DEVICE",
        help="cpu, cuda, cuda:N, mps or auto; may be repeated (default: what this machine has).",
    ),
]
Threads = Annotated[
    list[int] | None,
    option(
        WHAT,
        "--threads",
        metavar="N",
        help="CPU threads; may be repeated (default: as many as there are CPUs, less one that stays free for whatever "
        "else runs: a neighbour on the CPU of one thread makes all threads wait).",
    ),
]
Preset = Annotated[
    Literal["quick", "documents"],
    option(
        WHAT,
        "--preset",
        metavar="PRESET",
        help="quick: the first tutorial's network, 2 epochs. documents: every tutorial's networks, as long as they "
        "train.",
    ),
]
Tf32 = Annotated[bool, option(WHAT, "--tf32", help="Train each network in TF32 too, as NAME-tf32 (NVIDIA GPUs).")]
Floor = Annotated[bool, option(WHAT, "--floor", help="Measure in each block too what the machine itself needs.")]
Sweep = Annotated[
    bool, option(WHAT, "--sweep", help="Also time steps over batch sizes and widths: overhead against compute.")
]
Extras = Annotated[
    bool | None,
    option(
        WHAT,
        "--extras/--no-extras",
        help="After the report, add probes, a breakdown and exports to it (default: with --preset documents).",
    ),
]
Blocks = Annotated[
    int | None,
    option(
        HOW,
        "--blocks",
        min=1,
        metavar="N",
        help="How often every program is run (default: 4); with --precision, the pilot's number.",
    ),
]
Precision = Annotated[
    str | None,
    option(
        HOW,
        "--precision",
        metavar="SHARE",
        help="Half-width to reach, such as 2%; a pilot decides how many blocks that takes.",
    ),
]
Budget = Annotated[
    str | None,
    option(
        HOW, "--budget", metavar="TIME", help="Time to use, such as 10m; a pilot decides how many blocks it is for."
    ),
]
Repeats = Annotated[
    int | None,
    option(
        HOW,
        "--repeats",
        min=0,
        metavar="N",
        help="Disturbed blocks that are measured once more, per network (default: 1 in 5 blocks).",
    ),
]
Epochs = Annotated[
    int | None,
    option(
        HOW,
        "--epochs",
        min=1,
        max=MOST,
        metavar="N",
        help="Epochs in each process (default: those of the preset); the first is reported apart.",
    ),
]
Seed = Annotated[
    int,
    option(
        HOW,
        "--seed",
        min=0,
        max=MOST,
        metavar="N",
        help="Draws start weights, batch order, samples and the order of runs.",
    ),
]
Timeout = Annotated[float, option(HOW, "--timeout", min=1, metavar="SECONDS", help="After which a process is killed.")]
Fresh = Annotated[bool, option(HOW, "--fresh", help="Measure again what is already there.")]
Out = Annotated[
    Path | None,
    option(
        WHERE,
        "--out",
        metavar="DIRECTORY",
        help="For the results; an unfinished one is continued (default: results/PRESET).",
    ),
]
Data = Annotated[
    Path | None,
    option(
        WHERE,
        "--data",
        metavar="DIRECTORY",
        envvar="FCNBENCH_DATA",
        help="With the four IDX files (default: MNIST, fetched once).",
    ),
]
Pythons = Annotated[
    list[str] | None,
    option(
        WHERE, "--python", metavar="FRAMEWORK=PATH",
        help="Another interpreter for a framework; may be repeated.",
    ),
]  # fmt: skip


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

"""The command line: arguments in, lines out. Only in :mod:`bench.cli` is anything printed."""

import errno
import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

import typer

from bench.cli import benchmark, data, env, export, floor, predict, report, run, verify
from bench.cli import list as list_
from bench.cli.options import say
from bench.display.text import one_line
from bench.errors import FcnBenchError
from impls.frameworks import COMPARED, FRAMEWORKS

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help=f"Train the same network in {' and in '.join(FRAMEWORKS[name].label for name in COMPARED)}, prove that the "
    "work was the same, and say which is faster.",
)


def say_version(asked: bool) -> None:
    """Print the version of fcnbench, and leave."""
    if asked:
        from bench.worker.interpreters import package_version

        say(f"fcnbench {package_version('fcnbench')}")
        raise typer.Exit


@app.callback()
def before(
    version: Annotated[
        bool,
        typer.Option("--version", metavar="", callback=say_version, is_eager=True, help="Show the version and leave."),
    ] = False,
) -> None:
    """Take what may be given without a command; the help of the application is its own."""


for commands in (run, verify, floor, predict, export, report, benchmark, list_, data, env):
    app.add_typer(commands.app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; every error that a user can mend is one line, and the exit status says what kind it was."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # letters that the terminal does not have
    problem, status = outcome(sys.argv[1:] if arguments is None else arguments)
    if problem:
        say(f"fcnbench: {one_line(problem)}", file=sys.stderr)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:  # nobody reads on; what is left would be tried again when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


def outcome(arguments: Sequence[str]) -> tuple[str, int]:
    """Run the command: what went wrong, if anything, and the exit status."""
    if sys.stdout is None:  # fcnbench list >&-
        return "standard output: is closed; send it to a file, or to /dev/null", 2
    try:
        with interrupted_by_signals():
            status = app(arguments or ["--help"], standalone_mode=False)
    except FcnBenchError as error:
        return str(error), error.exit_status
    except typer.TyperException as error:
        return f"{one_line(error.format_message())} (see 'fcnbench --help')", 2
    except (KeyboardInterrupt, typer.Abort):
        return "", 130
    except SystemExit:  # nobody reads on
        return "", 0
    except Exception as error:  # a mistake of ours, but still one line; finished cells are on the disk
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            return f"cannot write ({error.strerror}); make room", 2
        if os.environ.get("FCNBENCH_DEBUG"):
            raise
        what = f"{type(error).__name__}: {one_line(str(error))[:200]}"
        return f"unexpected {what}; finished cells are kept; set FCNBENCH_DEBUG=1 to see where, and report it", 1
    return "", status if isinstance(status, int) else 0


@contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """Have SIGTERM and SIGHUP end the block as Ctrl-C does; one that is ignored, as under nohup, stays so."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    replaced = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in replaced:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in replaced:
            signal.signal(number, signal.SIG_DFL)


def interrupt(number: int, frame: FrameType | None) -> None:
    """Raise what Ctrl-C raises."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()

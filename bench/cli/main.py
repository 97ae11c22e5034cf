"""The command line: arguments in, lines out. Only in :mod:`bench.cli` is anything printed."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import typer

from bench.cli import benchmark, data, env, export, floor, predict, report, run, verify
from bench.cli import list as list_
from bench.errors import FcnBenchError
from impls.frameworks import COMPARED, FRAMEWORKS

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=f"Train the same network in {' and in '.join(FRAMEWORKS[name].label for name in COMPARED)}, prove that the "
    "work was the same, and say which is faster.",
)
for commands in (run, verify, floor, predict, export, report, benchmark, list_, data, env):
    app.add_typer(commands.app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; every error that a user can mend is one line, and the exit status says what kind it was."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        with interrupted_by_signals():
            status = app(arguments or ["--help"], standalone_mode=False)
        sys.stdout.flush()  # here, where a closed pipe is an answer too
    except (FcnBenchError, typer.TyperException) as error:
        message = str(error) if isinstance(error, FcnBenchError) else usage(error)
        print(f"fcnbench: {' '.join(message.split())}", file=sys.stderr)
        status = error.exit_status if isinstance(error, FcnBenchError) else 2
    except (KeyboardInterrupt, typer.Abort):
        status = 130
    except BrokenPipeError:  # `fcnbench list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = 0
    except Exception as error:  # a mistake of ours, but still one line; finished cells are on the disk
        if os.environ.get("FCNBENCH_DEBUG"):
            raise
        print(
            f"fcnbench: unexpected {type(error).__name__}: {' '.join(str(error).split())[:200]}; finished cells are "
            "kept; set FCNBENCH_DEBUG=1 to see where, and report it",
            file=sys.stderr,
        )
        status = 1
    sys.exit(status if isinstance(status, int) else 0)


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


def usage(error: typer.TyperException) -> str:
    """A usage error on one line, with the command to ask for help."""
    return f"{' '.join(error.format_message().split())} (see 'fcnbench --help')"


if __name__ == "__main__":
    main()

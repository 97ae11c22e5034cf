"""The commands: arguments in, lines out; the only place that prints or exits."""

import sys
from typing import TextIO

from bench.display.text import clean
from bench.errors import FcnBenchError


def say(line: str = "", end: str = "\n", file: TextIO | None = None) -> None:
    """Print a line as any terminal can show it, at once; leave where nobody reads on, as in ``fcnbench list | head``.

    Raises FcnBenchError where the line cannot be written.
    """
    try:
        print(clean(line), end=end, file=file, flush=True)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        raise FcnBenchError(
            f"standard output: cannot write ({error.strerror}); make room or send it elsewhere"
        ) from error

"""A file appears whole or not at all; what the system refuses is one line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import FcnBenchError

UNFINISHED = ".fcnbench-{}.tmp"
"""What a file is called until it is whole; nobody else's files are called so."""


@contextmanager
def writing(path: Path, besides: str = ", finished cells are kept") -> Iterator[None]:
    """Turn the system's refusals into one line that says what to do, and what is true ``besides``."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise FcnBenchError(f"{path}: cannot write ({reason}); make room or give another --out{besides}") from error


def write_text(path: Path, text: str) -> None:
    """Write a file so that it is found whole or not at all, even if the machine stops meanwhile."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """As :func:`write_text`, for bytes."""
    temporary = path.with_name(UNFINISHED.format(path.name))
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise

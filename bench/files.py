"""A file appears whole or not at all; what the system refuses is one line."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import FcnBenchError

UNFINISHED = ".fcnbench-{}.tmp"
"""What a file is called until it is whole; nobody else's files are called so."""
ANOTHER_OUT = "make room or give another --out, finished cells are kept"


@contextmanager
def writing(path: Path, advice: str = ANOTHER_OUT) -> Iterator[None]:
    """Turn the system's refusal to write into an error of one line that ends with ``advice``."""
    try:
        yield
    except OSError as error:
        raise FcnBenchError(f"{path}: cannot write ({error.strerror or error}); {advice}") from error


def write_text(path: Path, text: str) -> None:
    """Write a file so that it is found whole or not at all, even if the machine stops meanwhile."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """As :func:`write_text`, for bytes. Several processes may write the same path: one of them is the last."""
    temporary = path.with_name(UNFINISHED.format(secrets.token_hex(8)))
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_unfinished(directory: Path) -> None:
    """Take away what writers that were killed have left in a directory that nobody else writes into."""
    for leftover in directory.rglob(UNFINISHED.format("*")):
        leftover.unlink(missing_ok=True)

"""A file appears whole or not at all; what the system refuses is one line."""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import FcnBenchError

UNFINISHED = ".fcnbench-{}.tmp"
"""What a file is called until it is whole; nobody else's files are called so."""
ANOTHER_OUT = "make room or give another --out, finished cells are kept"
LARGEST = 1 << 30
"""Bytes of a file that is read whole; a cell has 20 KB, the tutorials' largest network 13 MB."""


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


def read_bytes(path: Path) -> bytes:
    """The content of a file that :func:`check_readable` finds nothing wrong with. Raises OSError."""
    check_readable(path)
    return path.read_bytes()


def check_readable(path: Path, largest: float = LARGEST) -> None:
    """Raise OSError for what is no regular file, since a pipe may be waited for without end, and for a larger one."""
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "is no regular file")
    if status.st_size > largest:
        raise OSError(errno.EFBIG, f"{status.st_size} bytes, at most {largest} are read")


def inside(folder: Path, name: str) -> Path:
    """The path of a file in a folder. Raises FcnBenchError for a name that leads out of it."""
    path = folder / name
    if path.parent != folder or path.name != name or name in ("", ".", "..") or "\0" in name:
        raise FcnBenchError(f"{name[:80]!r} is no name of a file in {folder}; nothing was written")
    return path

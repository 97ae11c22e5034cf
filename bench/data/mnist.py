"""MNIST's IDX format: sets of images and labels as verified, read-only arrays, and as files.

A set is four uncompressed IDX files in ``root/MNIST/raw``, where ``torchvision.datasets.MNIST(root, download=False)``
reads them too. :func:`load` maps them and checks what it reads; :mod:`bench.data.download` finds a ``root``.

The worker imports this module before its framework, so it imports little: otherwise the worker would pay for it, and
the framework's own import would look shorter than it is.
"""

import gzip
import hashlib
import math
import mmap
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.display.text import brief
from bench.errors import FcnBenchError
from bench.files import check_readable, write_bytes
from impls.contract import Data

PUBLISHED = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
"""The files of a set, in the order x_train, y_train, x_test, y_test, and the MD5s published for MNIST's own."""
RAW = Path("MNIST", "raw")
FEW = 64
"""Training images of a set that nothing is trained on."""
Bytes = NDArray[np.uint8]
Files = Mapping[str, bytes | mmap.mmap]
"""The content of each of the four files."""


@dataclass(frozen=True)
class Description:
    """What lies in ``root``: ``md5`` by file, a short ``digest`` of all four, and how many images there are."""

    root: Path
    name: str
    md5: Mapping[str, str]
    digest: str
    n_train: int
    n_test: int

    @property
    def note(self) -> str:
        """Empty for MNIST, else the files that differ: all four in another set, perhaps one in a damaged MNIST."""
        files = unpublished(self.md5)
        return f"not the published MNIST: other content in {', '.join(files)}" if files else ""


def load(root: Path) -> Data:
    """The set in ``root``, as read-only views of its files: nothing is copied, and the images are not even read.

    Raises :class:`FcnBenchError`, naming the file, where one is missing, unreadable, truncated, too long, not IDX, not
    of 28x28 bytes, or where labels are too few, too many or not 0 to 9. MD5s are :func:`describe`'s affair.
    """
    paths = paths_in(root)
    return Data(*checked_arrays(open_files(paths), paths), root=root)


def describe(root: Path) -> Description:
    """Name, checksums and sizes of the set in ``root``. Raises :class:`FcnBenchError` as :func:`load` does."""
    paths = paths_in(root)
    files = open_files(paths)
    x_train, _, x_test, _ = checked_arrays(files, paths)
    md5 = md5_of(files)
    name = "other IDX set" if unpublished(md5) else "MNIST"
    return Description(root, name, md5, digest(md5), n_train=len(x_train), n_test=len(x_test))


def write(root: Path, x_train: Bytes, y_train: Bytes, x_test: Bytes, y_test: Bytes) -> None:
    """Write a set under ``root/MNIST/raw``: images uint8 ``[n, 28, 28]``, labels uint8 ``[n]``. No file is ever half.

    Raises :class:`FcnBenchError` where :func:`load` would refuse the set, before anything is written, and where the
    system refuses the writing; TypeError for arrays that are not uint8.
    """
    paths, files = paths_in(root), encode(x_train, y_train, x_test, y_test)
    checked_arrays(files, paths)
    with explained(root, "a directory that can be written: make room there or choose another"):
        write_files(files, root)


def write_few(root: Path, data: Data, n_test: int) -> Data:
    """Write and load a set with ``n_test`` test images, for timing their prediction, and a few to train on.

    The test images are the first of ``data``, from the beginning again where there are fewer.
    """
    chosen = np.arange(n_test) % len(data.y_test)
    write(root, data.x_train[:FEW], data.y_train[:FEW], data.x_test[chosen], data.y_test[chosen])
    return load(root)


def paths_in(root: Path) -> dict[str, Path]:
    """Where the four files of ``root`` belong, there or not."""
    return {name: root / RAW / name for name in PUBLISHED}


def open_files(paths: Mapping[str, Path]) -> Files:
    """The content of the files: of plain ones a mapping, of ``.gz`` what is packed in them."""
    return {name: open_file(path) for name, path in paths.items()}


def open_file(path: Path) -> bytes | mmap.mmap:
    """As :func:`open_files`, for one."""
    with explained(path, "a readable IDX file: replace it, or pass another --data DIR"):
        check_readable(path, math.inf)
        with path.open("rb") as file:
            if path.suffix == ".gz":
                return gunzip(file.read())
            if os.fstat(file.fileno()).st_size == 0:
                return b""  # nothing cannot be mapped
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def gunzip(packed: bytes) -> bytes:
    """What ``packed`` holds, or :class:`gzip.BadGzipFile`, an OSError, for every kind of damage."""
    try:
        return gzip.decompress(packed)
    except (EOFError, zlib.error) as error:  # for some kinds of damage gzip lets these through
        raise gzip.BadGzipFile(f"damaged gzip: {error}") from error


def checked_arrays(files: Files, paths: Mapping[str, Path]) -> tuple[Bytes, Bytes, Bytes, Bytes]:
    """x_train, y_train, x_test, y_test, each checked by itself and against its other; ``paths`` are for the errors."""
    x_train, y_train, x_test, y_test = (parse(files[name], paths[name]) for name in PUBLISHED)
    _, train_path, _, test_path = (paths[name] for name in PUBLISHED)
    for x, y, path in ((x_train, y_train, train_path), (x_test, y_test, test_path)):
        if len(x) != len(y):
            raise unsound(path, f"{len(y)} labels", f"{len(x)}, one for each image beside it")
        if y.max() > 9:
            raise unsound(path, f"label {y.max()} at index {y.argmax()}", "0 to 9")
    return x_train, y_train, x_test, y_test


def parse(content: bytes | mmap.mmap, path: Path) -> Bytes:
    """A view of ``content``: images uint8 ``[n, 28, 28]`` or, by the name in ``path``, labels uint8 ``[n]``."""
    item = (28, 28) if "images" in path.name else ()
    axes = 1 + len(item)
    header_bytes = 4 + 4 * axes
    magic = bytes((0, 0, 8, axes))  # 8 stands for uint8
    if len(content) < header_bytes:
        raise unsound(path, f"truncated: {len(content)} bytes", f"{header_bytes} for the header alone")
    if content[:4] != magic:
        raise unsound(path, f"begins with {content[:4].hex()}", f"{magic.hex()}: IDX, uint8, {axes} axes")
    shape = struct.unpack(f">{axes}I", content[4:header_bytes])
    expected_bytes = header_bytes + math.prod(shape)
    if len(content) != expected_bytes:
        fault = "truncated" if len(content) < expected_bytes else "too long"
        raise unsound(path, f"{fault}: {len(content)} bytes", f"{expected_bytes} for the shape {shape} in its header")
    if shape[0] == 0 or shape[1:] != item:
        raise unsound(path, f"shape {shape}", f"{('n', *item)} with n at least 1".replace("'", ""))
    return np.frombuffer(content, np.uint8, offset=header_bytes).reshape(shape)


def encode(*arrays: Bytes) -> Files:
    """The files that hold x_train, y_train, x_test, y_test; TypeError for arrays that are not uint8."""
    headers = [struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) for array in arrays]
    contents = [array.astype(np.uint8, casting="safe").tobytes() for array in arrays]
    return {name: header + content for name, header, content in zip(PUBLISHED, headers, contents, strict=True)}


def write_files(files: Files, root: Path) -> None:
    """Put the four files in ``root``, none of them ever half there. Raises OSError."""
    for name, path in paths_in(root).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, bytes(files[name]))


def md5_of(files: Files) -> dict[str, str]:
    """MD5 by file."""
    return {name: hashlib.md5(files[name], usedforsecurity=False).hexdigest() for name in PUBLISHED}


def unpublished(md5: Mapping[str, str]) -> list[str]:
    """The files whose MD5 is not the one published for MNIST."""
    return [name for name in PUBLISHED if md5[name] != PUBLISHED[name]]


def digest(md5: Mapping[str, str]) -> str:
    """One short name for the content of all four files."""
    return hashlib.sha256(" ".join(md5[name] for name in PUBLISHED).encode()).hexdigest()[:16]


def unsound(path: Path, actual: str, expected: str) -> FcnBenchError:
    """The error for a file that is no such part of a set."""
    return FcnBenchError(f"{path}: {actual}, expected {expected}: replace the file, or pass another --data DIR")


@contextmanager
def explained(path: Path, expected: str) -> Iterator[None]:
    """Turns what the system refuses, about ``path`` where it does not say about which, into the one line for a user."""
    try:
        yield
    except OSError as error:
        reason = brief(error.strerror or str(error))
        raise FcnBenchError(f"{error.filename or path}: {reason}, expected {expected}") from error

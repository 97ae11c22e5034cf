"""A trained network in one ``.npz`` file that every framework can take and NumPy alone can read.

The file holds ``kernel_1``, ``bias_1``, ``kernel_2`` ... in the order and the form of :data:`impls.contract.Weights`,
and ``about``: a JSON text with ``format`` (1), ``workload`` (the network and how its input is scaled) and
``implementation``, ``framework`` and ``versions``, which trained it. There is nothing in it to be executed.
"""

import hashlib
import json
import math
import os
import struct
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impls.contract import Weights
from impls.workload import Workload

FORMAT = 1
NAMES = ("kernel", "bias")


def save(path: Path, workload: Workload, weights: Weights, origin: dict[str, Any]) -> str:
    """Write the file, flushed to the disk, and return its SHA-256 in hex. The same network gives the same bytes.

    ``origin`` has ``implementation``, ``framework`` and ``versions``. Raises ValueError for weights of other shapes.
    """
    check(workload, weights)
    about = json.dumps({"format": FORMAT, "workload": asdict(workload), **origin})
    named = {f"{name}_{i}": array for i, pair in enumerate(weights, 1) for name, array in zip(NAMES, pair, strict=True)}
    with path.open("wb") as file:
        np.savez(file, about=np.array(about), **named)  # type: ignore[arg-type]  # its stub has a flag among the arrays
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load(path: Path) -> tuple[dict[str, Any], Weights]:
    """What :func:`save` was given as ``about``, not validated, and the weights as they stand.

    Nothing is unpickled, and no more is read than the file has bytes. Raises ValueError for what is no such file, and
    OSError.
    """
    check_archive(path)
    with zipfile.ZipFile(path) as archive:
        about = json.loads(str(array(archive, "about")))
        if not isinstance(about, dict) or about.get("format") != FORMAT:
            raise ValueError(f"'about' does not say format {FORMAT}")
        count = sum(name.startswith("kernel_") for name in archive.namelist())
        return about, [(array(archive, f"kernel_{i}"), array(archive, f"bias_{i}")) for i in range(1, count + 1)]


def check_archive(path: Path) -> None:
    """Raise ValueError unless every member of the archive agrees with its checksum; PyTorch checks none of them.

    Nothing in it may be compressed either, since it could become any size; NumPy, PyTorch and Keras compress nothing in
    the files that are written here.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.compress_type != zipfile.ZIP_STORED:
                    raise ValueError(f"{member.filename!r} in it is compressed")
                with archive.open(member) as file:
                    while file.read(1 << 20):
                        pass
    except (zipfile.BadZipFile, EOFError, RuntimeError, struct.error) as error:  # what zipfile raises on damage
        raise ValueError(f"the archive is damaged: {error}") from error


def array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """One array, once what its head declares is what the file holds. Raises ValueError where it is none."""
    if f"{name}.npy" not in archive.namelist():
        raise ValueError(f"holds no {name!r}")
    with archive.open(f"{name}.npy") as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{name} is in a format that is not written here")
        try:
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        except Exception as error:  # the head is parsed as Python, and text raises whatever the parser meets
            raise ValueError(f"{name} has no head of an array") from error
        declared, held = math.prod(shape) * dtype.itemsize, archive.getinfo(f"{name}.npy").file_size - file.tell()
        if dtype.hasobject or declared != held:
            raise ValueError(f"{name} declares {dtype} {shape}, which {held} bytes do not hold")
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)


def described(path: Path, text: str | bytes) -> Workload:
    """The network that a file describes in JSON. Raises ValueError where it is larger than the file."""
    workload = Workload.from_dict(json.loads(text))
    if 4 * workload.parameters > path.stat().st_size:  # nothing need be built to see that
        raise ValueError(f"describes {workload.parameters} parameters, more than it holds")
    return workload


def check(workload: Workload, weights: Weights) -> None:
    """Raise ValueError unless these are the weights of this network."""
    expected = [(kernel, kernel[-1:]) for kernel in workload.kernels]
    found = [(kernel.shape, bias.shape) for kernel, bias in weights]
    if found != expected:
        raise ValueError(f"{workload.name} has kernels and biases of shapes {expected}, these are {found}")

"""A trained network in one ``.npz`` file that every framework can take and NumPy alone can read.

The file holds ``kernel_1``, ``bias_1``, ``kernel_2`` ... in the order and the form of :data:`impls.contract.Weights`,
and ``about``: a JSON text with ``format`` (1), ``workload`` (the network and how its input is scaled) and
``implementation``, ``framework`` and ``versions``, which trained it. There is nothing in it to be executed.
"""

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from impls.contract import Weights, Workload

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

    Nothing is unpickled. Raises ValueError, OSError or zipfile.BadZipFile for what is no such file.
    """
    with np.load(path, allow_pickle=False) as stored:
        if "about" not in stored:
            raise ValueError("holds no 'about'")
        about = json.loads(str(stored["about"]))
        if not isinstance(about, dict) or about.get("format") != FORMAT:
            raise ValueError(f"'about' does not say format {FORMAT}")
        count = sum(name.startswith("kernel_") for name in stored)
        return about, [(stored[f"kernel_{i}"], stored[f"bias_{i}"]) for i in range(1, count + 1)]


def check(workload: Workload, weights: Weights) -> None:
    """Raise ValueError unless these are the weights of this network."""
    expected = [(kernel, kernel[-1:]) for kernel in workload.kernels]
    found = [(kernel.shape, bias.shape) for kernel, bias in weights]
    if found != expected:
        raise ValueError(f"{workload.name} has kernels and biases of shapes {expected}, these are {found}")

"""Devices by name, and the environment variables that limit a process to one of them.

``cpu``, ``mps``, ``cuda`` (the first NVIDIA GPU that this process may use) and ``cuda:N`` (the one at that position of
those). A process sees no other GPU than its own, so that inside of it the GPU is always the first and only one.
"""

import os
from collections.abc import Mapping

from impls.registry import Entry

ORDER = ("cuda", "mps", "cpu")
"""The choice of ``auto``: the first of these that the machine has."""
THREADS = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS",
    "NPROC",  # the size of XLA's thread pool on a CPU
)  # fmt: skip
HIDDEN = "-1"
"""An entry that is no device: CUDA shows none that stands behind it."""


def kind(device: str) -> str:
    """``cuda`` for ``cuda:1``: the device that an implementation is built on, which sees that one GPU only."""
    return device.partition(":")[0]


def slug(device: str) -> str:
    """The device as part of a file name or an anchor: ``cuda1`` for ``cuda:1``."""
    return device.replace(":", "")


def position(device: str) -> int:
    """1 for ``cuda:1``, 0 for ``cuda``."""
    return int(device.partition(":")[2] or 0)


def visible(inherited: Mapping[str, str]) -> tuple[str, ...] | None:
    """What ``CUDA_VISIBLE_DEVICES`` leaves to this process, as it is written there; None where it says nothing.

    Entries are numbers, or UUIDs of GPUs or of their MIG instances. As for CUDA, the first that is none of these ends
    the list: ``0,-1,1`` is GPU 0 alone.
    """
    listed = inherited.get("CUDA_VISIBLE_DEVICES")
    if listed is None:
        return None
    entries: list[str] = []
    for entry in (part.strip() for part in listed.split(",")):
        if not (entry.isdecimal() or entry.startswith(("GPU-", "MIG-"))):
            break
        entries.append(entry)
    return tuple(entries)


def gpu_variables(device: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """What shows a process on ``device`` its own NVIDIA GPU alone, and a process on the CPU none.

    GPUs are counted as their driver and nvidia-smi count them unless the user has said otherwise. A position beyond the
    list shows none, and the framework then says that it has no such device.
    """
    if kind(device) == "cpu":
        return {"CUDA_VISIBLE_DEVICES": HIDDEN}
    if kind(device) == "mps":
        return {}
    listed, number = visible(inherited), position(device)
    shown = str(number) if listed is None else listed[number] if number < len(listed) else HIDDEN
    return {"CUDA_DEVICE_ORDER": inherited.get("CUDA_DEVICE_ORDER", "PCI_BUS_ID"), "CUDA_VISIBLE_DEVICES": shown}


def environment(
    entry: Entry, device: str, threads: int, inherited: Mapping[str, str] = os.environ, precision: str = "float32"
) -> dict[str, str]:
    """The variables of a process on ``device``, given those that this one has inherited.

    They must be in force before a framework is imported. Each framework gets the same number of threads, by the
    variables that its libraries read, and takes a GPU's memory as it needs it. What the row itself sets goes last.
    """
    variables = dict.fromkeys(THREADS, str(threads)) | {
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # for all: Keras imports TensorFlow on any backend, where it is installed
    }
    if precision != "tf32":
        variables["NVIDIA_TF32_OVERRIDE"] = "0"  # whatever a framework allows, NVIDIA's libraries do not
    variables["KERAS_TORCH_DEVICE"] = kind(device)  # left alone, Keras on PyTorch takes MPS or CUDA where there is one
    variables |= gpu_variables(device, inherited)
    if kind(device) == "cpu":
        variables["JAX_PLATFORMS"] = "cpu"
    return variables | dict(entry.environment)

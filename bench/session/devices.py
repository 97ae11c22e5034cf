"""The devices and precisions that options stand for, as far as this machine can have them."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bench.errors import FcnBenchError, unknown
from bench.machine import description, gpu
from impls import environment
from impls.workload import Workload

TF32_SINCE = (8, 0)
"""The compute capability of the first GPUs that have it."""
DEVICES = ("cpu", "cuda", "cuda:0", "mps", "auto")


def chosen_devices(names: Sequence[str] | None, present: Sequence[str] | None = None) -> list[str]:
    """The devices that were named, ``auto`` for the best of those that are ``present``; else all of those.

    ``present`` are this machine's unless they are given.

    A machine without a GPU may be asked for one: its cells are skipped, and say why. A position beyond the GPUs that
    are there is a slip.
    """
    for name in names or []:
        if name not in DEVICES and not re.fullmatch(r"cuda:\d+", name):
            raise unknown("device", name, DEVICES)
        left = gpus(os.environ)
        if left and environment.position(name) >= left:
            most = f"cuda:0 to cuda:{left - 1}" if left > 1 else "cuda"
            raise FcnBenchError(
                f"--device {name}: this process may use {left} GPU{'s' if left > 1 else ''}; give {most}"
            )
    present = description.devices() if present is None else present
    best = next((name for name in environment.ORDER if name in present), "cpu")
    return list(dict.fromkeys(best if name == "auto" else name for name in names or present))


def in_tf32_too(
    chosen: Sequence[Workload], names: Sequence[str], inherited: Mapping[str, str] = os.environ
) -> list[Workload]:
    """Each workload, and after it the same in TF32: a network of its own, named ``NAME-tf32``.

    Raises FcnBenchError where nothing can or may compute in TF32.
    """
    for name in names:
        if environment.kind(name) != "cuda":
            raise FcnBenchError(f"--tf32 on {name}: only NVIDIA GPUs have TF32; give --device cuda")
        capability = gpu.capability(name)
        if capability is not None and capability < TF32_SINCE:
            raise FcnBenchError(f"--tf32 on {name}: this GPU has no TF32; leave it out")
    if inherited.get("NVIDIA_TF32_OVERRIDE") == "0":
        raise FcnBenchError("--tf32: NVIDIA_TF32_OVERRIDE=0 forbids it; unset that variable")
    return [
        network
        for workload in chosen
        for network in (workload, replace(workload, name=f"{workload.name}-tf32", precision="tf32"))
    ]


def gpus(inherited: Mapping[str, str]) -> int:
    """How many NVIDIA GPUs this process may use: those of ``CUDA_VISIBLE_DEVICES``, else of the machine."""
    left = environment.visible(inherited)
    return len(gpu.gpu_names()) if left is None else len(left)

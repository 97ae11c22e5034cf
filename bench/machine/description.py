"""The machine that measures: what it is, what of it may be used, and what stands between it and a fair figure."""

import hashlib
import os
import platform

import numpy as np
import psutil

from bench.machine import cpus, gpu
from bench.store.records.machine import Machine
from impls.environment import visible


def machine() -> Machine:
    """Describe this machine; about 0.3 s, nearly all of it for the processor's name."""
    cpu = cpu_name()
    logical = psutil.cpu_count() or 1
    ram = psutil.virtual_memory().total
    gpus = "; ".join(gpu.gpu_names())
    deciding = (
        cpu,
        logical,
        len(cpus.available_cpus()),
        round(ram / 2**30),
        platform.system(),
        platform.machine(),
        gpus,
    )
    return Machine(
        machine=hashlib.sha256(repr(deciding).encode()).hexdigest()[:8],
        cpu=cpu,
        logical_cpus=logical,
        physical_cpus=psutil.cpu_count(logical=False),
        available_cpus=len(cpus.available_cpus()),
        cpu_quota=cpus.cpu_quota(),
        ram_bytes=ram,
        memory_limit_bytes=cpus.memory_limit(),
        os=f"{platform.system()} {platform.release()}",
        architecture=platform.machine(),
        python=platform.python_version(),
        blas=blas(),
        gpus=gpus,
        gpu_driver=gpu.driver(),
        gpu_settings=gpu.all_settings(),
    )


def cpu_name() -> str:
    """The processor's name as its maker writes it."""
    from cpuinfo import get_cpu_info  # here, since it starts processes of its own and takes 0.2 s

    return str(get_cpu_info().get("brand_raw") or platform.processor() or "unknown")


def blas() -> str:
    """The linear-algebra library of NumPy, with its version."""
    config = np.show_config(mode="dicts")
    library = config["Build Dependencies"]["blas"]
    return f"{library['name']} {library['version']}"


def devices() -> tuple[str, ...]:
    """The devices of this machine, the CPU first. Whether a framework can use one, only the framework knows."""
    names = ["cpu"]
    if gpu.gpu_names() and visible(os.environ) != ():
        names.append("cuda")
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        names.append("mps")
    return tuple(names)

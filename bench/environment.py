"""The machine that measures: what it is, what of it may be used, and what stands between it and a fair figure."""

import hashlib
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench import gpu
from impls.devices import visible

COMMIT = ("id", "time", "author_time", "dirty", "project", "branch")
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Machine:
    """One row of ``machines.csv``. ``machine`` is a digest of what decides speed, not of who owns it."""

    machine: str
    cpu: str
    logical_cpus: int
    physical_cpus: int | None
    available_cpus: int
    cpu_quota: float | None
    ram_bytes: int
    memory_limit_bytes: int | None
    os: str
    architecture: str
    python: str
    blas: str
    gpus: str
    gpu_driver: str = ""
    gpu_settings: str = ""


def machine() -> Machine:
    """Describe this machine; about 0.3 s, nearly all of it for the processor's name."""
    cpu = cpu_name()
    logical = psutil.cpu_count() or 1
    ram = psutil.virtual_memory().total
    gpus = "; ".join(gpu_names())
    deciding = (cpu, logical, len(available_cpus()), round(ram / 2**30), platform.system(), platform.machine(), gpus)
    return Machine(
        machine=hashlib.sha256(repr(deciding).encode()).hexdigest()[:8],
        cpu=cpu,
        logical_cpus=logical,
        physical_cpus=psutil.cpu_count(logical=False),
        available_cpus=len(available_cpus()),
        cpu_quota=cpu_quota(),
        ram_bytes=ram,
        memory_limit_bytes=memory_limit(),
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


def available_cpus() -> tuple[int, ...]:
    """The CPUs that a cell may use: those of the affinity mask, cut to the container's quota, at least one."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        allowed = sorted(os.sched_getaffinity(0))
    else:
        allowed = list(range(psutil.cpu_count() or 1))
    quota = cpu_quota()
    if quota is not None:
        allowed = allowed[: max(1, int(quota))]
    return tuple(allowed)


def cpu_quota(root: Path = CGROUP, membership: Path = Path("/proc/self/cgroup")) -> float | None:
    """CPUs that the container may use on average: the least quota on the way to the root, None where there is none."""
    quotas = []
    for directory in cgroup_directories(root, membership):
        try:  # version 2: "max 100000" or "150000 100000"
            limit, period = (directory / "cpu.max").read_text().split()
        except (OSError, ValueError):
            try:  # version 1
                limit = (directory / "cpu.cfs_quota_us").read_text().strip()
                period = (directory / "cpu.cfs_period_us").read_text().strip()
            except OSError:
                continue
        if limit not in ("max", "-1"):
            quotas.append(int(limit) / int(period))
    return min(quotas, default=None)


def memory_limit(root: Path = CGROUP, membership: Path = Path("/proc/self/cgroup")) -> int | None:
    """The container's memory limit in bytes, None where there is none below the machine's own memory."""
    limits = []
    for directory in cgroup_directories(root, membership):
        for name in ("memory.max", "memory.limit_in_bytes"):
            try:
                limits.append(int((directory / name).read_text()))
            except (OSError, ValueError):  # no such file, or "max"
                continue
    return min((limit for limit in limits if limit < psutil.virtual_memory().total), default=None)


def cgroup_directories(root: Path, membership: Path) -> list[Path]:
    """The directories that may limit this process, from its own to the root, in both versions of cgroups."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return []
    directories = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        bases = [root / controllers] if controllers else [root, root / "unified"]
        for base in bases:
            own = base / path.lstrip("/")
            directories += [own, *(parent for parent in own.parents if parent.is_relative_to(base))]
    return list(dict.fromkeys(directories))


def blas() -> str:
    """The linear-algebra library of NumPy, with its version."""
    config = np.show_config(mode="dicts")
    library = config["Build Dependencies"]["blas"]
    return f"{library['name']} {library['version']}"


def gpu_names() -> tuple[str, ...]:
    """The names of the NVIDIA devices as their driver gives them; empty where there is no driver."""
    import pynvml

    with gpus() as handles:
        return tuple(str(pynvml.nvmlDeviceGetName(handle)) for handle in handles)


def gpu_processes() -> int | None:
    """How many processes compute on the NVIDIA devices now; None where their driver does not tell."""
    import pynvml

    with gpus() as handles:
        try:
            return sum(len(pynvml.nvmlDeviceGetComputeRunningProcesses(handle)) for handle in handles)
        except pynvml.NVMLError:
            return None


@contextmanager
def gpus() -> Iterator[list[Any]]:
    """The driver's handles of the NVIDIA devices; none where there is no driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield []
        return
    try:
        yield [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    finally:
        pynvml.nvmlShutdown()


def commit() -> dict[str, Any]:
    """The state of the working directory's repository, as pytest-benchmark describes it; ``unversioned`` outside."""
    from pytest_benchmark.utils import get_commit_info  # here: it loads half of the standard library

    return {name: value for name, value in get_commit_info().items() if name in COMMIT}


def devices() -> tuple[str, ...]:
    """The devices of this machine, the CPU first. Whether a framework can use one, only the framework knows."""
    found = ["cpu"]
    if gpu_names() and visible(os.environ) != ():
        found.append("cuda")
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        found.append("mps")
    return tuple(found)

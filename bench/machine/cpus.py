"""Which CPUs and how much memory this process may use."""

import os
from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")


def available_cpus() -> tuple[int, ...]:
    """The CPUs that a cell may use: those of the affinity mask, cut to the container's quota, at least one."""
    allowed, quota = allowed_cpus(), cpu_quota()
    return allowed if quota is None else allowed[: max(1, int(quota))]


def allowed_cpus() -> tuple[int, ...]:
    """The CPUs of the affinity mask, whatever share of their time a container leaves."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(psutil.cpu_count() or 1))


def default_threads(available: int) -> int:
    """As many threads as there are CPUs but one, at least one.

    One CPU stays free for whatever else runs: where that takes the CPU of one of a program's threads, all of them wait
    for it, step by step, and what is measured is the neighbour.
    """
    return max(1, available - 1)


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

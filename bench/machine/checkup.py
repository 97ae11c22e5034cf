"""What on this machine will spoil a measurement, and what to do about it. Everything here looks and touches nothing."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import psutil

from bench.display import numbers
from bench.machine import cpus, disturbances, neighbours
from bench.machine import gpu as machine_gpu
from bench.machine.disturbances import CPU_FILES
from bench.machine.metering import Surroundings
from bench.machine.meters import metered

SECONDS = 3.0
"""How long the machine is watched while nothing of ours runs, and how long it then computes."""
BUSY = 0.05
"""CPUs that others keep busy, above which they are in the way."""
UNEVEN = 1.05
"""The same product's time at its ninth decile by its median, above which a machine is called uneven."""
FREE_BYTES = 3 * 10**9
"""What the largest process of a default run takes, with room for the harness."""


@dataclass(frozen=True)
class CheckupFinding:
    """One thing that was looked at: whether it is ``good``, ``bad``, or ``unknown`` here; what was seen; what to do."""

    name: str
    state: str
    seen: str
    advice: str = ""

    @property
    def line(self) -> str:
        """All of it on one line."""
        return f"{self.state:8} {self.name}: {self.seen}" + (f"; {self.advice}" if self.advice else "")


def examine() -> Iterator[CheckupFinding]:
    """Look at one thing after the other; takes twice :data:`SECONDS`. The checks that need quiet come first."""
    yield from others()
    yield evenness()
    for check in CHECKS:
        yield check()


def judged(name: str, good: bool, seen: str, advice: str) -> CheckupFinding:
    """A finding, with advice where it is bad."""
    return CheckupFinding(name, "good", seen) if good else CheckupFinding(name, "bad", seen, advice)


def others(seconds: float = SECONDS) -> Iterator[CheckupFinding]:
    """What other programs, and other machines on the same host, take while this process sleeps."""
    with metered("process", Surroundings()) as readings:
        found = neighbours.watch(seconds)
    advice = found.advice(cpus.default_threads(found.quota)) or "stop what can be stopped; the default leaves it a CPU"
    yield judged("other programs", found.busy <= BUSY, found.seen, advice)
    steal = readings["steal_s"]
    if steal is None:
        yield CheckupFinding("the host", "unknown", "this system does not count what a hypervisor takes")
    else:
        share = float(steal) / seconds / (psutil.cpu_count() or 1)
        advice = "neighbours on the host are in the way: take more blocks, or a machine of your own"
        yield judged(
            "the host", share <= disturbances.STEAL, f"takes {numbers.share(share)} of the CPU time away", advice
        )


def evenness(seconds: float = SECONDS) -> CheckupFinding:
    """How evenly this machine computes: the same product of matrices, over and over."""
    a = np.random.default_rng(1).random((512, 512), dtype=np.float32)
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 10:
        start = time.perf_counter()
        for _ in range(5):
            a @ a
        times.append(time.perf_counter() - start)
    times = times[len(times) // 5 :]  # clocks and caches warm up
    spread = float(np.quantile(times, 0.9)) / median(times)
    seen = f"one time in ten a product takes {spread:.2f} times its median or more"
    return judged("evenness", spread <= UNEVEN, seen, "take more blocks: --precision finds out how many")


def quota() -> CheckupFinding:
    """A container's quota that is no whole number of CPUs stops its threads in the middle of their work."""
    limit = cpus.cpu_quota()
    if limit is None:
        return CheckupFinding("CPU quota", "good", "none")
    whole = limit >= len(cpus.available_cpus()) and float(limit).is_integer()
    advice = "give the container whole CPUs (cpuset) instead of a share of time"
    return judged("CPU quota", whole, f"{limit:g} CPUs of time", advice)


def governor(root: Path = CPU_FILES) -> CheckupFinding:
    """Whether the CPUs' clock follows the load."""
    governors = {path.read_text().strip() for path in root.glob("cpu[0-9]*/cpufreq/scaling_governor")}
    if not governors:
        return CheckupFinding("CPU clock", "unknown", "the system does not say what governs it")
    seen = f"governed by {', '.join(sorted(governors))}"
    return judged("CPU clock", governors == {"performance"}, seen, "hold it: 'cpupower frequency-set -g performance'")


def turbo(root: Path = CPU_FILES) -> CheckupFinding:
    """Whether the clock depends on heat and on how many cores are busy."""
    for name, on in (("intel_pstate/no_turbo", "0"), ("cpufreq/boost", "1")):
        if (root / name).exists():
            boosted = (root / name).read_text().strip() == on
            advice = f"writing {'1' if on == '0' else '0'} to {root / name} makes times steadier, and longer"
            return judged("turbo", not boosted, "on" if boosted else "off", advice)
    return CheckupFinding("turbo", "unknown", "the system does not say")


def threads(root: Path = CPU_FILES) -> CheckupFinding:
    """Whether two of the CPUs that are used share a core."""
    cores = [(root / f"cpu{cpu}/topology/thread_siblings_list") for cpu in cpus.available_cpus()]
    known = [path.read_text().strip() for path in cores if path.exists()]
    if not known:
        return CheckupFinding("cores", "unknown", "the system does not say which CPUs share one")
    number = len(set(known))
    seen = f"{numbers.count(len(known), 'CPU')} on {numbers.count(number, 'core')}"
    return judged("cores", number == len(known), seen, f"--threads {number} gives each thread a core of its own")


def heat() -> CheckupFinding:
    """Whether cores were slowed down for their heat."""
    events = disturbances.hot_events()
    if events is None:
        return CheckupFinding("heat", "unknown", "the system does not count throttling")
    seen = f"cores were throttled {events} times since the start"
    return judged("heat", events == 0, seen, "cool the machine, or turn turbo off; each cell says if it happens again")


def memory() -> CheckupFinding:
    """Whether a cell fits into what is free, without swap."""
    free = psutil.virtual_memory().available
    limit = cpus.memory_limit()
    free = free if limit is None else min(free, limit)
    seen = f"{numbers.figure('_bytes', free)} free"
    return judged("memory", free >= FREE_BYTES, seen, "end other programs: a cell that swaps measures the disk")


def power() -> CheckupFinding:
    """Whether the machine runs on its battery."""
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is None or battery.power_plugged is None:
        return CheckupFinding("power", "good", "no battery is in use")
    seen = "from the mains" if battery.power_plugged else "from the battery"
    return judged("power", bool(battery.power_plugged), seen, "plug the machine in")


def gpu() -> CheckupFinding:
    """Whether somebody else computes on the GPU."""
    if not machine_gpu.gpu_names():
        return CheckupFinding("GPU", "good", "none, so nothing of it is measured")
    count = machine_gpu.gpu_processes()
    if count is None:
        return CheckupFinding("GPU", "unknown", "its driver does not tell who uses it")
    return judged("GPU", count == 0, f"{numbers.count(count, 'process', 'es')} on it", "end them: see nvidia-smi")


CHECKS: tuple[Callable[[], CheckupFinding], ...] = (quota, governor, turbo, threads, heat, memory, power, gpu)

"""What else the machine did while a cell ran: counted by the system before and after, judged by rules fixed here.

No rule looks at an epoch's time: a block may be repeated because of what disturbed it, never because of what came out.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

from bench.machine import cpus, gpu
from bench.store.records.cell import Noise
from bench.store.records.training import Result

STEAL = 0.02
"""Share of the CPU time that a cell could have had, above which what the hypervisor gave to others is a disturbance."""
OTHERS = 0.05
"""The same for what other programs took beyond the CPUs that the cell left them."""
THROTTLED = 0.01
"""The same for what the container's quota withheld."""
OVERUSE = 1.1
"""CPUs busy by threads asked for, above which a program is said to use more than it was given."""
SWITCHES = 200
"""Involuntary switches by second above which a program is said to fight for its CPUs, with others or with itself."""
SLOW_CLOCK = 0.8
"""Share of the processor's highest frequency below which its clock is said to be slow: a hint, no disturbance."""
POWER_CAP = gpu.SLOWED["nvmlClocksEventReasonSwPowerCap"]
"""A GPU that is held to its power limit does what it was built for: a hint, no disturbance."""
CPU_FILES = Path("/sys/devices/system/cpu")
Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class Counters:
    """The machine's counters so far, all CPUs together; None where the system has no such counter.

    ``busy_s`` and ``steal_s`` are CPU seconds, ``throttled_s`` what the container's quota withheld, ``hot_events`` how
    often a core was slowed down for its heat, ``swapped_bytes`` what was read back from swap.
    """

    busy_s: float
    steal_s: float | None
    throttled_s: float | None
    hot_events: int | None
    swapped_bytes: int | None


def counters() -> Counters:
    """Read the counters; the difference of two readings tells what went on between them."""
    times = psutil.cpu_times()
    counted_twice = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # both are in user and nice too
    busy = sum(times) - times.idle - getattr(times, "iowait", 0.0) - counted_twice
    steal = getattr(times, "steal", None)  # Linux alone has it
    return Counters(busy - (steal or 0.0), steal, throttled_s(), hot_events(), swapped_bytes())


def throttled_s(root: Path = cpus.CGROUP, membership: Path = Path("/proc/self/cgroup")) -> float | None:
    """Seconds for which a quota on the way to the root kept this container's threads waiting, in either version."""
    found = []
    for directory in cpus.cgroup_directories(root, membership):
        try:
            lines = (directory / "cpu.stat").read_text().splitlines()
        except OSError:
            continue
        values = dict(line.split(maxsplit=1) for line in lines if " " in line)
        if "throttled_usec" in values:  # version 2
            found.append(int(values["throttled_usec"]) / 1e6)
        elif "throttled_time" in values:  # version 1, in nanoseconds
            found.append(int(values["throttled_time"]) / 1e9)
    return max(found, default=None)


def hot_events(root: Path = CPU_FILES) -> int | None:
    """How often the cores were throttled for their heat since the machine was started."""
    counts = []
    for path in sorted(root.glob("cpu[0-9]*/thermal_throttle/core_throttle_count")):
        try:
            counts.append(int(path.read_text()))
        except (OSError, ValueError):
            continue
    return sum(counts) if counts else None


def swapped_bytes() -> int | None:
    """What was read back from swap since the machine was started; None where the system does not count it."""
    try:
        with warnings.catch_warnings(action="ignore"):  # a container that hides /proc/vmstat
            return int(psutil.swap_memory().sin)
    except (OSError, RuntimeError):
        return None


def frequency_share() -> float | None:
    """The clock of the CPUs as a share of the highest that they have, now; None where the system does not tell."""
    try:
        now = psutil.cpu_freq()
    except (OSError, RuntimeError):  # of which NotImplementedError is one
        return None
    return round(now.current / now.max, 3) if now is not None and now.max else None


@dataclass(frozen=True)
class Watch:
    """What was read just before a cell started."""

    before: Counters
    on_gpu: int | None

    @classmethod
    def start(cls, device: str) -> "Watch":
        """Look, before the cell starts."""
        return cls(counters(), gpu.foreign(device))

    def end(self, device: str, parent_cpu_s: float, child_cpu_s: float) -> Noise:
        """Look again, after it has ended; its own CPU time and the harness's are nobody else's."""
        after, before = counters(), self.before
        on_gpu = [count for count in (self.on_gpu, gpu.foreign(device)) if count is not None]
        return Noise(
            parent_cpu_s=parent_cpu_s,
            steal_s=grown(before.steal_s, after.steal_s),
            others_cpu_s=max(0.0, after.busy_s - before.busy_s - child_cpu_s - parent_cpu_s),
            throttled_s=grown(before.throttled_s, after.throttled_s),
            hot_events=grown(before.hot_events, after.hot_events),
            swapped_bytes=grown(before.swapped_bytes, after.swapped_bytes),
            frequency_share=frequency_share(),
            cpus=psutil.cpu_count(),
            gpu_processes=max(on_gpu, default=None),
        )


def grown(before: Number | None, after: Number | None) -> Number | None:
    """By how much a counter has grown; None where there is none."""
    return None if before is None or after is None else after - before


def disturbances(result: Result) -> list[str]:
    """What disturbed a cell, in words, by the rules above; empty where nothing is known to have."""
    noise, wall_s, threads = result.noise, result.phases.process_s, result.cell.threads
    if not wall_s:
        return []
    own = wall_s * threads
    spare = wall_s * max(0, (noise.cpus or threads) - threads)
    shares = {
        "stolen by other machines": (noise.steal_s, STEAL),
        "taken by other programs": (None if noise.others_cpu_s is None else noise.others_cpu_s - spare, OTHERS),
        "withheld by the container's quota": (noise.throttled_s, THROTTLED),
    }
    found = [
        f"{lost_s / own:.0%} of its CPU time {what}".replace("%", " %")
        for what, (lost_s, limit) in shares.items()
        if lost_s is not None and lost_s > limit * own
    ]
    if noise.hot_events:
        found.append(f"throttled for heat {noise.hot_events} times")
    if noise.swapped_bytes:
        found.append(f"{noise.swapped_bytes / 1e6:.0f} MB read back from swap")
    if noise.gpu_processes:
        found.append(f"{noise.gpu_processes} other programs on the GPU")
    if reasons := [reason for reason in slowed(noise) if reason != POWER_CAP]:
        found.append(f"GPU slowed down: {', '.join(reasons)}")
    return found


def slowed(noise: Noise) -> list[str]:
    """What kept the GPU's clock low just after the last epoch."""
    return noise.gpu_slowed_by.split(", ") if noise.gpu_slowed_by else []


def hints(result: Result, cpu_per_wall: float | None) -> list[str]:
    """What is worth knowing of a cell and is no reason to measure it again."""
    found = []
    if cpu_per_wall is not None and cpu_per_wall > OVERUSE * result.cell.threads:
        found.append(f"uses {cpu_per_wall:.1f} CPUs, was asked for {result.cell.threads}")
    switches, wall_s = result.noise.involuntary_switches, result.phases.process_s
    if switches is not None and wall_s and switches > SWITCHES * wall_s:
        found.append(f"lost its CPU {switches / wall_s:.0f} times a second")
    if result.noise.frequency_share is not None and result.noise.frequency_share < SLOW_CLOCK:
        found.append(f"clock at {result.noise.frequency_share:.0%} of its highest".replace("%", " %"))
    if POWER_CAP in slowed(result.noise):
        found.append("GPU at its power limit")
    return found

"""What else the machine did while a cell ran: counted by the system before and after, judged by rules fixed here.

No rule looks at an epoch's time: a block may be repeated because of what disturbed it, never because of what came out.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from bench.machine import cpus, gpu
from bench.machine.metering import Meter, Quantity, Surroundings, Work, counter, gauge
from bench.store.records.cell import Reading, Readings, Result

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


def busy_s() -> float:
    """CPU seconds that all CPUs together have worked, of whatever program."""
    times = psutil.cpu_times()
    counted_twice = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # both are in user and nice too
    waiting = times.idle + getattr(times, "iowait", 0.0)
    return float(sum(times) - waiting - counted_twice - (steal_s() or 0.0))


def steal_s() -> float | None:
    """CPU seconds that the hypervisor gave to other machines; Linux alone counts them."""
    return getattr(psutil.cpu_times(), "steal", None)


def throttled_s(root: Path = cpus.CGROUP, membership: Path = Path("/proc/self/cgroup")) -> float | None:
    """Seconds for which a quota on the way to the root kept this container's threads waiting, in either version."""
    readings = []
    for directory in cpus.cgroup_directories(root, membership):
        try:
            lines = (directory / "cpu.stat").read_text().splitlines()
        except OSError:
            continue
        values = dict(line.split(maxsplit=1) for line in lines if " " in line)
        if "throttled_usec" in values:  # version 2
            readings.append(int(values["throttled_usec"]) / 1e6)
        elif "throttled_time" in values:  # version 1, in nanoseconds
            readings.append(int(values["throttled_time"]) / 1e9)
    return max(readings, default=None)


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


class OtherPrograms:
    """The CPU time of all processes but this one and its child."""

    around: Work = "process"
    quantities = (Quantity("others_cpu_s", "s", "CPU time of all other processes meanwhile"),)

    def start(self, at: Surroundings) -> tuple[float, float]:
        """What the machine and this process have used so far."""
        return busy_s(), time.process_time()

    def stop(self, at: Surroundings, started: tuple[float, float]) -> Sequence[Reading]:
        """By how much more the machine has worked than these two."""
        busy_before_s, own_before_s = started
        own_s = time.process_time() - own_before_s
        return [max(0.0, busy_s() - busy_before_s - own_s - at.child_cpu_s)]


STEAL_MEANING = "CPU time that the hypervisor gave to other machines, all CPUs together"
QUOTA_MEANING = "time that the container's CPU quota withheld"
CLOCK_MEANING = "clock of the CPUs at the end, as a share of their highest"
SWITCHES_MEANING = "times that the process lost a CPU to another one"
COUNTED: tuple[Meter, ...] = (
    counter(
        "process", "parent_cpu_s", "s", "CPU time of the harness itself while the process ran",
        lambda at: time.process_time(),
    ),
    gauge(
        "training", "involuntary_switches", "count", SWITCHES_MEANING,
        lambda at: psutil.Process().num_ctx_switches().involuntary,
    ),
    counter("process", "steal_s", "s", STEAL_MEANING, lambda at: steal_s()),
    OtherPrograms(),
    counter("process", "throttled_s", "s", QUOTA_MEANING, lambda at: throttled_s()),
    counter(
        "process", "hot_events", "count", "times that a core was slowed down for its heat", lambda at: hot_events()
    ),
    counter(
        "process", "swapped_bytes", "bytes", "read back from swap by the whole machine", lambda at: swapped_bytes()
    ),
    gauge("process", "frequency_share", "0 to 1", CLOCK_MEANING, lambda at: frequency_share()),
    gauge("process", "cpus", "count", "CPUs of the machine", lambda at: psutil.cpu_count()),
)  # fmt: skip
"""What is counted, in the order of the columns."""


def disturbances(result: Result) -> list[str]:
    """What disturbed a cell, in words, by the rules above; empty where nothing is known to have."""
    read, wall_s, threads = reader(result), result.phases.process_s, result.cell.threads
    if not wall_s:
        return []
    available_s = wall_s * threads
    spare = wall_s * max(0, (read("cpus") or threads) - threads)
    others_s = read("others_cpu_s")
    shares = {
        "stolen by other machines": (read("steal_s"), STEAL),
        "taken by other programs": (None if others_s is None else others_s - spare, OTHERS),
        "withheld by the container's quota": (read("throttled_s"), THROTTLED),
    }
    causes = [
        f"{lost_s / available_s:.0%} of its CPU time {what}".replace("%", " %")
        for what, (lost_s, limit) in shares.items()
        if lost_s is not None and lost_s > limit * available_s
    ]
    if hot := read("hot_events"):
        causes.append(f"throttled for heat {hot} times")
    if swapped := read("swapped_bytes"):
        causes.append(f"{swapped / 1e6:.0f} MB read back from swap")
    if programs := read("gpu_processes"):
        causes.append(f"{programs} other programs on the GPU")
    if reasons := [reason for reason in slowed(result.readings) if reason != POWER_CAP]:
        causes.append(f"GPU slowed down: {', '.join(reasons)}")
    return causes


def reader(result: Result) -> Callable[[str], Any]:
    """``reader(result)("steal_s")``: a number that a meter read, or None."""
    return result.readings.get


def slowed(readings: Readings) -> list[str]:
    """What kept the GPU's clock low just after the last epoch."""
    reasons = readings.get("gpu_slowed_by")
    return str(reasons).split(", ") if reasons else []


def hints(result: Result, cpu_per_wall: float | None) -> list[str]:
    """What is worth knowing of a cell and is no reason to measure it again."""
    notes = []
    if cpu_per_wall is not None and cpu_per_wall > OVERUSE * result.cell.threads:
        notes.append(f"uses {cpu_per_wall:.1f} CPUs, was asked for {result.cell.threads}")
    read, wall_s = reader(result), result.phases.process_s
    switches, clock = read("involuntary_switches"), read("frequency_share")
    if switches is not None and wall_s and switches > SWITCHES * wall_s:
        notes.append(f"lost its CPU {switches / wall_s:.0f} times a second")
    if clock is not None and clock < SLOW_CLOCK:
        notes.append(f"clock at {clock:.0%} of its highest".replace("%", " %"))
    if POWER_CAP in slowed(result.readings):
        notes.append("GPU at its power limit")
    return notes

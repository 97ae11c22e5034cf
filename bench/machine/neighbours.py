"""What other programs take of the CPUs just now: looked at before a run, whose threads would wait for each other.

Threads that compute one step together meet at a barrier after each piece of it. Where one of them has no CPU of its
own, all of them wait: on two CPUs one busy neighbour makes two threads 4 to 60 times slower, and one thread not at all.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from bench.machine import cpus

SECONDS = 1.0
"""How long the machine is watched before a run."""
SPARE = 0.2
"""CPUs that may be missing without a word: what a second of watching cannot tell, and what does not last."""
MOST = 0.8
"""Share of what others take from which on the largest of them is called the one that takes it."""


@dataclass(frozen=True)
class Neighbours:
    """What other programs took while they were watched.

    They kept ``busy`` of the ``usable`` CPUs busy, and the ``largest`` of them, by name and process, ``taken``;
    ``largest`` is empty where none was seen, as outside of a container. ``quota`` are the CPUs that this process may
    keep busy at a time.
    """

    busy: float
    usable: int
    quota: int
    largest: str = ""
    taken: float = 0.0

    @property
    def alone(self) -> bool:
        """Whether it is one program, but for little."""
        return bool(self.largest) and self.taken >= MOST * self.busy

    @property
    def seen(self) -> str:
        """What they do, as the subject of a line: ``another program (cc1plus, 4711) keeps 1.0 of 2 CPUs busy``."""
        some = f" ({self.largest}{'' if self.alone else f': {self.taken:.1f}'})" if self.largest else ""
        who = f"another program{some} keeps" if self.alone else f"other programs{some} keep"
        return f"{who} {self.busy:.1f} of {self.usable} CPUs busy"

    def advice(self, threads: int) -> str:
        """What to do about it where fewer CPUs are left than a run of so many threads needs; else empty."""
        free = min(float(self.quota), self.usable - self.busy) + SPARE
        if free >= threads:
            return ""
        fitting, what = max(1, int(free)), ("it", "it rests") if self.alone else ("them", "they rest")
        otherwise = f"run with --threads {fitting}" if fitting < threads else f"measure when {what[1]}"
        return f"stop {what[0]}, or {otherwise}"


def watch(seconds: float = SECONDS) -> Neighbours:
    """What other programs take of the CPUs that this process may use, while it sleeps for so long."""
    usable = cpus.allowed_cpus()
    before, own_before, begun = by_process(), time.process_time(), time.perf_counter()
    busy_before = busy_s(usable)
    time.sleep(seconds)
    busy, after = busy_s(usable) - busy_before, by_process()
    passed, own = time.perf_counter() - begun, time.process_time() - own_before
    spent = {process: total - before.get(process, ("", 0.0))[1] for process, (_, total) in after.items()}
    largest = max(spent, key=spent.__getitem__, default=None)
    taken = 0.0 if largest is None else spent[largest] / passed
    return Neighbours(
        busy=min(float(len(usable)), max(0.0, busy - own) / passed),
        usable=len(usable),
        quota=len(cpus.available_cpus()),
        largest="" if largest is None or taken < SPARE else f"{after[largest][0]}, {largest}",
        taken=taken,
    )


def busy_s(usable: tuple[int, ...]) -> float:
    """CPU seconds that these CPUs have worked so far, of whatever program."""
    times = psutil.cpu_times(percpu=True)
    counted = [times[cpu] for cpu in usable if cpu < len(times)] or times
    return float(sum(one.user + one.system + getattr(one, "nice", 0.0) for one in counted))


def by_process() -> dict[int, tuple[str, float]]:
    """The name and the CPU seconds so far of each program that can be seen, but this one."""
    spent = {}
    for process in psutil.process_iter(["name", "cpu_times"]):
        times = process.info["cpu_times"]
        if times is not None and process.pid != os.getpid():
            spent[process.pid] = (process.info["name"] or "?", times.user + times.system)
    return spent


def warn(threads: int, say: Callable[[str], None]) -> None:
    """Say what to do where other programs leave fewer CPUs than so many threads need; nothing is refused."""
    found = watch()
    if advice := found.advice(threads):
        say(f"{found.seen}: {advice}")

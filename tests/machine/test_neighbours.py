"""What other programs take of the CPUs: what is said of it, and that a busy one is seen."""

import os
import subprocess
import sys
import time

import pytest

from bench.machine import neighbours
from bench.machine.neighbours import Neighbours

BUSY = Neighbours(1.0, 2, 2, "cc1plus, 4711", 0.95)
CROWD = Neighbours(3.1, 4, 4, "java, 12", 1.2)


def said(found: Neighbours, threads: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a run of so many threads says before it begins."""
    lines: list[str] = []
    monkeypatch.setattr(neighbours, "watch", lambda: found)
    neighbours.warn(threads, lines.append)
    return lines


def test_a_run_that_finds_fewer_cpus_than_threads_says_so_on_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who it is, and two things to do about it."""
    assert said(BUSY, 2, monkeypatch) == [
        "another program (cc1plus, 4711) keeps 1.0 of 2 CPUs busy: stop it, or run with --threads 1"
    ]
    assert said(CROWD, 3, monkeypatch) == [
        "other programs (java, 12: 1.2) keep 3.1 of 4 CPUs busy: stop them, or run with --threads 1"
    ]
    nobody = Neighbours(1.6, 2, 2)
    assert said(nobody, 1, monkeypatch) == [
        "other programs keep 1.6 of 2 CPUs busy: stop them, or measure when they rest"
    ]


def test_a_run_that_finds_enough_cpus_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A little is in nobody's way, nor is a program on a CPU that the run does not need."""
    assert said(BUSY, 1, monkeypatch) == said(CROWD, 1, monkeypatch) == []
    assert said(Neighbours(0.1, 2, 2, "top, 3", 0.1), 2, monkeypatch) == []


def test_a_quota_is_all_that_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 64 CPUs with one of them busy a container of two has two; of four with three of them busy it has one."""
    assert said(Neighbours(1.0, 64, 2, "make, 5", 1.0), 2, monkeypatch) == []
    assert said(Neighbours(3.0, 4, 2, "make, 5", 3.0), 2, monkeypatch)[0].endswith("or run with --threads 1")


def test_what_this_program_computes_meanwhile_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a CPU second that passed on the CPUs half was its own."""
    readings = {"busy": [10.0, 11.0], "own": [1.0, 1.5], "clock": [0.0, 1.0]}
    monkeypatch.setattr(neighbours, "busy_s", lambda usable: readings["busy"].pop(0))
    monkeypatch.setattr(neighbours, "by_process", dict)
    monkeypatch.setattr(time, "process_time", lambda: readings["own"].pop(0))
    monkeypatch.setattr(time, "perf_counter", lambda: readings["clock"].pop(0))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    found = neighbours.watch()
    assert (found.busy, found.largest, found.taken) == (0.5, "", 0.0)


def test_a_program_is_known_by_its_process_whatever_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel's worker has another name for each piece of work: what it did before counts for no other."""
    seen = [{7: ("before", 500.0), 8: ("make", 1.0)}, {7: ("after", 500.1), 8: ("make", 1.9), 9: ("new", 0.3)}]
    clock = [0.0, 1.0]
    monkeypatch.setattr(neighbours, "by_process", lambda: seen.pop(0))
    monkeypatch.setattr(time, "perf_counter", lambda: clock.pop(0))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    found = neighbours.watch()
    assert (found.largest, found.taken) == ("make, 8", pytest.approx(0.9))


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_a_program_that_computes_is_found() -> None:
    """On the CPUs that this process may use, which is one here."""
    mask = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(mask)})
    spin = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.5)
        found = neighbours.watch(0.5)
    finally:
        spin.kill()
        spin.wait()
        os.sched_setaffinity(0, mask)
    assert found.usable == 1 and found.busy > neighbours.SPARE and found.taken > 0
    assert found.advice(1).startswith("stop ")

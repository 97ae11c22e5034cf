"""What is counted beside a cell, and the rules by which it is called a disturbance."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from synthetic import result

from bench.machine import disturbances, gpu, meters
from bench.machine.metering import Surroundings
from bench.store.records.cell import Phases


def test_busy_seconds_are_what_the_machine_does() -> None:
    """CPU time that this process burns is among them, give or take the kernel's tick."""
    before, start = disturbances.busy_s(), time.process_time()
    while time.process_time() - start < 0.3:
        pass
    assert disturbances.busy_s() - before >= 0.3 - 0.05


def test_a_guests_time_is_not_counted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux adds a guest's time to user and nice as well; idle, waiting and stolen time is nobody's work."""
    fields = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice"]
    values = [100.0, 20.0, 7.0, 1000.0, 500.0, 2.0, 1.0, 30.0, 40.0, 5.0]
    times: Any = type("scputimes", (tuple,), {name: property(lambda t, i=i: t[i]) for i, name in enumerate(fields)})
    monkeypatch.setattr(psutil, "cpu_times", lambda: times(values))
    assert (disturbances.busy_s(), disturbances.steal_s()) == (100 + 20 + 7 + 2 + 1, 30)


COUNTED = ("busy_s", "steal_s", "throttled_s", "hot_events", "swapped_bytes")


def read_around(monkeypatch: pytest.MonkeyPatch, before: Any, after: Any, at: Surroundings) -> dict[str, Any]:
    """What the parent's meters read, where the machine's counters are these; this process takes a second meanwhile."""
    readings = dict(zip(COUNTED, before, strict=True))
    for name in COUNTED:
        monkeypatch.setattr(disturbances, name, lambda name=name: readings[name])
    own = iter([10.0, 10.0])
    monkeypatch.setattr(time, "process_time", lambda: next(own, 11.0))
    started = meters.start("process", at)
    readings |= dict(zip(COUNTED, after, strict=True))
    return started.stop(at)


def test_disturbances_are_what_the_machine_did_beside_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Busy time less that of child and parent, the rest by difference; what the system does not tell is missing."""
    at = Surroundings("cpu", child_cpu_s=5.0)
    found = read_around(monkeypatch, (100.0, 3.0, 0.5, 7, 1000), (110.0, 3.5, 0.75, 9, 5000), at)
    assert (found["parent_cpu_s"], found["others_cpu_s"], found["steal_s"], found["throttled_s"]) == (
        1.0,
        4.0,
        0.5,
        0.25,
    )
    assert (found["hot_events"], found["swapped_bytes"], found["gpu_processes"]) == (2, 4000, None)
    assert found["cpus"] == psutil.cpu_count()
    found = read_around(monkeypatch, (100.0, None, None, None, None), (101.0, None, None, None, None), at)
    assert (found["others_cpu_s"], found["steal_s"], found["throttled_s"], found["hot_events"]) == (
        0.0,
        None,
        None,
        None,
    )


def test_who_computes_on_the_gpu_before_or_after_is_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only cells that run there ask; the greater of the two counts, without those of the session itself."""
    counts = [1, 3]
    monkeypatch.setattr(gpu, "foreign", lambda device, ours: counts.pop(0) - ours if device == "cuda" else None)
    for device, number in (("cuda", 2), ("cpu", None)):
        at = Surroundings(device, ours=lambda: 1)
        assert meters.start("process", at).stop(at)["gpu_processes"] == number


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("usage_usec 5\nnr_throttled 2\nthrottled_usec 1500000\n", 1.5),
        ("nr_periods 3\nthrottled_time 250000000\n", 0.25),
        ("usage_usec 5\n", None),
        ("", None),
    ],
)
def test_what_a_quota_withholds_is_read_in_both_versions(tmp_path: Path, text: str, seconds: float | None) -> None:
    """Microseconds in version 2 of cgroups, nanoseconds in version 1."""
    (tmp_path / "membership").write_text("0::/here\n")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "cpu.stat").write_text(text)
    assert disturbances.throttled_s(tmp_path, tmp_path / "membership") == seconds


def test_throttled_cores_are_counted_together(tmp_path: Path) -> None:
    """One file for each core; none where the system has no such files."""
    assert disturbances.hot_events(tmp_path) is None
    for core, count in enumerate((2, 5)):
        folder = tmp_path / f"cpu{core}" / "thermal_throttle"
        folder.mkdir(parents=True)
        (folder / "core_throttle_count").write_text(f"{count}\n")
    assert disturbances.hot_events(tmp_path) == 7


def disturbed(wall_s: float = 10.0, threads: int = 2, **counted: Any) -> list[str]:
    """What is said of a cell of ten seconds with two threads, on a machine of two CPUs."""
    found = replace(result(threads=threads), phases=Phases(process_s=wall_s))
    return disturbances.disturbances(replace(found, readings={"cpus": 2, **counted}))


@pytest.mark.parametrize(
    ("counted", "said"),
    [
        ({"steal_s": 0.39}, []),
        ({"steal_s": 0.5}, ["2 % of its CPU time stolen by other machines"]),
        ({"others_cpu_s": 0.99}, []),
        ({"others_cpu_s": 2.0}, ["10 % of its CPU time taken by other programs"]),
        ({"others_cpu_s": 2.0, "cpus": 4}, []),  # two CPUs were free for them
        ({"others_cpu_s": 25.0, "cpus": 4}, ["25 % of its CPU time taken by other programs"]),
        ({"throttled_s": 0.3}, ["2 % of its CPU time withheld by the container's quota"]),
        ({"hot_events": 4}, ["throttled for heat 4 times"]),
        ({"swapped_bytes": 3_000_000}, ["3 MB read back from swap"]),
        ({"gpu_processes": 1}, ["1 other programs on the GPU"]),
        ({}, []),
    ],
)
def test_a_disturbance_is_a_count_beyond_its_limit(counted: dict[str, Any], said: list[str]) -> None:
    """Shares are of the CPU time that the cell could have had: its threads, as long as it ran."""
    assert disturbed(**counted) == said


def test_times_have_no_say_in_what_is_a_disturbance() -> None:
    """The slowest cell is undisturbed where nothing was counted, the fastest is disturbed where something was."""
    for seconds in (0.001, 1.0, 1000.0):
        found = result(epoch_s=seconds, phases=Phases(process_s=10.0))
        assert disturbances.disturbances(replace(found, readings={"steal_s": 0.0})) == []
        assert disturbances.disturbances(replace(found, readings={"steal_s": 5.0})) != []


def test_a_cell_of_an_older_version_is_not_called_disturbed() -> None:
    """What was not counted is not known."""
    assert disturbances.disturbances(replace(result(), readings={})) == []
    assert disturbances.disturbances(result(status="failed")) == []


def test_hints_are_told_apart_from_disturbances() -> None:
    """More CPUs than were asked for, a fight for them, a slow clock: worth knowing, no reason to measure again."""
    found = replace(result(), readings={"frequency_share": 0.5, "involuntary_switches": 10_000})
    assert disturbances.disturbances(found) == []
    assert [hint.split()[0] for hint in disturbances.hints(found, cpu_per_wall=2.5)] == ["uses", "lost", "clock"]
    assert disturbances.hints(replace(result(), readings={"frequency_share": 0.99}), cpu_per_wall=2.0) == []

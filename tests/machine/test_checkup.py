"""What the doctor says of machines made by hand, and of this one."""

from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from bench.machine import checkup, cpus, disturbances, gpu, neighbours
from bench.machine.checkup import CheckupFinding
from bench.machine.neighbours import Neighbours


def test_every_finding_is_a_line_with_advice_where_it_is_bad() -> None:
    """On this machine, whatever it is."""
    found = [*checkup.others(0.2), checkup.evenness(0.2), *(check() for check in checkup.CHECKS)]
    assert len({finding.name for finding in found}) == len(found)
    for finding in found:
        assert finding.state in ("good", "bad", "unknown") and "\n" not in finding.line
        assert bool(finding.advice) == (finding.state == "bad")


def counted(monkeypatch: pytest.MonkeyPatch, busy: float, steal_s: float | None) -> list[CheckupFinding]:
    """What the first two checks say where this went on meanwhile, on two CPUs."""
    readings = [None if steal_s is None else 0.0, steal_s]
    monkeypatch.setattr(disturbances, "steal_s", lambda: readings.pop(0))
    monkeypatch.setattr(disturbances, "busy_s", lambda: 0.0)
    monkeypatch.setattr(neighbours, "watch", lambda seconds: Neighbours(busy, 2, 2, "make, 7", busy))
    monkeypatch.setattr(psutil, "cpu_count", lambda: 2)
    return list(checkup.others(0.1))


def test_others_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs of this machine by their CPU time, other machines on the host by what was stolen."""
    for busy, steal_s, states in (
        (0.0, 0.0, ["good", "good"]),
        (1.0, 0.0, ["bad", "good"]),
        (0.0, 0.1, ["good", "bad"]),
        (0.0, None, ["good", "unknown"]),
    ):
        assert [finding.state for finding in counted(monkeypatch, busy, steal_s)] == states


def test_a_neighbour_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what the default needs: a CPU that it leaves anyway may be busy."""
    found, _ = counted(monkeypatch, 1.9, 0.0)
    assert found.line.endswith("another program (make, 7) keeps 1.9 of 2 CPUs busy; stop it, or measure when it rests")
    assert "the default leaves it a CPU" in counted(monkeypatch, 1.0, 0.0)[0].line


@pytest.mark.parametrize(("quota", "state"), [(None, "good"), (2.0, "good"), (1.5, "bad"), (1.0, "bad")])
def test_a_quota_of_parts_of_a_cpu_is_bad(monkeypatch: pytest.MonkeyPatch, quota: float | None, state: str) -> None:
    """And so is one below the CPUs that are used."""
    monkeypatch.setattr(cpus, "cpu_quota", lambda: quota)
    monkeypatch.setattr(cpus, "available_cpus", lambda: (0, 1))
    assert checkup.quota().state == state


@pytest.mark.parametrize(
    ("governors", "state"), [([], "unknown"), (["performance"] * 2, "good"), (["powersave"], "bad")]
)
def test_a_clock_that_follows_the_load_is_bad(tmp_path: Path, governors: list[str], state: str) -> None:
    """Read for every CPU."""
    for cpu, name in enumerate(governors):
        (tmp_path / f"cpu{cpu}" / "cpufreq").mkdir(parents=True)
        (tmp_path / f"cpu{cpu}" / "cpufreq" / "scaling_governor").write_text(f"{name}\n")
    assert checkup.governor(tmp_path).state == state


@pytest.mark.parametrize(
    ("name", "value", "state"),
    [("intel_pstate/no_turbo", "0", "bad"), ("intel_pstate/no_turbo", "1", "good"), ("cpufreq/boost", "1", "bad"),
     ("cpufreq/boost", "0", "good"), ("other", "0", "unknown")],
)  # fmt: skip
def test_turbo_is_read_from_either_driver(tmp_path: Path, name: str, value: str, state: str) -> None:
    """Intel's says when it is off, the others when it is on."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{value}\n")
    assert checkup.turbo(tmp_path).state == state


def test_cpus_that_share_a_core_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the number of threads that gives each its own."""
    monkeypatch.setattr(cpus, "available_cpus", lambda: (0, 1))
    assert checkup.threads(tmp_path).state == "unknown"
    for siblings, state in ((("0-1", "0-1"), "bad"), (("0", "1"), "good")):
        for cpu, text in enumerate(siblings):
            (tmp_path / f"cpu{cpu}" / "topology").mkdir(parents=True, exist_ok=True)
            (tmp_path / f"cpu{cpu}" / "topology" / "thread_siblings_list").write_text(f"{text}\n")
        assert checkup.threads(tmp_path).state == state
    assert "--threads" not in checkup.threads(tmp_path).line


def test_heat_memory_power_and_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each from what the system says."""
    for events, state in ((None, "unknown"), (0, "good"), (3, "bad")):
        monkeypatch.setattr(disturbances, "hot_events", lambda events=events: events)
        assert checkup.heat().state == state
    for free, limit, state in ((10**10, None, "good"), (10**9, None, "bad"), (10**10, 10**9, "bad")):
        monkeypatch.setattr(psutil, "virtual_memory", lambda free=free: SimpleNamespace(available=free, total=10**11))
        monkeypatch.setattr(cpus, "memory_limit", lambda limit=limit: limit)
        assert checkup.memory().state == state
    for plugged, state in ((True, "good"), (False, "bad")):
        battery = SimpleNamespace(power_plugged=plugged)
        monkeypatch.setattr(psutil, "sensors_battery", lambda battery=battery: battery, raising=False)
        assert checkup.power().state == state
    for names, count, state in (
        ((), 0, "good"),
        (("Some GPU",), 0, "good"),
        (("Some GPU",), 2, "bad"),
        (("Some GPU",), None, "unknown"),
    ):
        monkeypatch.setattr(gpu, "gpu_names", lambda names=names: names)
        monkeypatch.setattr(gpu, "gpu_processes", lambda count=count: count)
        assert checkup.gpu().state == state

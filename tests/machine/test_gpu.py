"""One GPU as its driver counts it, with a driver that answers as NVML documents it: none is needed."""

import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest
from synthetic import result

from bench.machine import disturbances
from bench.machine import gpu as machine_gpu
from bench.machine.gpu import APPEARED, GROWTH, OWN, Before, Gpu, find

ASKED = [
    "nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex", "nvmlDeviceGetHandleByUUID", "nvmlDeviceGetUUID",
    "nvmlDeviceGetDeviceHandleFromMigDeviceHandle", "nvmlDeviceGetMigMode", "nvmlDeviceGetTotalEnergyConsumption",
    "nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetMemoryInfo", "nvmlDeviceGetCurrentClocksEventReasons",
    "nvmlDeviceGetCurrentClocksThrottleReasons", "nvmlDeviceGetTemperature", "nvmlDeviceGetClockInfo",
    "nvmlDeviceGetMaxClockInfo", "nvmlDeviceGetCudaComputeCapability", "nvmlDeviceGetEnforcedPowerLimit", "nvmlDeviceGetCurrentDriverModel",
    "nvmlSystemGetDriverVersion", "nvmlSystemGetCudaDriverVersion", "nvmlShutdown", "nvmlDeviceGetName",
]  # fmt: skip
CONSTANTS = [
    "NVML_DEVICE_MIG_ENABLE", "NVML_DRIVER_WDDM", "NVML_DRIVER_WDM", "NVML_CLOCK_SM", "NVML_TEMPERATURE_GPU", *machine_gpu.SLOWED
]  # fmt: skip


@dataclass
class Driver:
    """A driver with one answer for each question; what has none is refused, as NVML refuses it."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    NVMLError = pynvml.NVMLError

    def __getattr__(self, name: str) -> Any:
        """A constant of the library, or a question: its parameters are checked, and it is answered or refused."""
        if not name.startswith("nvml") or name in machine_gpu.SLOWED:
            return getattr(pynvml, name)

        def answer(*arguments: Any) -> Any:
            inspect.signature(getattr(pynvml, name)).bind(*arguments)
            self.asked.append((name, *arguments))
            found = self.answers.get(name, pynvml.NVML_ERROR_NOT_SUPPORTED)
            if name not in self.answers:
                raise pynvml.NVMLError(found)
            return found(*arguments) if callable(found) else found

        return answer


def driver(**answers: Any) -> Gpu:
    """A GPU of such a driver; names without ``nvmlDevice``."""
    return Gpu(Driver({f"nvmlDevice{name}": value for name, value in answers.items()}), "instance", "whole")


def process(pid: int, used: int | None) -> SimpleNamespace:
    """As NVML describes one."""
    return SimpleNamespace(pid=pid, usedGpuMemory=used)


@pytest.mark.parametrize("name", [*ASKED, *CONSTANTS])
def test_what_is_asked_of_the_driver_exists_in_the_installed_library(name: str) -> None:
    """Functions and constants by their names; the stand-in checks their parameters."""
    assert callable(getattr(pynvml, name)) if name in ASKED else isinstance(getattr(pynvml, name), int)


def test_all_questions_are_known_to_the_test() -> None:
    """A new one is added to the list above."""
    text = Path(machine_gpu.__file__).read_text()
    assert set(ASKED) == set(re.findall(r"nvml\.(nvml\w+)", text))


def test_energy_is_in_joules_and_empty_where_others_share_it() -> None:
    """The counter is in millijoules; the one of a divided GPU is everybody's; many GPUs have none."""
    assert driver(GetTotalEnergyConsumption=12_500).energy_j() == 12.5
    assert driver(GetTotalEnergyConsumption=12_500, GetMigMode=[1, 1]).energy_j() is None
    assert driver(GetTotalEnergyConsumption=12_500, GetMigMode=[0, 0]).energy_j() == 12.5
    assert driver().energy_j() is None


MINE = os.getpid()
STATE = [quantity.name for quantity in machine_gpu.STATE.quantities]


@pytest.mark.parametrize(
    ("processes", "used", "own_numbers", "expected"),
    [
        ([process(MINE, 700), process(5, 90)], 990, True, (700, OWN)),
        ([process(MINE, 700), process(MINE, 11)], 990, True, (711, OWN)),
        ([process(MINE, 700), process(5, 90), process(77, 650)], 990, False, (650, APPEARED)),
        ([process(5, 90), process(MINE, 700)], 990, "new", (700, OWN)),
        ([process(5, 90), process(MINE, 0)], 990, "new", (890, GROWTH)),
        ([process(5, 90), process(77, 650), process(78, 1)], 990, False, (890, GROWTH)),
        ([process(5, 90)], 990, False, (890, GROWTH)),
        ([process(MINE, None), process(5, None)], 990, True, (890, GROWTH)),
        (None, 990, True, (890, GROWTH)),
        ([], 100, True, (None, None)),
        (None, None, True, (None, None)),
    ],
    ids=[
        "this process", "this process on two instances", "container",
        "container, numbers of its own", "container, 0 bytes", "container, two appeared",
        "container that shows no processes", "WDDM", "a driver that lists none", "nothing grew", "nothing told",
    ],
)  # fmt: skip
def test_the_memory_of_the_process_is_told_with_the_reading_that_it_comes_from(
    processes: list[SimpleNamespace] | None,
    used: int | None,
    own_numbers: bool | str,
    expected: tuple[int | None, str | None],
) -> None:
    """Its own figure where the numbers are ours, else what appeared or grew, else nothing."""
    answers: dict[str, Any] = {}
    if processes is not None:
        answers["GetComputeRunningProcesses"] = processes
    if used is not None:
        answers["GetMemoryInfo"] = SimpleNamespace(used=used)
    before = Before(100, frozenset({5, MINE} if own_numbers is False else {5}))
    assert driver(**answers).held(before, own_numbers is True) == expected


def test_of_an_instance_its_own_memory_counts_and_the_whole_gpus_processes() -> None:
    """NVML lists processes by GPU, memory by instance."""
    own = driver(GetComputeRunningProcesses=[], GetMemoryInfo=SimpleNamespace(used=3))
    assert own.before() == Before(3, frozenset())
    assert own.nvml.asked == [
        ("nvmlDeviceGetMemoryInfo", "instance"), ("nvmlDeviceGetComputeRunningProcesses", "whole"),
    ] or own.nvml.asked == [
        ("nvmlDeviceGetComputeRunningProcesses", "whole"), ("nvmlDeviceGetMemoryInfo", "instance"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("reasons", "told", "disturbed", "hinted"),
    [
        (pynvml.nvmlClocksEventReasonGpuIdle, "", [], []),
        (pynvml.nvmlClocksEventReasonSwPowerCap, "power cap", [], ["GPU at its power limit"]),
        (
            pynvml.nvmlClocksEventReasonHwThermalSlowdown | pynvml.nvmlClocksEventReasonSwPowerCap,
            "heat (by hardware), power cap",
            ["GPU slowed down: heat (by hardware)"],
            ["GPU at its power limit"],
        ),
    ],
)
@pytest.mark.parametrize("name", ["GetCurrentClocksEventReasons", "GetCurrentClocksThrottleReasons"])
def test_what_slows_the_gpu_down_is_said_and_heat_is_a_disturbance(
    name: str, reasons: int, told: str, disturbed: list[str], hinted: list[str]
) -> None:
    """By the function's newer or older name; a power limit is how GPUs work, a setting no reason at all."""
    state = driver(**{name: reasons}, GetTemperature=61, GetClockInfo=1980).state()
    assert state == (61, 1980, told)
    found = result(readings=dict(zip(STATE, state, strict=True)), device="cuda")
    assert (disturbances.disturbances(found), disturbances.hints(found, None)) == (disturbed, hinted)


def test_a_driver_that_tells_nothing_leaves_all_empty() -> None:
    """Empty, never 0."""
    assert set(driver().state()) == {None}
    assert driver().settings() == ""


def test_settings_say_what_clock_power_and_memory_rest_on() -> None:
    """In words, for the description of the machine."""
    found = driver(GetMaxClockInfo=1980, GetEnforcedPowerLimit=700_000, GetMigMode=[1, 1], GetCurrentDriverModel=0)
    assert found.settings() == "at most 1980 MHz, at most 700 W, MIG, WDDM"


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """``two_gpus(entry, order)``: which handle a process finds that sees ``entry``."""
    answers = {
        "nvmlInit": None,
        "nvmlDeviceGetCount": 2,
        "nvmlDeviceGetHandleByIndex": lambda number: f"gpu {number}",
        "nvmlDeviceGetUUID": lambda handle: {"gpu 0": "GPU-aa01", "gpu 1": "GPU-aa02"}[handle],
        "nvmlDeviceGetHandleByUUID": lambda uuid: f"instance {uuid}",
        "nvmlDeviceGetDeviceHandleFromMigDeviceHandle": lambda handle: "gpu 1",
    }
    monkeypatch.setitem(sys.modules, "pynvml", Driver(answers))

    def found(entry: str, order: str = "PCI_BUS_ID") -> Any:
        gpu = find({"CUDA_VISIBLE_DEVICES": entry, "CUDA_DEVICE_ORDER": order})
        return gpu and (gpu.handle, gpu.whole)

    yield found


@pytest.mark.parametrize(
    ("entry", "handles"),
    [
        ("1", ("gpu 1", "gpu 1")),
        ("7", None),
        ("-1", None),
        ("GPU-aa02", ("gpu 1", "gpu 1")),
        ("GPU-aa", None),
        ("MIG-bb", ("instance MIG-bb", "gpu 1")),
    ],
)
def test_the_gpu_is_the_one_that_the_process_sees(
    two_gpus: Callable[..., Any], entry: str, handles: tuple[str, str] | None
) -> None:
    """By its position, its UUID or the beginning of it, or as an instance; none where that fits none or several."""
    assert two_gpus(entry) == handles


def test_a_position_in_cudas_own_order_is_not_taken_for_the_drivers(two_gpus: Callable[..., Any]) -> None:
    """It may be another GPU: nothing is said rather than something wrong."""
    assert two_gpus("1", "FASTEST_FIRST") is None


def test_without_library_or_driver_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker elsewhere may lack the library, a machine the driver: neither is an error."""
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert find({"CUDA_VISIBLE_DEVICES": "0"}) is None
    monkeypatch.setitem(sys.modules, "pynvml", Driver())
    assert find({"CUDA_VISIBLE_DEVICES": "0"}) is None
    assert machine_gpu.foreign("cuda") is None and machine_gpu.foreign("cpu") is None
    assert (machine_gpu.driver(), machine_gpu.all_settings()) == ("", "")


@pytest.mark.parametrize(("target", "own"), [("pid:[4026531836]", True), ("pid:[4026532512]", False), (None, True)])
def test_a_container_has_process_numbers_of_its_own(tmp_path: Path, target: str | None, own: bool) -> None:
    """Linux says so by the name of the namespace; other systems have none."""
    if target:
        (tmp_path / "pid").symlink_to(target)
    assert machine_gpu.own_process_numbers(tmp_path / "pid") is own

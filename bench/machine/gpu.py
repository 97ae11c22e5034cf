"""One NVIDIA GPU as its driver counts it, by NVML. What the driver does not tell is None: empty, never guessed.

The worker asks about the one GPU that it sees, at moments at which no clock runs; the parent asks before and after.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.machine.metering import Gauge, Quantity, Surroundings, Work, counter
from bench.store.records.cell import Reading
from impls import environment

FIRST_PID_NAMESPACE = "pid:[4026531836]"
"""What Linux calls the one in which it starts; in any other, a container's, processes have numbers of their own."""
OWN = "NVML, this process"
APPEARED = "NVML, the one process that appeared on the GPU since the start"
GROWTH = "NVML, what the whole GPU holds more than before the start"
SLOWED = {
    "nvmlClocksEventReasonHwSlowdown": "hardware slowdown",
    "nvmlClocksEventReasonSwThermalSlowdown": "heat (by software)",
    "nvmlClocksEventReasonHwThermalSlowdown": "heat (by hardware)",
    "nvmlClocksEventReasonHwPowerBrakeSlowdown": "power brake",
    "nvmlClocksEventReasonSwPowerCap": "power cap",
}
"""Why a clock is lower than it could be, in NVML's names and in words; others are settings, or an idle GPU."""


@dataclass(frozen=True)
class Before:
    """What was on the GPU before a process began: the bytes in use, and the numbers of the processes."""

    used_bytes: int | None
    pids: frozenset[int] | None


@dataclass(frozen=True)
class Gpu:
    """A GPU, or an instance of one (MIG): its handle, and that of the whole GPU; ``nvml`` is the module to ask."""

    nvml: Any
    handle: Any
    whole: Any

    def ask(self, question: Callable[..., Any], *arguments: Any) -> Any:
        """What the driver answers; None where it has no answer to that on this GPU, or none for this user."""
        try:
            return question(*arguments)
        except self.nvml.NVMLError:
            return None

    @property
    def divided(self) -> bool:
        """Whether it is divided into instances (MIG): then its energy is that of everybody on it."""
        mode = self.ask(self.nvml.nvmlDeviceGetMigMode, self.whole)
        return mode is not None and mode[0] == self.nvml.NVML_DEVICE_MIG_ENABLE

    def energy_j(self) -> float | None:
        """Joules since its driver was loaded."""
        millijoules = None if self.divided else self.ask(self.nvml.nvmlDeviceGetTotalEnergyConsumption, self.whole)
        return None if millijoules is None else millijoules / 1000

    def processes(self) -> dict[int, int | None] | None:
        """The processes that compute on it and the bytes that each holds, None where that is not told (WDDM)."""
        running = self.ask(self.nvml.nvmlDeviceGetComputeRunningProcesses, self.whole)
        if running is None:
            return None
        held: dict[int, int | None] = {}
        for process in running:  # one for each instance that a process uses
            before = held.get(process.pid, 0)
            unknown = before is None or process.usedGpuMemory is None
            held[process.pid] = None if unknown else before + process.usedGpuMemory
        return held

    def used_bytes(self) -> int | None:
        """What all processes and the driver hold of it; of its instance, where it is one."""
        memory = self.ask(self.nvml.nvmlDeviceGetMemoryInfo, self.handle)
        return None if memory is None else int(memory.used)

    def before(self) -> Before:
        """What is on it now; to be read before a process uses it."""
        processes = self.processes()
        return Before(self.used_bytes(), None if processes is None else frozenset(processes))

    def held(self, before: Before, own_numbers: bool) -> tuple[int | None, str | None]:
        """The bytes that this process holds of it, and by which reading; neither where none can be trusted.

        ``own_numbers`` says whether the driver's process numbers are surely ours. In a container some drivers give the
        host's, some the container's, and some 0 bytes: there our number counts where it has appeared since ``before``,
        else what has appeared, else by how much the whole GPU holds more than then.
        """
        processes, used, own = self.processes() or {}, self.used_bytes(), os.getpid()
        appeared = [number for number in processes if before.pids is not None and number not in before.pids]
        if (own_numbers or own in appeared) and processes.get(own):
            return processes[own], OWN
        if not own_numbers and len(appeared) == 1 and processes[appeared[0]]:
            return processes[appeared[0]], APPEARED
        if used is None or before.used_bytes is None or used <= before.used_bytes:
            return None, None
        return used - before.used_bytes, GROWTH

    def state(self) -> tuple[int | None, int | None, str | None]:
        """Temperature (°C), clock (MHz) and what slows it down now, in words."""
        nvml = self.nvml
        reasons = self.ask(nvml.nvmlDeviceGetCurrentClocksEventReasons, self.whole)
        if reasons is None:  # drivers before 535 know it by its older name
            reasons = self.ask(nvml.nvmlDeviceGetCurrentClocksThrottleReasons, self.whole)
        slowed = None
        if reasons is not None:
            slowed = ", ".join(words for name, words in SLOWED.items() if reasons & getattr(nvml, name))
        temperature = self.ask(nvml.nvmlDeviceGetTemperature, self.whole, nvml.NVML_TEMPERATURE_GPU)
        return temperature, self.ask(nvml.nvmlDeviceGetClockInfo, self.whole, nvml.NVML_CLOCK_SM), slowed

    def settings(self) -> str:
        """Clock and power as they are set, and what decides how memory is counted, in words."""
        nvml = self.nvml
        clock = self.ask(nvml.nvmlDeviceGetMaxClockInfo, self.whole, nvml.NVML_CLOCK_SM)
        limit = self.ask(nvml.nvmlDeviceGetEnforcedPowerLimit, self.whole)
        model = self.ask(nvml.nvmlDeviceGetCurrentDriverModel, self.whole)  # Windows alone has one
        in_words = [
            None if clock is None else f"at most {clock} MHz",
            None if limit is None else f"at most {limit / 1000:.0f} W",
            "MIG" if self.divided else None,
            {nvml.NVML_DRIVER_WDDM: "WDDM", nvml.NVML_DRIVER_WDM: "TCC"}.get(model),
        ]
        return ", ".join(part for part in in_words if part)


def find(variables: Mapping[str, str]) -> Gpu | None:
    """The one GPU that a process with these variables sees; None where it sees none, or its driver cannot be asked.

    A number is the driver's own only where CUDA counts as the driver does, or where there is one GPU.
    """
    entries = environment.visible(variables)
    if not entries:
        return None
    try:
        import pynvml as nvml  # here: a worker on the CPU needs it not, and one elsewhere may not have it

        nvml.nvmlInit()
    except ImportError:
        return None
    except nvml.NVMLError:
        return None
    try:
        return located(nvml, entries[0], variables.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID")
    except nvml.NVMLError:
        return None


def located(nvml: Any, entry: str, in_order: bool) -> Gpu | None:
    """The GPU that an entry of ``CUDA_VISIBLE_DEVICES`` stands for. Raises NVMLError where the driver has none such."""
    if entry.startswith("MIG-"):
        handle = nvml.nvmlDeviceGetHandleByUUID(entry)
        return Gpu(nvml, handle, nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(handle))
    handles = [nvml.nvmlDeviceGetHandleByIndex(number) for number in range(nvml.nvmlDeviceGetCount())]
    if entry.isdecimal():
        fit = handles[int(entry) : int(entry) + 1] if in_order or len(handles) == 1 else []
    else:
        fit = [handle for handle in handles if nvml.nvmlDeviceGetUUID(handle).startswith(entry)]
    return Gpu(nvml, fit[0], fit[0]) if len(fit) == 1 else None


def own_process_numbers(link: Path = Path("/proc/self/ns/pid")) -> bool:
    """Whether the driver's process numbers are ours, which they are not in a container with numbers of its own."""
    try:
        return str(link.readlink()) == FIRST_PID_NAMESPACE
    except OSError:  # not Linux: there are no such namespaces
        return True


def foreign(device: str, ours: int = 0) -> int | None:
    """Processes on the GPU of a cell beside so many of ours; None for other cells' devices.

    Ours are counted, not named: in a container the driver may give other numbers than the system.
    """
    if environment.kind(device) != "cuda":
        return None
    gpu = find(environment.gpu_variables(device, os.environ))
    processes = None if gpu is None else gpu.processes()
    return None if processes is None else max(0, len(processes) - ours)


def capability(device: str) -> tuple[int, int] | None:
    """The compute capability of a cell's GPU, (8, 0) for an A100; None where it cannot be asked."""
    gpu = find(environment.gpu_variables(device, os.environ))
    version = None if gpu is None else gpu.ask(gpu.nvml.nvmlDeviceGetCudaComputeCapability, gpu.whole)
    return None if version is None else (version[0], version[1])


def driver() -> str:
    """The NVIDIA driver's version and the newest CUDA that it can run; empty where there is none."""
    import pynvml as nvml

    try:
        nvml.nvmlInit()
        number = nvml.nvmlSystemGetCudaDriverVersion()
        return f"{nvml.nvmlSystemGetDriverVersion()}, CUDA {number // 1000}.{number % 1000 // 10}"
    except nvml.NVMLError:
        return ""


def all_settings() -> str:
    """The settings of every GPU, in the order in which the driver counts them."""
    with gpus() as (nvml, handles):
        return "; ".join(Gpu(nvml, handle, handle).settings() for handle in handles)


def gpu_names() -> tuple[str, ...]:
    """The names of the NVIDIA devices as their driver gives them; empty where there is no driver."""
    with gpus() as (nvml, handles):
        return tuple(str(nvml.nvmlDeviceGetName(handle)) for handle in handles)


def gpu_processes() -> int | None:
    """How many processes compute on the NVIDIA devices now; None where their driver does not tell."""
    with gpus() as (nvml, handles):
        try:
            return sum(len(nvml.nvmlDeviceGetComputeRunningProcesses(handle)) for handle in handles)
        except nvml.NVMLError:
            return None


@contextmanager
def gpus() -> Iterator[tuple[Any, list[Any]]]:
    """The library, and the driver's handles of the NVIDIA devices; none where there is no driver."""
    import pynvml as nvml

    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        yield nvml, []
        return
    try:
        yield nvml, [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
    finally:
        nvml.nvmlShutdown()


class GpuMemory:
    """What the process holds of the GPU at the end, by the driver."""

    around: Work = "worker"
    quantities = (
        Quantity(
            "device_process_bytes", "bytes",
            "memory of the GPU that the process held at the end, by the driver: with context, libraries and what the "
            "allocator keeps",
        ),
        Quantity(
            "device_process_source", "",
            "by which reading: of this process; of the one that appeared since its start (containers); or what the "
            "whole GPU holds more than before it",
        ),
    )  # fmt: skip

    def start(self, at: Surroundings) -> Before | None:
        """What was on it before the process used it."""
        return at.gpu.before() if at.gpu else None

    def stop(self, at: Surroundings, started: Before | None) -> Sequence[Reading]:
        """Bytes, and how they are known."""
        return at.gpu.held(started, own_process_numbers()) if at.gpu and started else (None, None)


class GpuPrograms:
    """Processes on the cell's GPU that are none of ours."""

    around: Work = "process"
    quantities = (Quantity("gpu_processes", "count", "processes of others on the GPU", "max"),)

    def start(self, at: Surroundings) -> int | None:
        """How many there are before."""
        return foreign(at.device, at.ours())

    def stop(self, at: Surroundings, started: int | None) -> Sequence[Reading]:
        """The greater number of before and after."""
        return [max((count for count in (started, foreign(at.device, at.ours())) if count is not None), default=None)]


STATE_QUANTITIES = (
    Quantity("gpu_temperature_c", "°C", "of the GPU just after the last epoch"),
    Quantity("gpu_clock_mhz", "MHz", "clock of the GPU's processors just after the last epoch"),
    Quantity(
        "gpu_slowed_by", "", "what kept that clock low, in words; empty where nothing did or the driver does not tell"
    ),
)
ENERGY = (
    "energy that the whole GPU drew during training, by its own counter, which moves about ten times a second; empty "
    "where it has none, or is divided (MIG)"
)
STATE = Gauge("training", STATE_QUANTITIES, lambda at: at.gpu.state() if at.gpu else (None, None, None))
TRAIN_ENERGY = counter("epoch", "train_energy_j", "J", ENERGY, lambda at: at.gpu.energy_j() if at.gpu else None)

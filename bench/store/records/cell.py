"""What every measurement has: the cell it belongs to, its phases, memory and disturbances."""

import math
from dataclasses import dataclass
from typing import Literal

from impls.environment import slug
from impls.workload import Workload

Role = Literal["measured", "control", "floor", "sweep"]
"""What is compared, the reference implementation once more, a library that the floor is made of, a sweep over sizes."""
TRAINED: tuple[Role, ...] = ("measured", "control")
Status = Literal["ok", "skipped", "failed"]
Place = tuple[str, str, int]
"""Network, device, threads: what is compared with each other has them in common."""


@dataclass(frozen=True)
class Cell:
    """One process to be measured.

    ``digest`` stands for everything that would change its answer, ``data`` for the data set alone.
    """

    implementation: str
    tier: str
    framework: str
    workload: Workload
    device: str
    threads: int
    block: int
    role: Role
    epochs: int
    seed: int
    digest: str
    data: str = ""

    @property
    def slot(self) -> str:
        """The cell's place in the plan, whatever the digest."""
        parts = (
            self.workload.name,
            self.implementation,
            slug(self.device),
            f"{self.threads}t",
            f"b{self.block:02d}",
        )
        return ".".join((*parts, self.role))

    @property
    def key(self) -> str:
        """Readable and unique; fit for a file name."""
        return f"{self.slot}.{self.digest}"

    @property
    def place(self) -> tuple[str, str, int]:
        """What is compared with each other has these in common: network, device, threads."""
        return self.workload.name, self.device, self.threads


@dataclass(frozen=True)
class Memory:
    """Host memory of the process by phase, and the device's, in bytes.

    ``rss`` is what is resident, ``uss`` what would be freed with the process. Peaks are the system's own high-water
    mark (``peak_source``); where it cannot be reset, the training peak is that of the whole process so far.
    ``process_file_bytes`` of what is resident at the end are pages of files, libraries above all; None where the system
    does not tell them apart. Of the
    device, the first two are the framework's own counters; ``device_process_bytes`` is what the driver says that the
    process holds at the end, with all that the framework's counters leave out, and ``device_process_source`` by which
    reading.
    """

    after_import_rss_bytes: int | None = None
    after_import_uss_bytes: int | None = None
    after_load_rss_bytes: int | None = None
    after_load_uss_bytes: int | None = None
    training_peak_bytes: int | None = None
    process_peak_bytes: int | None = None
    process_file_bytes: int | None = None
    device_peak_bytes: int | None = None
    device_reserved_bytes: int | None = None
    device_process_bytes: int | None = None
    device_process_source: str | None = None
    peak_source: str | None = None


@dataclass(frozen=True)
class Phases:
    """Seconds of each phase before the first epoch, and of the whole process as its parent saw it, inference too."""

    import_s: float | None = None
    build_s: float | None = None
    load_s: float | None = None
    process_s: float | None = None


@dataclass(frozen=True)
class Noise:
    """What may have disturbed the cell, as counted while it ran: raw counts, no verdict.

    ``parent_cpu_s`` is the harness's own CPU time; ``steal_s`` the time that the hypervisor gave to others, all CPUs
    together; ``others_cpu_s`` the CPU time of all other processes of the machine; switches are of the child.
    ``throttled_s`` is what a container's quota withheld, ``hot_events`` how often a core was slowed down for its heat,
    ``swapped_bytes`` what was read back from swap; ``frequency_share`` the CPUs' clock as a share of the highest, at
    the end; ``cpus`` how many the machine has; ``gpu_processes`` those of others on the GPU, before or after. Just
    after the last epoch: the GPU's temperature, its clock, and what kept that low, in words.
    """

    parent_cpu_s: float | None = None
    involuntary_switches: int | None = None
    steal_s: float | None = None
    others_cpu_s: float | None = None
    throttled_s: float | None = None
    hot_events: int | None = None
    swapped_bytes: int | None = None
    frequency_share: float | None = None
    cpus: int | None = None
    gpu_processes: int | None = None
    gpu_temperature_c: int | None = None
    gpu_clock_mhz: int | None = None
    gpu_slowed_by: str | None = None


def finite(value: float) -> float | None:
    """The value, or None where it is not a number: missing stays empty."""
    return value if math.isfinite(value) else None

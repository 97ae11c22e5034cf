"""What every measurement has: the cell that it belongs to, its status, its phases and what meters read around it."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from bench.store.records import bounds
from impls.environment import slug
from impls.fields import check, check_at_least, check_names
from impls.workload import Workload

Role = Literal["measured", "control", "floor", "sweep"]
"""What is compared, the reference implementation once more, a library that the floor is made of, a sweep over sizes."""
TRAINED: tuple[Role, ...] = ("measured", "control")
Status = Literal["ok", "skipped", "failed"]
Reading = int | float | str | None
Readings = dict[str, Reading]
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

    def __post_init__(self) -> None:
        """Raise ValueError for what no process can have been."""
        check_names(implementation=self.implementation, tier=self.tier, digest=self.digest, data=self.data or "none")
        check("." not in self.digest, "digest", self.digest, "no dot")
        bounds.check_device(self.device)
        check_at_least(1, threads=self.threads, block=self.block, epochs=self.epochs)
        check_at_least(0, seed=self.seed)

    @property
    def slot(self) -> str:
        """The cell's place in the plan, whatever the digest."""
        where = f"{slug(self.device)}.{self.threads}t.b{self.block:02d}"
        return f"{self.workload.name}.{self.implementation}.{where}.{self.role}"

    @property
    def key(self) -> str:
        """Readable and unique; fit for a file name."""
        return f"{self.slot}.{self.digest}"

    @property
    def place(self) -> tuple[str, str, int]:
        """What is compared with each other has these in common: network, device, threads."""
        return self.workload.name, self.device, self.threads


@dataclass(frozen=True)
class Phases:
    """Seconds of each phase before the first epoch, and of the whole process as its parent saw it, inference too."""

    import_s: float | None = None
    build_s: float | None = None
    load_s: float | None = None
    process_s: float | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for what no clock can have read."""
        bounds.check_seconds(0, **asdict(self))


@dataclass(frozen=True)
class Result:
    """What came of one cell, whatever was measured there. Raw values only; everything else is derived from them.

    ``readings`` are what meters read around the work, by the names of their quantities (:mod:`bench.machine.meters`);
    a quantity that was not read is missing or None. ``attempt`` counts how often the cell's block was measured;
    ``repeated`` says what disturbed the attempt before. ``commit`` is the state of the directory from which it was
    asked, in the words of pytest-benchmark's ``commit_info`` (``id``, ``time``, ``dirty``, ``branch`` ...).
    """

    cell: Cell
    status: Status
    reason: str
    started: str
    machine: str
    phases: Phases = Phases()
    readings: Readings = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    switches: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    log_tail: str = ""
    attempt: int = 1
    repeated: str = ""
    commit: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot have been measured."""
        check_names(machine=self.machine)
        bounds.check_moment(started=self.started)
        check_at_least(1, attempt=self.attempt)
        bounds.check_readings(self.readings)
        bounds.check_switches(self.switches)
        bounds.check_commit(self.commit)


def finite(value: float) -> float | None:
    """The value, or None where it is not a number: missing stays empty."""
    return value if math.isfinite(value) else None

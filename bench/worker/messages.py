"""What a worker says: frozen facts, one JSON object to a line, each named by its class.

What is stored as it is measured travels as its record (:mod:`bench.store.records`). A worker writes with the standard
library alone; the parent checks what arrives (:mod:`bench.worker.answer`). What a worker is asked is in
:mod:`bench.worker.requests`.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from bench.store.records import bounds
from bench.store.records.cell import Readings, Status
from impls.fields import check_at_least

PROTOCOL = 4
"""Of the requests and the messages; it changes with either, and another one is refused."""
Send = Callable[[Any], None]
"""Takes a message to the parent."""


@dataclass(frozen=True)
class Hello:
    """The first message of every worker."""

    protocol: int


@dataclass(frozen=True)
class Phase:
    """How many seconds a phase took; the names are those of :class:`bench.store.records.cell.Phases`."""

    name: Literal["import_s", "build_s", "load_s"]
    seconds: float

    def __post_init__(self) -> None:
        """Raise ValueError for what no record can hold."""
        bounds.check_seconds(0, seconds=self.seconds)


@dataclass(frozen=True)
class Versions:
    """The versions of what is loaded."""

    versions: dict[str, str]


@dataclass(frozen=True)
class SwitchesInForce:
    """What is in force in the framework, and what the implementation declares."""

    switches: dict[str, Any]

    def __post_init__(self) -> None:
        """Raise ValueError for what no record can hold."""
        bounds.check_switches(self.switches)


@dataclass(frozen=True)
class MeterReadings:
    """What meters read around a piece of work."""

    readings: Readings

    def __post_init__(self) -> None:
        """Raise ValueError for what no record can hold."""
        bounds.check_readings(self.readings)


@dataclass(frozen=True)
class ModelKept:
    """The trained network was written; the SHA-256 of its file."""

    sha256: str

    def __post_init__(self) -> None:
        """Raise ValueError for what no record can hold."""
        bounds.check_digest(sha256=self.sha256)


@dataclass(frozen=True)
class Whole:
    """The cell was measured whole: whatever happens from here on, its figures stand."""


@dataclass(frozen=True)
class StepDone:
    """A step was done; its seconds, where it is timed."""

    seconds: float | None

    def __post_init__(self) -> None:
        """Raise ValueError for what no record can hold."""
        bounds.check_seconds(0, seconds=self.seconds)


@dataclass(frozen=True)
class BreakdownImages:
    """Over how many images a breakdown's passes go, and how many an epoch of the timed run has."""

    images: int
    epoch_images: int

    def __post_init__(self) -> None:
        """Raise ValueError for what no record can hold."""
        check_at_least(1, images=self.images, epoch_images=self.epoch_images)


@dataclass(frozen=True)
class BreakdownRound:
    """The seconds of each pass in one round."""

    seconds: dict[str, float]

    def __post_init__(self) -> None:
        """Raise ValueError for what no record can hold."""
        bounds.check_seconds(**self.seconds)


@dataclass(frozen=True)
class DefaultMode:
    """The mode that a framework is in unless another one is asked for."""

    name: str


@dataclass(frozen=True)
class LostMode:
    """A mode that did not run, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class DebuggingTools:
    """Special debuggers of a framework, and whether they are to be had."""

    tools: dict[str, bool]


@dataclass(frozen=True)
class Logits:
    """What one of several trained networks predicted, ``values [n, 10]``; none where the status is not ``ok``."""

    status: Status
    reason: str = ""
    values: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class PartEnded:
    """How one of several things that a request asks for has ended; what belongs to it was said before."""

    status: Status
    reason: str = ""


@dataclass(frozen=True)
class Ended:
    """The last message: the job was done, skipped for a reason, or failed for one.

    ``helpers_cpu_s`` is the CPU time of processes that the worker started and that still live.
    """

    status: Status
    reason: str = ""
    helpers_cpu_s: float = 0.0

    def __post_init__(self) -> None:
        """Raise ValueError for what no record can hold."""
        bounds.check_seconds(0, helpers_cpu_s=self.helpers_cpu_s)


def encode(message: Any) -> bytes:
    """A message as its line. Raises ValueError or TypeError for values that JSON does not have."""
    return json.dumps({"is": type(message).__name__, **asdict(message)}, allow_nan=False).encode() + b"\n"

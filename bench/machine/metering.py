"""What a meter is: something that is read around a piece of work. No clock runs while it is read.

What the system does not tell is None.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bench.store.records.cell import Reading

if TYPE_CHECKING:
    from bench.machine.gpu import Gpu

Work = Literal["import", "load", "training", "epoch", "worker", "process"]
"""Around what a meter is read: the import, the loading, all epochs or each of them; all that a worker does, from its
start to its last epoch; its whole process, by the parent.
"""


@dataclass(frozen=True)
class Quantity:
    """Something that is measured: its name, which is that of its column, its unit and its meaning.

    ``over_pieces`` is what the readings of several pieces of one work come to, such as the turns of a process.
    """

    name: str
    unit: str
    meaning: str
    over_pieces: Literal["sum", "max", "last"] = "sum"


@dataclass(frozen=True)
class Surroundings:
    """What a meter may look at.

    ``device`` is the cell's; in the worker ``gpu`` is the one that it sees and ``device_memory`` the implementation's
    own; in the parent ``child_cpu_s`` is what the process took, once it has ended, and ``ours`` tells how many
    processes of its session are there.
    """

    device: str = "cpu"
    gpu: "Gpu | None" = None
    device_memory: Callable[[], Mapping[str, int] | None] = lambda: None
    child_cpu_s: float = 0.0
    ours: Callable[[], int] = lambda: 0


class Meter(Protocol):
    """Something that is read before and after a piece of work; each of its quantities gets a reading."""

    @property
    def around(self) -> Work:
        """The piece of work."""

    @property
    def quantities(self) -> Sequence[Quantity]:
        """What it reads, in the order of its readings."""

    def start(self, at: Surroundings) -> Any:
        """Read what is needed before the work."""

    def stop(self, at: Surroundings, started: Any) -> Sequence[Reading]:
        """The readings, given what ``start`` returned."""


@dataclass(frozen=True)
class Gauge:
    """What is read when the work is done."""

    around: Work
    quantities: Sequence[Quantity]
    read: Callable[[Surroundings], Sequence[Reading]]

    def start(self, at: Surroundings) -> None:
        """Nothing is needed."""

    def stop(self, at: Surroundings, started: None) -> Sequence[Reading]:
        """The readings now."""
        return self.read(at)


@dataclass(frozen=True)
class Counter:
    """By how much a counter has grown; None where there is none."""

    around: Work
    quantities: Sequence[Quantity]
    read: Callable[[Surroundings], float | None]

    def start(self, at: Surroundings) -> float | None:
        """Its reading before."""
        return self.read(at)

    def stop(self, at: Surroundings, started: float | None) -> Sequence[Reading]:
        """The difference; 0 where the system has set the counter back."""
        now = self.read(at)
        return [None if started is None or now is None else max(0, now - started)]


def gauge(around: Work, name: str, unit: str, meaning: str, read: Callable[[Surroundings], Reading]) -> Gauge:
    """A gauge of one quantity."""
    return Gauge(around, (Quantity(name, unit, meaning, "last"),), lambda at: [read(at)])


def counter(around: Work, name: str, unit: str, meaning: str, read: Callable[[Surroundings], float | None]) -> Counter:
    """A counter of one quantity."""
    return Counter(around, (Quantity(name, unit, meaning),), read)


def joined(quantity: Quantity, readings: Sequence[Reading]) -> Reading:
    """The readings of several pieces of work as one; None where any of those that are added is not known."""
    known = [reading for reading in readings if reading is not None]
    numbers = [reading for reading in known if not isinstance(reading, str)]
    if quantity.over_pieces == "last" or len(numbers) < len(known):
        return readings[-1]
    if quantity.over_pieces == "max":
        return max(numbers, default=None)
    return sum(numbers) if len(known) == len(readings) else None

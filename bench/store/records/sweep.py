"""What is kept of a sweep: the sizes of a network and their times."""

from dataclasses import dataclass

from bench.store.records import bounds
from bench.store.records.cell import Result
from impls.fields import check_at_least


@dataclass(frozen=True)
class SweepPoint:
    """One network of a sweep: what it is, and the seconds of each call of ``train_epoch`` after a first one.

    ``width`` is of the first hidden layer, None where there is none. ``flops`` are those of one training image
    (:attr:`impls.workload.Workload.flops`); a call trains ``images`` in ``steps`` full batches. ``first_s`` is the
    first call, which may trace and compile. ``held_out`` is the point that stands apart. ``reason`` says why there are
    no seconds, empty where there are.
    """

    batch_size: int
    width: int | None
    parameters: int
    flops: int
    images: int
    steps: int
    held_out: bool = False
    first_s: float | None = None
    seconds: tuple[float, ...] = ()
    reason: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot have been measured."""
        check_at_least(1, batch_size=self.batch_size, width=self.width, parameters=self.parameters)
        check_at_least(1, flops=self.flops, images=self.images, steps=self.steps)
        bounds.check_seconds(first_s=self.first_s, seconds=self.seconds)


@dataclass(frozen=True)
class SweepResult(Result):
    """The points of one implementation's sweep, in the order in which they were measured."""

    points: tuple[SweepPoint, ...] = ()

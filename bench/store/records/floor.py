"""What is kept of the floor: the parts of it by one library."""

from dataclasses import dataclass
from typing import Literal

from bench.store.records import bounds
from bench.store.records.cell import Result
from impls.fields import check_at_least, check_positive


@dataclass(frozen=True)
class Part:
    """A part of the floor by one library: ``seconds`` of each repetition of so many ``steps``, of ``flops`` each.

    An epoch has ``epoch_steps`` steps, with a last batch that is not full as a fraction; None for the large product,
    which belongs to no epoch. ``flops`` is None for what is not counted by arithmetic.
    """

    name: Literal["products", "optimiser", "gathering", "large"]
    steps: int
    epoch_steps: float | None
    flops: int | None
    seconds: tuple[float, ...]

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot have been measured."""
        check_at_least(1, steps=self.steps)
        check_at_least(0, flops=self.flops)
        bounds.check_seconds(seconds=self.seconds)
        check_positive(epoch_steps=self.epoch_steps)


@dataclass(frozen=True)
class FloorResult(Result):
    """What one library needs for each part of the floor."""

    parts: tuple[Part, ...] = ()

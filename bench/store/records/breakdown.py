"""What a breakdown of a program's epoch answered: a frozen record of raw seconds, and the names of its passes."""

from dataclasses import dataclass, field
from typing import ClassVar

from bench.store.records import bounds
from bench.store.records.cell import Status
from impls.environment import slug
from impls.fields import check_at_least, check_names

LOOP, FEEDING, FORWARD, BACKWARD, OPTIMISER, EPOCH = "loop", "feeding", "forward", "backward", "optimiser", "epoch"
PASSES = (LOOP, FEEDING, FORWARD, BACKWARD, OPTIMISER, EPOCH)
"""In this order each pass over the training images does what the one before it does, and one thing more.

``loop`` goes over one batch again and again and does nothing with it; ``feeding`` gets every batch to where the step
needs it; ``forward`` computes the loss, ``backward`` the gradients, ``optimiser`` applies them; ``epoch`` is the
program's own, which keeps account of the losses besides.
"""


@dataclass(frozen=True)
class Breakdown:
    """The passes of one implementation over ``images`` training images, in a process of its own.

    ``passes`` has the seconds of each pass by its name, round by round; the first round traces and warms up. An epoch
    of the timed run has ``epoch_images`` of them. ``digest`` stands for all that would change the answer.
    """

    folder: ClassVar[str] = "breakdowns"

    implementation: str
    tier: str
    framework: str
    workload: str
    device: str
    threads: int
    digest: str
    started: str
    machine: str
    status: Status
    reason: str
    versions: dict[str, str] = field(default_factory=dict)
    images: int | None = None
    epoch_images: int | None = None
    passes: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot have been measured."""
        check_names(implementation=self.implementation, tier=self.tier, framework=self.framework)
        check_names(workload=self.workload, digest=self.digest, machine=self.machine)
        bounds.check_device(self.device)
        bounds.check_moment(started=self.started)
        check_at_least(1, threads=self.threads, images=self.images, epoch_images=self.epoch_images)
        for seconds in self.passes.values():
            bounds.check_seconds(passes=seconds)

    @property
    def file_name(self) -> str:
        """The name of its file, without the ending."""
        return f"{self.implementation}.{self.workload}.{slug(self.device)}"

    @property
    def whole(self) -> bool:
        """Whether every pass was timed after its first round, as often as the others."""
        counts = {len(self.passes.get(name, ())) for name in PASSES}
        return self.status == "ok" and bool(self.images) and len(counts) == 1 and counts.pop() > 1

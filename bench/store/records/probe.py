"""What a probe of document 1's Table 1 answered: frozen records of raw counts. What they decide is derived later."""

from dataclasses import dataclass, field
from typing import ClassVar

from bench.store.records import bounds
from bench.store.records.cell import Status
from impls.fields import check_at_least, check_names


@dataclass(frozen=True)
class Mode:
    """One way in which a framework runs a network's forward pass, each epoch ``steps`` training steps long.

    A Python function in the forward pass was called ``before`` times until the first step, then ``calls`` times in each
    epoch. It has a ``print``, of which ``prints`` lines came out, and a ``breakpoint()``, which was reached ``stops``
    times, ``numbers`` of them with a tensor whose sum is a number; the tensor's types were ``kinds``.

    Without that function ``graphs`` were captured, None where the mode does not tell, and epochs took ``epoch_s``, the
    first with tracing; empty where the mode is not timed.
    """

    name: str
    steps: int
    before: int
    calls: tuple[int, ...]
    prints: int
    stops: int
    numbers: int
    kinds: tuple[str, ...]
    graphs: int | None = None
    epoch_s: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot have been counted."""
        check_at_least(1, steps=self.steps)
        for calls in self.calls:
            check_at_least(0, calls=calls)
        check_at_least(
            0, before=self.before, prints=self.prints, stops=self.stops, numbers=self.numbers, graphs=self.graphs
        )
        bounds.check_seconds(epoch_s=self.epoch_s)


@dataclass(frozen=True)
class Probe:
    """What a framework answered about its modes, the one that it is in by default first.

    ``default`` is the name of that mode. ``lost`` are modes that did not run, with the reason; ``tools`` special
    debuggers, and whether they are to be had.
    ``digest`` stands for all that would change the answer.
    """

    folder: ClassVar[str] = "probes"

    framework: str
    workload: str
    threads: int
    digest: str
    started: str
    machine: str
    status: Status
    reason: str
    versions: dict[str, str] = field(default_factory=dict)
    default: str = ""
    modes: tuple[Mode, ...] = ()
    lost: dict[str, str] = field(default_factory=dict)
    tools: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot have been measured."""
        check_names(framework=self.framework, workload=self.workload, digest=self.digest, machine=self.machine)
        bounds.check_moment(started=self.started)
        check_at_least(1, threads=self.threads)

    @property
    def file_name(self) -> str:
        """The name of its file, without the ending."""
        return self.framework

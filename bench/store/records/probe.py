"""What a probe of document 1's Table 1 answered: frozen records of raw counts. What they decide is derived later."""

from dataclasses import dataclass, field

from bench.store.records.cell import Status


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


@dataclass(frozen=True)
class Probe:
    """What a framework answered about its modes, the one that it is in by default first.

    ``default`` is the name of that mode. ``lost`` are modes that did not run, with the reason; ``tools`` special
    debuggers, and whether they are to be had.
    ``digest`` stands for all that would change the answer.
    """

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

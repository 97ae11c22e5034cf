"""What a worker is asked: a request for each job, and the steps of one that is driven one step at a time.

Each is one JSON object on a line, named by its class, with the protocol. The worker reads them with the standard
library alone.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

from bench.worker.messages import PROTOCOL
from impls.environment import kind
from impls.workload import Workload


@dataclass(frozen=True)
class EntryPoint:
    """Where a worker finds its program: a module or a file, a class in it, and the packages that it needs."""

    module: str
    attribute: str
    packages: tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """What the process of a cell works on; ``data`` is the directory of the data set, ``scratch`` for temporary files.

    Where that is empty, they go where the system has them.
    """

    workload: Workload
    device: str
    seed: int
    data: str
    scratch: str = ""

    @property
    def device_kind(self) -> str:
        """The device as a program is given it: ``cuda`` for ``cuda:1``, which is then the only one that it sees."""
        return kind(self.device)


@dataclass(frozen=True)
class Start:
    """Nothing: that this interpreter can run a worker is said by starting it."""

    job: ClassVar = "check"
    entry: EntryPoint


@dataclass(frozen=True)
class Import:
    """Only import the implementation and check its members."""

    job: ClassVar = "check"
    entry: EntryPoint


@dataclass(frozen=True)
class Build:
    """Build the implementation on its device."""

    job: ClassVar = "check"
    entry: EntryPoint
    workload: Workload
    device: str


@dataclass(frozen=True)
class Train:
    """Get ready, then train one epoch for each ``TrainEpoch``, and end with ``Finish``.

    The network is trained after ``epochs``: what it predicts then is reported, and it is left in the file ``model``, if
    one is named; ``origin`` says whose it is. Epochs that are asked for beyond those are timed, no more.
    """

    job: ClassVar = "train"
    entry: EntryPoint
    task: Task
    epochs: int
    model: str = ""
    origin: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainByStep:
    """Stay, and do one step after the other as they come; ``disable_gc`` keeps Python's collector off meanwhile."""

    job: ClassVar = "steps"
    entry: EntryPoint
    task: Task
    disable_gc: bool = False


@dataclass(frozen=True)
class Sweep:
    """Time short trainings of the network in other sizes."""

    job: ClassVar = "sweep"
    entry: EntryPoint
    task: Task


@dataclass(frozen=True)
class MeasureFloor:
    """Time every part of the floor with one library."""

    job: ClassVar = "floor"
    entry: EntryPoint
    task: Task


@dataclass(frozen=True)
class CheckedNetwork:
    """A network on which an implementation is compared with the oracle, with samples drawn from ``seed``."""

    workload: Workload
    seed: int


@dataclass(frozen=True)
class Verify:
    """Compare with the oracle on each network; ``deep`` adds the checks that take long.

    ``cache`` is a folder for temporary files and for the oracle's answers, which processes share.
    """

    job: ClassVar = "verify"
    entry: EntryPoint
    networks: tuple[CheckedNetwork, ...]
    device: str
    data: str
    cache: str
    deep: bool


@dataclass(frozen=True)
class BreakDown:
    """Time the passes of a program over part of the training images."""

    job: ClassVar = "breakdown"
    entry: EntryPoint
    workload: Workload
    device: str
    data: str
    scratch: str = ""


@dataclass(frozen=True)
class ProbeModes:
    """Count what becomes of Python in the forward pass, in every mode of a framework."""

    job: ClassVar = "probe"
    entry: EntryPoint
    workload: Workload
    data: str
    scratch: str = ""


@dataclass(frozen=True)
class WriteExport:
    """Write a trained network in another format and compare the file with it."""

    job: ClassVar = "export"
    entry: EntryPoint
    model: str
    format: str
    by: str
    out: str
    data: str


@dataclass(frozen=True)
class Predict:
    """Predict the images of a file with one trained network after the other."""

    job: ClassVar = "predict"
    entry: EntryPoint
    images: str
    models: tuple[str, ...]
    device: str


@dataclass(frozen=True)
class Unpack:
    """Read a framework's own files, the first of each pair, and write each as a portable one, the second."""

    job: ClassVar = "predict"
    entry: EntryPoint
    files: tuple[tuple[str, str], ...]
    framework: str


Request = (
    Start | Import | Build | Train | TrainByStep | Sweep | MeasureFloor | Verify | BreakDown | ProbeModes | WriteExport
    | Predict | Unpack
)  # fmt: skip


@dataclass(frozen=True)
class ImportProgram:
    """Import the implementation, and with it its framework; timed."""

    name: ClassVar = "import"


@dataclass(frozen=True)
class Prepare:
    """Build, load, set the start weights."""

    name: ClassVar = "prepare"


@dataclass(frozen=True)
class DrawOrder:
    """Draw the order of the next epoch."""

    name: ClassVar = "draw"


@dataclass(frozen=True)
class TrainEpoch:
    """Train once in the order that was drawn; timed."""

    name: ClassVar = "train"


@dataclass(frozen=True)
class PredictTestSet:
    """Predict all test images; timed."""

    name: ClassVar = "predict"


@dataclass(frozen=True)
class ReportEpoch:
    """Predict, and report the epoch that was trained last with what is predicted now; epoch 0 is before any."""

    name: ClassVar = "report"


@dataclass(frozen=True)
class Finish:
    """Say what is left to say, and end."""

    name: ClassVar = "finish"


Step = ImportProgram | Prepare | DrawOrder | TrainEpoch | PredictTestSet | ReportEpoch | Finish


DOWN: Mapping[str, Any] = {kind.__name__: kind for kind in (*get_args(Request), *get_args(Step))}


def encode_request(request: Request | Step) -> bytes:
    """A request or a step as its line, with the protocol in which it is asked."""
    return json.dumps({"is": type(request).__name__, "protocol": PROTOCOL, **asdict(request)}).encode() + b"\n"


def decode_request(line: str | bytes) -> Any:
    """The request or step of a line. Raises ValueError or TypeError for what is none of this protocol."""
    values = json.loads(line)
    name, protocol = values.pop("is", None), values.pop("protocol", None)
    if protocol != PROTOCOL:
        raise ValueError(f"asked in protocol {protocol}, this worker speaks {PROTOCOL}")
    if name not in DOWN:
        raise ValueError(f"asked for {name}, which protocol {PROTOCOL} does not have")
    return rebuilt(DOWN[name], values)


def rebuilt(kind: Any, value: Any) -> Any:
    """A value as JSON holds it in the form of its type: dataclasses and tuples of them; all else is as it came."""
    if kind is Workload:
        return Workload.from_dict(value)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{name: rebuilt(hints.get(name), item) for name, item in value.items()})
    if get_origin(kind) is tuple:
        return tuple(rebuilt(get_args(kind)[0], item) for item in value)
    return value

"""What is measured and what came of it: frozen records that travel as JSON and need no framework to be read.

Units stand in the names. What was not measured is None, never 0.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

from bench.points import SweepPoint
from impls.contract import Workload
from impls.devices import in_names

PROTOCOL = 2
"""Of what is asked of a worker and what it answers; it changes with either, and another one is refused."""
Role = Literal["measured", "control", "floor", "sweep"]
"""What is compared, the reference implementation once more, a library that the floor is made of, a sweep over sizes."""
TRAINED: tuple[Role, ...] = ("measured", "control")
Status = Literal["ok", "skipped", "failed"]


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
            in_names(self.device),
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
class Event:
    """A line of the worker's answer.

    ``hello`` of every worker, with the protocol that it speaks; ``phase``, ``facts``, ``epoch``, ``evaluation``,
    ``predicted``, ``memory``, ``noise``, ``model``, ``whole`` and ``inference`` of a measured cell; ``rung`` and
    ``answer`` of the gate; ``part`` of a library of the floor; ``point`` of a sweep; ``mode``, ``lost`` and ``tools``
    of a probe; ``round`` of a breakdown; ``export`` of an exported network; ``end`` of all. A cell that said ``whole``
    is good for good.
    """

    name: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Epoch:
    """One pass over the training set and the prediction after it; epoch 0 is before any training.

    ``train_loss`` is the mean over samples during training; ``test_loss`` and ``accuracy`` (0 to 1) are computed from
    the logits by the harness. ``train_cpu_s`` is the CPU time that all threads of the process used meanwhile,
    ``train_energy_j`` what the whole GPU drew, by its own counter, where it has one.
    """

    epoch: int
    train_s: float | None
    train_cpu_s: float | None
    predict_s: float
    train_loss: float | None
    test_loss: float | None
    accuracy: float
    train_energy_j: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """What images held out of training said after ``batches`` steps, where a workload holds some out.

    ``train_loss`` is the mean over the steps since the last evaluation, None before the first; ``train_accuracy`` is
    that of a sample of the training images, which were predicted together with the others.
    """

    epoch: int
    batches: int
    train_loss: float | None
    train_accuracy: float
    validation_loss: float | None
    validation_accuracy: float


@dataclass(frozen=True)
class Predicted:
    """What the test images were taken for after the last epoch: a digit for each, in their order."""

    digits: str


@dataclass(frozen=True)
class Inference:
    """Predicting a test set of so many ``images``, after training: the first call, and each of those that followed.

    The first call may trace and compile for a number of images that it has not seen before.
    """

    images: int
    first_s: float
    seconds: tuple[float, ...]


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


@dataclass(frozen=True)
class Rung:
    """One comparison of the equivalence gate: a relative deviation and its limit, or neither where it is yes or no."""

    name: str
    figure: float | None
    limit: float | None
    passed: bool
    note: str


@dataclass(frozen=True)
class Gate:
    """Whether an implementation does a workload's work. ``status`` is ``skipped`` where that could not be asked.

    ``seed`` drew samples and start weights, ``threads`` is what the process was given.
    """

    implementation: str
    workload: str
    device: str
    digest: str
    status: Literal["passed", "failed", "skipped"]
    reason: str
    rungs: tuple[Rung, ...] = ()
    seed: int | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Result:
    """What came of one cell. Raw values only; everything else is derived from them.

    ``attempt`` counts how often the cell's block was measured; ``repeated`` says what disturbed the attempt before.
    ``harness`` is who asked for the epochs, ``commit`` the state of the directory from which it was asked, in the words
    of pytest-benchmark's ``commit_info`` (``id``, ``time``, ``dirty``, ``branch`` ...). ``predicted`` is what the test
    images were taken for at the end, a digit for each; empty in results of before it was kept. ``model`` is the SHA-256
    of the file with the trained network, empty where none was kept (:mod:`bench.models`). ``inference`` is what was
    timed apart, one image and one batch of the workload's ``test_batch_size``; empty in results of before it was, and
    in those of the suite. ``no_inference`` is why it is not complete, where that failed: the status is of all else,
    which had been measured by then. Only libraries of the floor have ``parts``, and only sweeps a ``sweep``.
    """

    cell: Cell
    status: Status
    reason: str
    started: str
    machine: str
    phases: Phases = Phases()
    epochs: tuple[Epoch, ...] = ()
    memory: Memory = Memory()
    noise: Noise = Noise()
    versions: dict[str, str] = field(default_factory=dict)
    switches: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    log_tail: str = ""
    evaluations: tuple[Evaluation, ...] = ()
    attempt: int = 1
    repeated: str = ""
    harness: Literal["fcnbench", "pytest-benchmark"] = "fcnbench"
    commit: dict[str, Any] = field(default_factory=dict)
    predicted: str = ""
    model: str = ""
    inference: tuple[Inference, ...] = ()
    no_inference: str = ""
    parts: tuple[Part, ...] = ()
    sweep: tuple[SweepPoint, ...] = ()


@dataclass(frozen=True)
class Size:
    """How many ``blocks`` were fixed after a pilot, the ``pilot``'s among them, and why.

    ``half_width`` is what the interval of the least certain ``pair`` was expected to reach, as a relative difference;
    None where the pilot could not tell. ``block_s`` is how long a block took, ``asked`` what was asked for, in words.
    """

    pilot: int
    blocks: int
    half_width: float | None
    pair: str
    block_s: float
    asked: str


def finite(value: float) -> float | None:
    """The value, or None where it is not a number: missing stays empty."""
    return value if math.isfinite(value) else None

"""What is kept of the machine, and of the number of blocks that a pilot fixed."""

from dataclasses import dataclass
from typing import ClassVar

from bench.store.records import bounds
from impls.fields import check_at_least, check_finite, check_names


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

    def __post_init__(self) -> None:
        """Raise ValueError for what no pilot can have found."""
        check_at_least(1, pilot=self.pilot, blocks=self.blocks)
        check_finite(half_width=self.half_width)
        bounds.check_seconds(0, block_s=self.block_s)


@dataclass(frozen=True)
class Machine:
    """One row of ``machines.csv``. ``machine`` is a digest of what decides speed, not of who owns it."""

    folder: ClassVar[str] = "machines"

    machine: str
    cpu: str
    logical_cpus: int
    physical_cpus: int | None
    available_cpus: int
    cpu_quota: float | None
    ram_bytes: int
    memory_limit_bytes: int | None
    os: str
    architecture: str
    python: str
    blas: str
    gpus: str
    gpu_driver: str = ""
    gpu_settings: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError for what no machine has."""
        check_names(machine=self.machine)
        check_at_least(
            1, logical_cpus=self.logical_cpus, physical_cpus=self.physical_cpus, available_cpus=self.available_cpus
        )
        check_at_least(0, ram_bytes=self.ram_bytes, memory_limit_bytes=self.memory_limit_bytes)
        check_finite(cpu_quota=self.cpu_quota)

    @property
    def file_name(self) -> str:
        """The name of its file, without the ending."""
        return self.machine

"""What is kept of the machine, and of the number of blocks that a pilot fixed."""

from dataclasses import dataclass


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


@dataclass(frozen=True)
class Machine:
    """One row of ``machines.csv``. ``machine`` is a digest of what decides speed, not of who owns it."""

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

"""The one list of all meters, and how those of a piece of work are read around it.

A new quantity is a meter in its own file and a row here: the records, the CSVs and the guide to their columns follow.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.machine import disturbances, gpu, memory, metering
from bench.machine.metering import Meter, Quantity, Surroundings, Work
from bench.store.records.cell import Readings

MEMORY: tuple[Meter, ...] = (
    memory.AFTER_IMPORT,
    memory.AFTER_LOAD,
    memory.PeakMemory(),
    memory.FILE_BACKED,
    memory.DEVICE_MEMORY,
    gpu.GpuMemory(),
    memory.SOURCE,
)
"""Of the host and of the device, in the order of their columns."""
DISTURBANCES: tuple[Meter, ...] = (*disturbances.COUNTED, gpu.GpuPrograms(), gpu.STATE)
"""What may have disturbed a cell, in the order of their columns; the last is read first, while the GPU is warm."""
EPOCHS: tuple[Meter, ...] = (gpu.TRAIN_ENERGY,)
"""What is read around the training of each epoch."""
METERS = (*MEMORY, *DISTURBANCES, *EPOCHS)


def quantities(meters: Sequence[Meter]) -> list[Quantity]:
    """What the meters read, in their order."""
    return [quantity for meter in meters for quantity in meter.quantities]


def in_worker() -> Surroundings:
    """What a worker's meters may look at, before there is an implementation."""
    return Surroundings(gpu=gpu.find(os.environ))


@dataclass(frozen=True)
class Started:
    """Meters that were started, with what each has read."""

    meters: Sequence[tuple[Meter, Any]]

    def stop(self, at: Surroundings) -> Readings:
        """The readings by the names of their quantities. The first that was started is the last that is stopped."""
        readings: Readings = {}
        for meter, started in reversed(self.meters):
            values = meter.stop(at, started)
            readings |= {quantity.name: value for quantity, value in zip(meter.quantities, values, strict=True)}
        return readings


def start(work: Work, at: Surroundings) -> Started:
    """Start the meters of a piece of work."""
    return Started([(meter, meter.start(at)) for meter in METERS if meter.around == work])


def joined(pieces: Sequence[Readings]) -> Readings:
    """The readings of one work that was done in pieces; empty where there was none."""
    by_name = {quantity.name: quantity for quantity in quantities(METERS)}
    names = pieces[0] if pieces else ()
    return {name: metering.joined(by_name[name], [piece[name] for piece in pieces]) for name in names}


@contextmanager
def metered(work: Work, at: Surroundings) -> Iterator[Readings]:
    """Read the meters of a piece of work around the block; the readings are there when it has ended."""
    readings: Readings = {}
    started = start(work, at)
    yield readings
    readings |= started.stop(at)

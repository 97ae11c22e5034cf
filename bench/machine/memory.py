"""Memory of this process: snapshots by psutil, peaks by the system's own high-water mark.

``ru_maxrss`` is not used: on Linux it survives fork and exec and shows the parent's size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.machine.metering import Gauge, Quantity, Surroundings, Work, gauge
from bench.store.records.cell import Reading
from impls.frameworks import FRAMEWORKS

STATUS = Path("/proc/self/status")
CLEAR_REFS = Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Peak:
    """The largest resident size since the last reset, in bytes, and where the figure comes from."""

    size_bytes: int
    source: str


def snapshot() -> tuple[int, int]:
    """Resident (RSS) and unique (USS) bytes of this process now."""
    full = psutil.Process().memory_full_info()
    return full.rss, full.uss


def file_backed() -> int | None:
    """Bytes of what is resident that are pages of files, or shared memory; None where the system does not say (Linux).

    Mostly libraries. How many of their pages are resident depends on how the files came into the system's page cache,
    so that the same program can be larger by hundreds of megabytes after an installation than after a restart.
    """
    return getattr(psutil.Process().memory_info(), "shared", None)


def reset_peak() -> bool:
    """Start a new peak where the system allows it (Linux); False where the old one goes on."""
    try:
        CLEAR_REFS.write_text("5")
    except OSError:
        return False
    return True


def peak() -> Peak:
    """The peak since the last reset: ``VmHWM`` on Linux, ``peak_wset`` on Windows, else what is resident now."""
    try:
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return Peak(int(line.split()[1]) * 1024, "VmHWM")
    except OSError:
        pass
    info = psutil.Process().memory_info()
    if hasattr(info, "peak_wset"):  # Windows only; psutil has no other way to ask
        return Peak(info.peak_wset, "peak_wset")  # type: ignore[attr-defined]  # as above
    return Peak(info.rss, "rss")


def device_bytes(counts: Mapping[str, int] | None) -> tuple[int | None, int | None]:
    """Peak and reserved bytes of a device as ``device_memory()`` counts them. Raises ValueError for anything else."""
    counts = counts or {}
    if set(counts) - {"peak_bytes", "reserved_bytes"}:
        raise ValueError(f"device_memory() returned {sorted(counts)}, expected peak_bytes and reserved_bytes")
    for name, value in counts.items():
        if not (value is None or type(value) is int):
            raise ValueError(f"device_memory() returned {value!r} as {name}, expected a whole number of bytes")
    return counts.get("peak_bytes"), counts.get("reserved_bytes")


class PeakMemory:
    """The most host memory during the training, and of the process so far; the peak is started anew for it."""

    around: Work = "training"
    quantities = (
        Quantity("training_peak_bytes", "bytes", "most memory held during training"),
        Quantity("process_peak_bytes", "bytes", "most host memory that the whole process held at a time"),
    )

    def start(self, at: Surroundings) -> int:
        """The peak of what came before."""
        before = peak().size_bytes
        reset_peak()
        return before

    def stop(self, at: Surroundings, started: int) -> Sequence[Reading]:
        """The peak since, and the greater of the two."""
        training = peak().size_bytes
        return training, max(started, training)


def resident(around: Work, moment: str, when: str) -> Gauge:
    """Resident and unique memory of the process at a moment."""
    rss = Quantity(f"{moment}_rss_bytes", "bytes", f"resident memory after {when}")
    uss = Quantity(f"{moment}_uss_bytes", "bytes", "of that, what would be freed with the process")
    return Gauge(around, (rss, uss), lambda at: snapshot())


FILE_PAGES = (
    "of what it held at the end, pages of files: libraries above all; how many of them are resident depends on the "
    "system's page cache"
)
SINCE_START = [row.label for row in FRAMEWORKS.values() if not row.restarts_peak]
DEVICE_QUANTITIES = (
    Quantity(
        "device_peak_bytes",
        "bytes",
        "most memory of the device that the framework held, by its own counter, since loading or "
        f"({', '.join(SINCE_START)}) since the start; empty where it has none",
    ),
    Quantity(
        "device_reserved_bytes",
        "bytes",
        "most memory of the device that the framework's allocator held back; empty where it does not say",
    ),
)
PEAK_SOURCE = "where the peaks come from: VmHWM is the system's high-water mark"
AFTER_IMPORT, AFTER_LOAD = (
    resident("import", "after_import", "the import"),
    resident("load", "after_load", "loading the data"),
)
FILE_BACKED = gauge("training", "process_file_bytes", "bytes", FILE_PAGES, lambda at: file_backed())
DEVICE_MEMORY = Gauge("training", DEVICE_QUANTITIES, lambda at: device_bytes(at.device_memory()))
SOURCE = gauge("training", "peak_source", "", PEAK_SOURCE, lambda at: peak().source)

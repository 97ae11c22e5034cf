"""Memory of this process: snapshots by psutil, peaks by the system's own high-water mark.

``ru_maxrss`` is not used: on Linux it survives fork and exec and shows the parent's size.
"""

from dataclasses import dataclass
from pathlib import Path

import psutil

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

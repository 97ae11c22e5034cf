"""The process' memory: a peak that can be started anew, and what is read where that is not possible."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from bench.machine import memory

MIB = 2**20


def touch(mebibytes: int) -> None:
    """Use that much memory for a moment; so large a block goes back to the system at once."""
    np.ones(mebibytes * MIB, np.uint8)


def test_the_peak_grows_with_an_allocation_and_remembers_it() -> None:
    """What was given back still counts."""
    assert memory.reset_peak()
    before = memory.peak()
    touch(128)
    after = memory.peak()
    assert (before.source, after.source) == ("VmHWM", "VmHWM")
    assert 120 * MIB < after.size_bytes - before.size_bytes < 160 * MIB


def test_a_reset_starts_a_new_peak() -> None:
    """After it the peak is what is resident, not what once was."""
    touch(128)
    high = memory.peak().size_bytes
    assert memory.reset_peak()
    assert high - memory.peak().size_bytes > 100 * MIB
    assert memory.peak().size_bytes >= 0.99 * memory.snapshot()[0]


@pytest.mark.process
def test_the_peak_is_not_the_parents() -> None:
    """A small child of a large process says its own size, which ``ru_maxrss`` does not."""
    ballast = np.ones(256 * MIB, np.uint8)
    code = "from bench.machine import memory; print(memory.peak().size_bytes)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < ballast.nbytes < memory.peak().size_bytes


def test_a_snapshot_has_resident_and_unique_bytes() -> None:
    """What would be freed with the process is part of what is resident; both follow an allocation."""
    rss, uss = memory.snapshot()
    assert 0 < uss <= rss
    ballast = np.ones(128 * MIB, np.uint8)
    more_rss, more_uss = memory.snapshot()
    assert more_rss - rss > 100 * MIB and more_uss - uss > 100 * MIB
    assert more_uss <= more_rss and ballast[-1] == 1


@pytest.mark.parametrize("place", ["none/clear_refs", "."])
def test_a_peak_that_cannot_be_reset_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str) -> None:
    """Containers may forbid it, other systems do not have it: that is said, and nothing is raised."""
    monkeypatch.setattr(memory, "CLEAR_REFS", tmp_path / place)
    touch(64)
    high = memory.peak().size_bytes
    assert memory.reset_peak() is False
    assert memory.peak().size_bytes >= high


@pytest.mark.parametrize("status", [None, "Name:\tpython\nVmRSS:\t1 kB\n"])
def test_without_a_high_water_mark_the_resident_size_is_taken_and_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: str | None
) -> None:
    """A system without the file, or one whose file has no such line."""
    if status is not None:
        (tmp_path / "status").write_text(status)
    monkeypatch.setattr(memory, "STATUS", tmp_path / "status")
    found = memory.peak()
    assert found.source == "rss"
    assert found.size_bytes == pytest.approx(psutil.Process().memory_info().rss, rel=0.1)


def test_pages_of_files_are_a_part_of_what_is_resident() -> None:
    """The interpreter's own libraries at least; more than there is of the process would be no part of it."""
    found = memory.file_backed()
    if found is None:
        pytest.skip("this system does not tell pages of files apart")
    assert 0 < found < memory.snapshot()[0]

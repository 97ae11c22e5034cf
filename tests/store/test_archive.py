"""Results on disk: whole or not there at all, whatever ends the program, and one line for whatever is wrong."""

import errno
import json
import math
import os
import resource
import secrets
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from synthetic import MACHINE, result

from bench import files
from bench.errors import FcnBenchError
from bench.store import archive
from bench.store.records.breakdown import Breakdown
from bench.store.records.cell import Cell
from bench.store.records.export import StoredExport
from bench.store.records.machine import Machine
from bench.store.records.probe import Probe
from bench.store.records.training import Inference, TrainingResult
from bench.store.records.verification import Check, Verification

OLD = result(block=1, digest="01d", started="2026-01-01T00:00:00.000+00:00")
NEW = result(block=1, digest="2e8", started="2026-01-02T00:00:00.000+00:00")
OTHER = result(block=2)
GATE = Verification(
    "matched-pytorch", "tiny", "cpu", "d19e57", "failed", "logits: off", (Check("logits", 0.5, 0.1, False, ""),)
)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A result directory, ready for results."""
    directory = tmp_path / "out"
    with archive.opened(directory):
        return directory


def refusal(read_or_write: Callable[..., Any], *arguments: Any) -> str:
    """The one line that a user is shown."""
    with pytest.raises(FcnBenchError) as refused:
        read_or_write(*arguments)
    line = str(refused.value)
    assert line and "\n" not in line
    return line


def open_and_close(directory: Path) -> None:
    """What every run does first and last."""
    with archive.opened(directory):
        pass


def test_a_result_comes_back_as_it_was_saved(out: Path) -> None:
    """Every field, nested records, tuples and missing values included."""
    archive.save(out, OLD)
    assert archive.results(out) == [OLD]


def test_inference_comes_back_as_it_was_saved_and_older_results_have_none(out: Path) -> None:
    """Every call of it; a file of before it was measured is read as ever."""
    timed = replace(NEW, inference=(Inference(1, 0.5, (0.1, 0.2)), Inference(64, 0.25, (0.3,))), no_inference="why")
    archive.save(out, timed)
    assert archive.results(out) == [timed]
    (path,) = (out / "cells").iterdir()
    content = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in content.items() if "inference" not in key}))
    assert archive.results(out) == [NEW]


@pytest.mark.parametrize("status", ["skipped", "failed"])
def test_a_cell_without_figures_comes_back_too(out: Path, status: str) -> None:
    """Missing stays None; the reason may hold any character."""
    saved = result(status=status, reason='"quotes", Umlaute öäü, 日本, emoji 🎉')
    archive.save(out, saved)
    (found,) = archive.results(out)
    assert found == saved
    assert "training_peak_bytes" not in found.readings and found.epochs == ()


def test_results_come_in_the_order_in_which_they_were_measured(out: Path) -> None:
    """Not in the order of their names, and not in that of their saving."""
    moments = ["2026-01-01T00:00:03.000+00:00", "2026-01-01T00:00:01.000+00:00", "2026-01-01T00:00:02.000+00:00"]
    for block, moment in enumerate(moments, start=1):
        archive.save(out, result(block=block, started=moment))
    assert [found.cell.block for found in archive.results(out)] == [2, 3, 1]


def test_machines_and_gates_come_back_as_they_were_saved(out: Path) -> None:
    """They are records like the others; a newer one of the same name replaces the older."""
    archive.save_record(out, MACHINE)
    archive.save_record(out, replace(MACHINE, python="3.12.0"))
    archive.save_record(out, GATE)
    archive.save_record(out, replace(GATE, status="passed"))
    assert archive.records(out, Machine) == [replace(MACHINE, python="3.12.0")]
    assert archive.records(out, Verification) == [replace(GATE, status="passed")]


def test_a_key_becomes_a_file_of_that_name(out: Path) -> None:
    """One file for a cell, readable by a person."""
    archive.save(out, OLD)
    assert [path.name for path in (out / "cells").iterdir()] == [f"{OLD.cell.key}.json"]
    assert json.loads((out / "cells" / f"{OLD.cell.key}.json").read_text())["cell"]["block"] == 1


def test_a_newer_result_of_the_same_slot_moves_the_older_one_aside(out: Path) -> None:
    """It no longer counts, and it is not lost."""
    for saved in (OLD, OTHER, NEW):
        archive.save(out, saved)
    assert sorted(found.cell.key for found in archive.results(out)) == sorted([NEW.cell.key, OTHER.cell.key])
    assert [path.name for path in (out / "superseded").iterdir()] == [f"{OLD.cell.key}.json"]


def test_the_later_of_two_counts_where_the_older_was_not_yet_moved_aside(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ``kill -9`` leaves them that strikes in between."""
    later = replace(OLD, cell=replace(OLD.cell, digest="0"), started="2026-11-22T12:00:00+00:00")
    monkeypatch.setattr(archive, "move_aside", lambda *_: None)
    for saved in (replace(OLD, started="2026-11-21T12:00:00+00:00"), later):
        archive.save(out, saved)
    assert len(list((out / "cells").iterdir())) == 2 and archive.results(out) == [later]


def test_the_control_does_not_replace_what_it_repeats(out: Path) -> None:
    """Role, device, threads and block are part of the slot."""
    others: list[dict[str, Any]] = [{"role": "control"}, {"device": "cuda"}, {"threads": 1}, {"block": 11}]
    for changes in [{}, *others]:
        archive.save(out, result(**changes))
    assert len(archive.results(out)) == 5


def test_a_slot_is_a_whole_name(out: Path) -> None:
    """A plugin file may be called ``mine.x.py``: what belongs to ``mine`` is left alone."""
    one, two = result("mine", digest="a"), result("mine.cpu.2t.b01.measured.x", digest="a")
    for saved in (one, two, replace(one, cell=replace(one.cell, digest="b"))):
        archive.save(out, saved)
    assert sorted(found.cell.key for found in archive.results(out)) == sorted([two.cell.key, f"{one.cell.slot}.b"])


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"switches": {"momentum": math.nan}}, "JSON"),
        ({"switches": {"momentum": -math.inf}}, "JSON"),
        ({"reason": "half a character \udce9"}, "surrogate"),
        ({"readings": {"device_peak_bytes": [1]}}, "readings.device_peak_bytes"),
        ({"status": "good"}, "status"),
    ],
)
def test_what_could_not_be_read_back_is_not_saved(out: Path, changes: dict[str, Any], where: str) -> None:
    """One bad file would make the whole directory unreadable; the result that was there stays."""
    archive.save(out, OLD)
    with pytest.raises(ValueError, match=where):
        archive.save(out, replace(OLD, **changes))
    assert archive.results(out) == [OLD]


def dies(action: Callable[[], None], step: int | None = None, byte: int | None = None) -> tuple[bool, int]:
    """Do something in a process that kills itself just before its n-th step on disk, or at the n-th byte of a file.

    Returns whether it died, and how many steps it made, which is known only of one that lived.
    """
    pid = os.fork()
    if pid == 0:
        steps = 0

        def count(event: str, *_: Any) -> None:
            nonlocal steps
            if event in ("open", "os.rename", "os.mkdir", "os.remove", "fsync"):
                steps += 1
                if steps == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            fsync = os.fsync
            os.fsync = lambda descriptor: (count("fsync"), fsync(descriptor))[1]
            sys.addaudithook(count)
            if byte is not None:
                signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # instead of an error: the process ends in mid-write
                resource.setrlimit(resource.RLIMIT_FSIZE, (byte, byte))
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            action()
            os._exit(min(steps, 100))
        finally:
            os._exit(101)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) in (signal.SIGKILL, signal.SIGXFSZ)
        return True, 0
    assert os.WEXITSTATUS(status) < 100, "the action itself failed"
    return False, os.WEXITSTATUS(status)


@pytest.mark.process
@pytest.mark.parametrize(
    ("before", "saved"),
    [([], NEW), ([OTHER], NEW), ([NEW], replace(NEW, reason="again")), ([OLD, OTHER], NEW)],
    ids=["into an empty directory", "beside another", "over itself", "over an older one"],
)
def test_a_save_that_is_cut_short_leaves_the_old_or_the_new_whole(
    tmp_path: Path, before: list[TrainingResult], saved: TrainingResult
) -> None:
    """Killed at each of its steps in turn: what was there can be read, the slot is never empty, and saving works."""
    _, steps = dies(lambda: saved_into(tmp_path / "counted", before, saved))
    _, steps_before = dies(lambda: saved_into(tmp_path / "counted-before", before))
    assert steps - steps_before >= 3  # open, fsync and rename at least: else nothing would be tried here
    for step in range(steps_before + 1, steps + 1):
        out = tmp_path / str(step)
        died, _ = dies(lambda out=out: saved_into(out, before, saved), step=step)  # type: ignore[misc]
        assert died
        check_recovery(out, before, saved)


@pytest.mark.process
@pytest.mark.parametrize("byte", [0, 1, 700, len(archive.encode(NEW)) - 1])
def test_a_save_that_is_cut_short_in_mid_write_leaves_the_old_whole(tmp_path: Path, byte: int) -> None:
    """Killed when that many bytes are in the file."""
    saved_into(tmp_path / "out", [OLD, OTHER])
    died, _ = dies(lambda: archive.save(tmp_path / "out", NEW), byte=byte)
    assert died
    check_recovery(tmp_path / "out", [OLD, OTHER], NEW)


def saved_into(out: Path, before: list[TrainingResult], *saved: TrainingResult) -> None:
    """A directory that holds these results."""
    with archive.opened(out):
        for found in (*before, *saved):
            archive.save(out, found)


def check_recovery(out: Path, before: list[TrainingResult], saved: TrainingResult) -> None:
    """After a crash: all that is there is whole, nothing is missing, and the next run puts everything right."""
    found = archive.results(out) if archive.has_results(out) else []
    assert all(one in (*before, saved) for one in found)
    slots = {one.cell.slot for one in found}
    assert {one.cell.slot for one in before} <= slots
    with archive.opened(out):
        assert not list(out.rglob("*.tmp"))
        archive.save(out, saved)
    rest = [one for one in before if one.cell.slot != saved.cell.slot]
    assert sorted(archive.results(out), key=key) == sorted([*rest, saved], key=key)


def key(one: TrainingResult) -> str:
    """What tells results apart."""
    return one.cell.key


def test_leftovers_are_removed_and_other_peoples_files_are_not(out: Path) -> None:
    """Only what this program leaves unfinished goes: the directory may be somebody's home."""
    (out / "tables").mkdir()
    mine = [folder / files.UNFINISHED.format("x.json") for folder in (out, out / "cells", out / "tables")]
    theirs = [out / ".bashrc.tmp", out / "cells" / ".x.json.tmp", out / "notes.tmp"]
    for path in (*mine, *theirs):
        path.write_text("half")
    open_and_close(out)
    assert [path.exists() for path in mine] == [False] * 3
    assert [path.exists() for path in theirs] == [True] * 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe\x00",
        archive.encode(OLD).encode()[:-100],
        archive.encode(OLD).replace('"threads": 2', '"threads": "two"').encode(),
        archive.encode(OLD).replace('"block": 1', '"block": 1.5').encode(),
        archive.encode(OLD).replace('"status": "ok"', '"status": "fine"').encode(),
        json.dumps({k: v for k, v in asdict(OLD).items() if k != "machine"}).encode(),
    ],
    ids=["empty", "brace", "null", "list", "binary", "truncated", "word", "fraction", "status", "missing"],
)
def test_a_damaged_file_is_named_in_one_line(out: Path, content: bytes) -> None:
    """The line has the file and the next step; other files are left as they are."""
    path = out / "cells" / f"{OLD.cell.key}.json"
    path.write_bytes(content)
    line = refusal(archive.results, out)
    assert str(path) in line and "move it away" in line
    assert path.read_bytes() == content


def test_a_wrong_value_is_named_with_its_place(out: Path) -> None:
    """The path into the record says where to look."""
    text = archive.encode(OLD).replace('"threads": 2', '"threads": "two"')
    (out / "cells" / "x.json").write_text(text)
    assert "cell.threads" in refusal(archive.results, out)


def test_a_file_that_cannot_be_read_is_named(out: Path) -> None:
    """The system's own reason, here that it is a directory."""
    (out / "cells" / "x.json").mkdir()
    line = refusal(archive.results, out)
    assert str(out / "cells" / "x.json") in line and os.strerror(errno.EISDIR) in line


@pytest.mark.parametrize("kind", [Machine, Verification, Probe, Breakdown, StoredExport], ids=lambda kind: kind.folder)
def test_damaged_records_of_other_kinds_are_named_too(out: Path, kind: type[Any]) -> None:
    """They are read by the same rule."""
    (out / kind.folder).mkdir(exist_ok=True)
    (out / kind.folder / "x.json").write_text("{}")
    assert f"{kind.folder}/x.json" in refusal(archive.records, out, kind)


def test_a_directory_without_results_says_how_to_get_some(tmp_path: Path, out: Path) -> None:
    """Whether it is empty, not there, or a file."""
    (tmp_path / "file").write_text("")
    for directory in (out, tmp_path / "none", tmp_path / "file"):
        assert not archive.has_results(directory)
        assert f"fcnbench run --out {directory}" in refusal(archive.results, directory)


def test_files_of_others_among_the_cells_are_no_results(out: Path) -> None:
    """A file browser's or an editor's leavings are neither read nor in the way."""
    (out / "cells" / ".DS_Store").write_bytes(b"\x00")
    (out / "cells" / "notes.txt").write_text("mine")
    assert not archive.has_results(out)
    archive.save(out, OLD)
    assert archive.results(out) == [OLD]


@pytest.mark.parametrize("below", ["", "/out", "/a/b/out"])
def test_a_file_in_the_place_of_the_directory_is_one_line(tmp_path: Path, below: str) -> None:
    """The line has the path and what to do."""
    (tmp_path / "file").write_text("mine")
    line = refusal(open_and_close, Path(f"{tmp_path}/file{below}"))
    assert f"{tmp_path}/file{below}" in line and "--out" in line
    assert (tmp_path / "file").read_text() == "mine"


def test_a_directory_that_the_system_refuses_is_one_line() -> None:
    """No directory can be made there, not even by root."""
    assert "/proc/fcnbench" in refusal(open_and_close, Path("/proc/fcnbench"))


def test_a_full_disk_is_one_line_and_loses_nothing(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own refusal, from a device that is always full; what was saved before can be read."""
    archive.save(out, OTHER)
    with monkeypatch.context() as patch:
        patch.setattr(secrets, "token_hex", lambda size: "full")
        (out / "cells" / files.UNFINISHED.format("full")).symlink_to("/dev/full")
        line = refusal(archive.save, out, OLD)
    assert os.strerror(errno.ENOSPC) in line and "make room" in line and "finished cells are kept" in line
    assert archive.results(out) == [OTHER]
    archive.save(out, OLD)
    assert len(archive.results(out)) == 2


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_any_refusal_while_saving_leaves_what_was_there(
    out: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """A quota or a vanished network disk may show only when the file is flushed or renamed."""

    def refuse(*_: Any) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    archive.save(out, OLD)
    with monkeypatch.context() as patch:
        patch.setattr(os if failing == "fsync" else Path, failing, refuse)
        assert os.strerror(errno.EDQUOT) in refusal(archive.save, out, NEW)
    assert archive.results(out) == [OLD]
    assert not list(out.rglob("*.tmp"))


def test_two_runs_into_one_directory_are_refused(out: Path) -> None:
    """The second is told so in one line; the first can go on; afterwards the directory is free again."""
    with archive.opened(out):
        line = refusal(open_and_close, out)
        assert str(out) in line and "another run" in line
        archive.save(out, OLD)
    open_and_close(out)


@pytest.mark.process
def test_a_run_that_was_killed_does_not_keep_the_directory(out: Path) -> None:
    """The lock of another process holds while it lives, and no longer."""
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        with archive.opened(out):
            os.write(tell, b"!")
            signal.pause()
    try:
        os.read(told, 1)
        assert "another run" in refusal(open_and_close, out)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(told)
        os.close(tell)
    open_and_close(out)


def test_whatever_ends_a_run_frees_the_directory(out: Path) -> None:
    """Ctrl-C and errors inside pass through, and the lock goes."""
    for error in (KeyboardInterrupt, RuntimeError):
        with pytest.raises(error), archive.opened(out):
            raise error
    open_and_close(out)


def test_every_key_is_fit_for_a_file_name() -> None:
    """No separator and no blank, and short enough for any file system."""
    cell: Cell = OLD.cell
    assert cell.key == "mlp-128-64.matched-pytorch.cpu.2t.b01.measured.01d"
    assert cell.key.startswith(cell.slot)

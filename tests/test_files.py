"""A file appears whole or not at all, whoever else writes it."""

import os
import threading
from pathlib import Path

import pytest

from bench import files
from bench.errors import FcnBenchError

CONTENTS = [letter * 200_000 for letter in (b"a", b"b", b"c")]


def test_several_writers_of_one_path_never_tear_it(tmp_path: Path) -> None:
    """Every reading is one whole version."""
    path, stop = tmp_path / "file", threading.Event()
    path.write_bytes(CONTENTS[0])

    def write(content: bytes) -> None:
        while not stop.is_set():
            files.write_bytes(path, content)

    writers = [threading.Thread(target=write, args=[content]) for content in CONTENTS]
    for writer in writers:
        writer.start()
    readings = {path.read_bytes() for _ in range(300)}
    stop.set()
    for writer in writers:
        writer.join()
    assert readings <= set(CONTENTS)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_whatever_stops_a_writer_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, error: type[BaseException]
) -> None:
    """And nothing beside it."""
    path = tmp_path / "file"
    path.write_text("before")

    def stop(*_: object) -> None:
        raise error

    monkeypatch.setattr(os if failing == "fsync" else Path, failing, stop)
    with pytest.raises(error):
        files.write_text(path, "after")
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def test_a_file_may_have_the_longest_name(tmp_path: Path) -> None:
    """The temporary one is short."""
    path = tmp_path / ("x" * 255)
    files.write_text(path, "text")
    assert path.read_text() == "text"


def test_what_killed_writers_left_is_removed(tmp_path: Path) -> None:
    """In all folders, and nothing that is somebody else's."""
    (tmp_path / "below").mkdir()
    left = [tmp_path / files.UNFINISHED.format("1"), tmp_path / "below" / files.UNFINISHED.format("2")]
    mine = [tmp_path / "notes.tmp", tmp_path / "below" / "file"]
    for path in (*left, *mine):
        path.write_text("half")
    files.remove_unfinished(tmp_path)
    assert [path.exists() for path in (*left, *mine)] == [False, False, True, True]


def test_a_refusal_is_one_line_that_ends_with_the_advice(tmp_path: Path) -> None:
    """With the system's reason."""
    (tmp_path / "full").symlink_to("/dev/full")
    expected = r"full: cannot write \(No space left on device\); make room$"
    with pytest.raises(FcnBenchError, match=expected), files.writing(tmp_path / "full", "make room"):
        (tmp_path / "full").write_text("text")

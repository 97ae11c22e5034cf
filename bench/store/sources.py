"""The programs that were run, kept beside their results."""

from collections.abc import Iterable
from pathlib import Path

from bench import files
from impls.registry import Entry

FOLDER = "sources"


def keep(directory: Path, entries: Iterable[Entry]) -> None:
    """Copy the file of each implementation into the result directory."""
    folder = directory / FOLDER
    for entry in entries:
        if entry.file is not None:
            with files.writing(folder):
                folder.mkdir(exist_ok=True)
                files.write_bytes(folder / f"{entry.name}.py", Path(entry.file).read_bytes())

"""The programs that were run, kept beside their results."""

from collections.abc import Iterable
from pathlib import Path

from bench import files
from impls.registry import Entry, module_file

FOLDER = "sources"


def keep(directory: Path, entries: Iterable[Entry]) -> None:
    """Copy the file of each implementation into the result directory."""
    folder = directory / FOLDER
    for entry in entries:
        path = entry.module if entry.module.endswith(".py") else module_file(entry.module)
        if path is not None:
            with files.writing(folder):
                folder.mkdir(exist_ok=True)
                files.write_bytes(folder / f"{entry.name}.py", Path(path).read_bytes())

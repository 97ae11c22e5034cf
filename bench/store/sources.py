"""The programs that were run, kept beside their results."""

from collections.abc import Iterable
from pathlib import Path

from bench import files
from bench.store import formats
from impls.registry import Entry

FOLDER = "sources"


def keep(directory: Path, entries: Iterable[Entry]) -> None:
    """Copy the file of each implementation into the result directory."""
    folder = directory / FOLDER
    for entry in entries:
        if entry.file is not None:
            with files.writing(folder):
                folder.mkdir(exist_ok=True)
                files.write_bytes(files.inside(folder, f"{entry.name}.py"), Path(entry.file).read_bytes())


def read(directory: Path) -> dict[str, bytes]:
    """The kept programs by the names of their implementations. Raises FcnBenchError for a file that cannot be read."""
    programs = {}
    for path in sorted((directory / FOLDER).glob("*.py")):
        with formats.reading(path, str(path), "damaged", "move it away"):
            programs[path.stem] = path.read_bytes()
    return programs

"""Who writes which format: found in this folder, read without importing any of it.

A writer is a file ``FRAMEWORK_FORMAT.py`` with ``write(path, workload, weights, about)``. A reader is ``FORMAT.py``, or
the writer itself where there is none. It has ``load(path)``, which gives a function from scaled images ``[n, ...]`` to
logits ``[n, 10]``, and ``graph(path)``, a list of :class:`impls.exports.graph.Node`; where the format can hold texts,
``about(path)`` gives them back. Both declare in ``PACKAGES`` what they import, by those names, and one of them
the format's ``SUFFIX``; the format ``native`` has the suffix of the framework's row.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impls.frameworks import FRAMEWORKS

FOLDER = Path(__file__).parent
NATIVE = "native"
"""What a framework's own format is called."""


@dataclass(frozen=True)
class Exporter:
    """``by`` is the framework, ``packages`` what the writer and the reader import, by those names."""

    format: str
    by: str
    suffix: str
    writer: str
    reader: str
    packages: tuple[str, ...]

    @property
    def title(self) -> str:
        """``onnx by PyTorch``."""
        return f"{self.format} by {FRAMEWORKS[self.by].label}"

    @property
    def models(self) -> str:
        """Where the framework builds a trained network."""
        return f"impls.models.{self.by}"


def exporters() -> Iterator[Exporter]:
    """The rows of every writer in this folder, by framework."""
    for by, framework in FRAMEWORKS.items():
        for path in sorted(FOLDER.glob(f"{by}_*.py")):
            format = path.stem.removeprefix(f"{by}_")
            reader = format if (FOLDER / f"{format}.py").is_file() else path.stem
            writing, reading = constants(path), constants(FOLDER / f"{reader}.py")
            suffix = framework.native if format == NATIVE else (writing | reading)["SUFFIX"]
            packages = tuple(dict.fromkeys((*writing["PACKAGES"], *reading["PACKAGES"])))
            yield Exporter(format, by, suffix, f"impls.exports.{path.stem}", f"impls.exports.{reader}", packages)


def constants(path: Path) -> dict[str, Any]:
    """``SUFFIX`` and ``PACKAGES`` as a file declares them, by reading it."""
    assigned = [node for node in ast.parse(path.read_bytes()).body if isinstance(node, ast.Assign)]
    named = [(node.targets[0].id, node.value) for node in assigned if isinstance(node.targets[0], ast.Name)]
    return {name: ast.literal_eval(value) for name, value in named if name in ("SUFFIX", "PACKAGES")}


FOUND = tuple(exporters())
OFTEN = Counter(row.format for row in FOUND)
EXPORTERS = tuple(sorted(FOUND, key=lambda row: (row.format == NATIVE, -OFTEN[row.format], row.format)))
"""First the formats that most frameworks write, the frameworks' own last; within a format by framework."""
FORMATS = tuple(dict.fromkeys(row.format for row in EXPORTERS))


def writers(format: str) -> Iterator[Exporter]:
    """The rows that write this format."""
    return (row for row in EXPORTERS if row.format == format)


def find(format: str, by: str) -> Exporter:
    """The row of a format and a framework. Raises StopIteration for what no framework writes."""
    return next(row for row in writers(format) if row.by == by)

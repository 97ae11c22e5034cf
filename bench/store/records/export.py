"""What came of writing a trained network in another format and of checking the file: a record, and nothing else."""

from dataclasses import dataclass, field

from bench.store.records.cell import Status
from impls.exports.graph import Node


@dataclass(frozen=True)
class Export:
    """A trained network written by a framework in a format, and how it compares with what the framework itself says.

    Of ``images`` test images ``agree`` get the same digit from the file; ``largest_difference`` is that of any logit,
    ``limit`` what it may be. ``one_image_s`` is how long the file takes for one image, on one thread. ``status`` is
    ``failed`` where the file does other work, ``skipped`` where a package is missing.
    """

    format: str
    by: str
    status: Status
    reason: str = ""
    size_bytes: int | None = None
    images: int | None = None
    agree: int | None = None
    largest_difference: float | None = None
    limit: float | None = None
    one_image_s: float | None = None
    versions: dict[str, str] = field(default_factory=dict)
    graph: tuple[Node, ...] = ()


@dataclass(frozen=True)
class StoredExport:
    """An export, of which network it was, and a digest of all that would change it."""

    workload: str
    implementation: str
    digest: str
    export: Export

    @property
    def status(self) -> Status:
        """How the export ended."""
        return self.export.status

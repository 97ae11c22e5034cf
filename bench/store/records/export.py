"""What came of writing a trained network in another format and of checking the file: a record, and nothing else."""

from dataclasses import dataclass, field
from typing import ClassVar

from bench.store.records import bounds
from bench.store.records.cell import Status
from impls.exports.graph import Node
from impls.fields import check_at_least, check_finite, check_names


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

    def __post_init__(self) -> None:
        """Raise ValueError for what cannot have been measured."""
        check_names(format=self.format, by=self.by)
        check_at_least(1, images=self.images)
        check_at_least(0, size_bytes=self.size_bytes, agree=self.agree)
        check_finite(largest_difference=self.largest_difference, limit=self.limit)
        bounds.check_seconds(0, one_image_s=self.one_image_s)
        for node in self.graph:
            check_at_least(0, parameters=node.parameters, size_bytes=node.size_bytes)
            for size in node.shape or ():
                check_at_least(0, shape=size)


@dataclass(frozen=True)
class StoredExport:
    """An export, of which network it was, and a digest of all that would change it."""

    folder: ClassVar[str] = "exports"

    workload: str
    implementation: str
    digest: str
    export: Export

    def __post_init__(self) -> None:
        """Raise ValueError for names that are none."""
        check_names(workload=self.workload, implementation=self.implementation, digest=self.digest)

    @property
    def file_name(self) -> str:
        """The name of its file, without the ending."""
        return f"{self.export.by}.{self.export.format}"

    @property
    def status(self) -> Status:
        """How the export ended."""
        return self.export.status

"""The trained networks in other formats: what was written, whether it runs, and whether it says the same."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from bench.report.chapter import Chapter
from bench.report.columns import WORKLOAD, Column, Table
from bench.store import archive
from bench.store.records.export import StoredExport
from impls.exports import FORMATS

EXPORTS = Table("Each framework's network, written by each of its exporters and run: one row for each format.", (
    WORKLOAD,
    Column("implementation", "", "who trained the network"),
    Column("by", "", "whose exporter wrote it"),
    Column("format", "", f"one of {', '.join(FORMATS)}"),
    Column("status", "", "ok, skipped where a package is missing, failed where the file does other work"),
    Column("reason", "", "why it was skipped or failed"),
    Column("size_bytes", "bytes", "of the file"),
    Column("images", "count", "test images that it was asked about"),
    Column("agree", "count", "of these for which it says the same digit as the network itself"),
    Column("largest_difference", "number", "of any logit"),
    Column("limit", "number", "what rounding may make of that"),
    Column("one_image_s", "s", "one image alone, on one thread, median of repeated calls"),
    Column("versions", "", "of the packages that took part"),
))  # fmt: skip


def exports(stored: Sequence[StoredExport]) -> pd.DataFrame:
    """One row for each export."""
    rows = []
    for one in stored:
        versions = ", ".join(f"{name} {version}" for name, version in one.export.versions.items())
        which = {"workload": one.workload, "implementation": one.implementation}
        rows.append(asdict(one.export) | which | {"versions": versions})
    return EXPORTS.frame(rows)


CHAPTER = Chapter(
    tables={"exports": EXPORTS},
    frames=lambda results: {"exports": exports(archive.records(results.directory, StoredExport))},
)

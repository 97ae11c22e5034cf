"""Probes, breakdowns and exports as files of a result directory."""

from pathlib import Path

from pydantic import TypeAdapter

from bench.store import archive
from bench.store.records.breakdown import Breakdown
from bench.store.records.export import StoredExport
from bench.store.records.probe import Probe
from impls.environment import slug

EXPORTS = "exports"
KEPT_EXPORT = TypeAdapter(StoredExport)
PROBES = "probes"
PROBE = TypeAdapter(Probe)
BREAKDOWNS = "breakdowns"
BREAKDOWN = TypeAdapter(Breakdown)


def save_export(directory: Path, kept: StoredExport) -> None:
    """Keep what came of an export; the one before, of the same framework and format, is replaced."""
    archive.write_record(directory / EXPORTS / f"{kept.export.by}.{kept.export.format}.json", kept, allow_nan=False)


def read_exports(directory: Path) -> list[StoredExport]:
    """What was kept, by name. Raises FcnBenchError for a file that is not what this version writes."""
    return archive.read_all(directory / EXPORTS, KEPT_EXPORT)


def save_probe(directory: Path, answer: Probe) -> None:
    """Keep an answer; the one before, of the same framework, is replaced."""
    archive.write_record(directory / PROBES / f"{answer.framework}.json", answer, allow_nan=False)


def read_probes(directory: Path) -> list[Probe]:
    """What the frameworks answered, by name. Raises FcnBenchError for a file that is not what this version writes."""
    return archive.read_all(directory / PROBES, PROBE)


def breakdown_name(breakdown: Breakdown) -> str:
    """The name of its file, without the ending."""
    return f"{breakdown.implementation}.{breakdown.workload}.{slug(breakdown.device)}"


def save_breakdown(directory: Path, breakdown: Breakdown) -> None:
    """Keep an answer; the one before, of the same program, network and device, is replaced."""
    archive.write_record(directory / BREAKDOWNS / f"{breakdown_name(breakdown)}.json", breakdown, allow_nan=False)


def read_breakdowns(directory: Path) -> list[Breakdown]:
    """What was answered, by name. Raises FcnBenchError for a file that is not what this version writes."""
    return archive.read_all(directory / BREAKDOWNS, BREAKDOWN)

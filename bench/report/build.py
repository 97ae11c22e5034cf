"""Stored cells -> CSVs, tables, charts, one HTML page, one Markdown page, and the table that ends a run.

Reads files only, so that a report can be rebuilt years later with no framework installed. The same cells give the same
files, byte for byte.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.display import numbers, tables
from bench.display.charts import Chart
from bench.files import write_bytes, writing
from bench.report import columns, page, pairs, summary
from bench.report.chapters.claims import table_4, verdicts
from bench.report.chapters.digits import board
from bench.report.groups import Group
from bench.report.results import Session

DERIVED = (
    "summary",
    "control",
    "comparison",
    "break_even",
    "table_1",
    "table_4",
    "claims",
    "time_to_accuracy",
    "floor_parts",
    "floor",
    "multiples",
    "inference",
    "gate",
    "digits",
    "confusion",
    "disagreements",
    "effects",
    "sweep",
    "overhead",
    "sweep_threads",
    "exports",
    "breakdown",
)
COUNTS = ("involuntary_switches", "hot_events", "cpus", "gpu_processes")
OWN = {
    "tables": rf"({'|'.join((*DERIVED, 'accuracies'))})\.(csv|md)",
    "charts": r"(epoch-time|ratios|memory|accuracy|curves|first|mistaken|apart|effect|breakdown|sweep-(batch|width))"
    r"\..*\.(svg|png)",
}
"""What this module writes into which directory: what is there and no longer true is taken away."""


@dataclass(frozen=True)
class Built:
    """A report: what to print at the end of a run, and the page."""

    text: str
    html: Path


def build(directory: Path) -> Built:
    """Write everything that can be derived from the stored cells, and return the final table.

    Raises FcnBenchError for a directory without results, with damaged ones, and where it cannot write.
    """
    session = Session.read(directory)
    frames = in_words(session.frames)
    drawn, data, derived = page.draw(session), data_files(frames), table_files(frames)
    linked = [*data, "columns.md", *(f"tables/{name}" for name in derived if name.endswith(".csv"))]
    context = page.context(session, drawn, linked, board.of_session(directory, session))
    pages = {"columns.md": columns.guide({name: frames[name] for name in written(data, derived)}).encode()}
    pages |= {
        name: page.environment().get_template(f"{name}.j2").render(context).encode()
        for name in ("report.html", "report.md")
    }
    with writing(directory):
        write_all(directory, data)
        write_all(directory / "tables", derived)
        write_all(directory / "charts", chart_files(drawn))
        write_all(directory, pages)
    return Built(final_table(session), directory / "report.html")


def in_words(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The frames as they are written: verdicts, and why there is none, in words."""
    made = {"comparison": pairs.in_words, "table_4": table_4.in_words}
    made |= dict.fromkeys(("claims", "table_1"), verdicts.in_words)
    return {**frames, **{name: words(frames[name]) for name, words in made.items()}}


def written(data: Iterable[str], derived: Iterable[str]) -> list[str]:
    """The names of the frames that are written as CSV."""
    return [name.removesuffix(".csv") for name in (*data, *derived) if name.endswith(".csv")]


def final_table(session: Session) -> str:
    """What a run ends with."""
    frames = session.frames
    return summary.text(session.groups, frames["runs"], frames["table_4"], session.everything, session.gates)


def data_files(frames: Mapping[str, pd.DataFrame]) -> dict[str, bytes]:
    """The records as rows; a machine that was not described has none."""
    named = {name: frames[name] for name in ("runs", "epochs", "machines")}
    named |= {"curves": frames["curves"]} if len(frames["curves"]) else {}
    return {f"{name}.csv": csv(with_whole_bytes(frame)).encode() for name, frame in named.items() if len(frame.columns)}


def with_whole_bytes(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its counts as integers, also where some are missing: 995045376, not 995045376.0."""
    counts = [name for name in map(str, frame) if name.endswith("_bytes") or name in COUNTS]
    return frame.astype(dict.fromkeys(counts, "Int64"))


def csv(frame: pd.DataFrame) -> str:
    """A frame as CSV, the same on every system."""
    return frame.to_csv(index=False, lineterminator="\n")


def table_files(frames: Mapping[str, pd.DataFrame]) -> dict[str, bytes]:
    """The derived tables that have rows, raw as CSV and with units as Markdown."""
    files = {}
    for name in DERIVED:
        frame = frames[name]
        if len(frame):
            files[f"{name}.csv"] = csv(frame).encode()
            files[f"{name}.md"] = markdown(frame).encode()
    return files


def markdown(frame: pd.DataFrame) -> str:
    """A frame as a Markdown table, its values with units."""
    lines = [list(frame.columns), ["---"] * len(frame.columns)]
    for _, row in frame.iterrows():
        lines.append([tables.in_markdown(numbers.cell(str(column), dict(row))) for column in frame])
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def chart_files(drawn: Sequence[tuple[Group, Chart]]) -> dict[str, bytes]:
    """Each chart's two files."""
    files = {f"{chart.name}.svg": chart.svg.encode() for _, chart in drawn}
    return files | {f"{chart.name}.png": chart.png for _, chart in drawn}


def write_all(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write the files, then take away those of our own making that are no longer among them."""
    directory.mkdir(exist_ok=True)
    for name, content in files.items():
        write_bytes(directory / name, content)
    for path in directory.iterdir():
        if path.name not in files and re.fullmatch(OWN.get(directory.name, ""), path.name):
            path.unlink()

"""Stored cells -> CSVs, tables, charts, one HTML page, one Markdown page, and the table that ends a run.

Reads files only, so that a report can be rebuilt years later with no framework installed. The same cells give the same
files, byte for byte.
"""

import re
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.display import tables
from bench.files import write_bytes, writing
from bench.report import columns, page, summary
from bench.report.chapters import CHAPTERS
from bench.report.columns import Table
from bench.report.results import Results
from bench.report.runs import DATA
from bench.store import archive

RESULTS = "results"
"""What most readers open stands beside the records."""
TABLES: Mapping[str, Table] = {f"{name}.csv": table for name, table in DATA.items()} | {
    f"{'' if name == RESULTS else 'tables/'}{name}.csv": table
    for chapter in CHAPTERS
    for name, table in chapter.tables.items()
}
"""Every CSV by its path, with what its columns mean."""
WORDS = {f"tables/{name}.csv": words for chapter in CHAPTERS for name, words in chapter.words.items()}
"""How frames with verdicts are written."""
FORMER = ("accuracies",)
"""Tables that were written once; they are taken away like those that are no longer true."""
CHARTS = "|".join([kind for chapter in CHAPTERS for kind in chapter.kinds] + ["summary"])
MADE = {
    "tables": rf"({'|'.join((*(Path(path).stem for path in TABLES), *FORMER))})\.(csv|md)",
    "charts": rf"({CHARTS})(\..*)?\.(svg|png)",
}
"""What this module writes into which folder: what is there and no longer true is taken away."""
UNWRITABLE = "make room or copy the directory to where you may write, then run 'fcnbench report' on it"
"""What to do where a report cannot be written."""


@dataclass(frozen=True)
class Built:
    """A report: what to print at the end of a run, the page, and the lines that end it."""

    text: str
    html: Path
    headlines: tuple[str, ...]


def read(directory: Path, questions: int = 0) -> Results:
    """What a directory holds, with all that the chapters derive from it. Raises what Results.read does."""
    results = Results.read(directory, questions)
    for chapter in CHAPTERS:
        results.frames.update(chapter.frames(results))
    return results


def answer(directory: Path, questions: int) -> str:
    """What the stored cells say so far, in sentences, where so many questions were planned; nothing is written."""
    return summary.opening(read(directory, questions))


def build(directory: Path) -> Built:
    """Write everything that can be derived from the stored cells, and return the final table.

    The directory must be locked. Raises FcnBenchError for one without results, with damaged ones, and where it cannot
    write.
    """
    results = read(directory)
    drawn, frames = page.draw(results), written(results)
    derived = [path for path in frames if path.startswith("tables/")]
    made = page.sections(results, drawn, [*(path for path in frames if path not in derived), "columns.md", *derived])
    charts = [picture.chart for _, pictures in drawn for own in pictures.values() for picture in own]
    files = {path: tables.csv(frame) for path, frame in frames.items()}
    files |= {f"charts/{chart.name}.svg": chart.svg for chart in charts}
    files |= {"columns.md": columns.guide(frames, TABLES)}
    files |= {"report.html": page.html_file(results, made), "report.md": page.markdown_file(results, made)}
    encoded = {path: text.encode() for path, text in files.items()} | summary.card(results)
    with writing(directory, UNWRITABLE):
        write_all(directory, encoded)
    return Built(final_table(results), directory / "report.html", tuple(summary.headlines(results)))


def rebuild(directory: Path) -> Built:
    """:func:`build` for a directory that is not locked yet; where there are no results nothing is written."""
    with archive.locked(directory, UNWRITABLE) if archive.has_results(directory) else nullcontext():
        return build(directory)


def written(results: Results) -> dict[str, pd.DataFrame]:
    """The frames that are written, by the paths of their files: those with rows, and ``epochs``, which any run has."""
    made = {}
    for path, table in TABLES.items():
        frame = results.frames[Path(path).stem]
        if len(frame) or path == "epochs.csv":
            made[path] = WORDS[path](frame) if path in WORDS else frame
            made[path] = table.whole(frame) if Path(path).stem in DATA else made[path]
    return made


def final_table(results: Results) -> str:
    """What a run ends with."""
    return summary.text(results)


def write_all(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write the files, but first take away those of our own making that are no longer among them."""
    for folder, names in MADE.items():
        (directory / folder).mkdir(exist_ok=True)
        for path in (directory / folder).iterdir():
            if f"{folder}/{path.name}" not in files and re.fullmatch(names, path.name):
                path.unlink()
    for name, content in files.items():
        write_bytes(directory / name, content)

"""Stored cells -> CSVs, tables, charts, one HTML page, one Markdown page, and the table that ends a run.

Reads files only, so that a report can be rebuilt years later with no framework installed. The same cells give the same
files, byte for byte.
"""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from bench import (
    answers,
    charts,
    columns,
    forest,
    ledger,
    pictures,
    sheets,
    store,
    tables,
    terminal,
    terms,
    verdicts,
    words,
)
from bench.answers import Group
from bench.environment import Machine
from bench.pictures import Chart
from bench.records import Gate, Result, Size

INLINED = 400_000
"""Bytes of charts that the page carries itself; it links to the files of those beyond, so that it stays small."""
CELLS = 600
LOGS = 20
LOG_LETTERS = 4000
"""Rows, logs and letters of a log that the page shows; the files have them all."""
DERIVED = ("summary", "control", "comparison", "break_even", "table_4", "accuracies", "gate")
COUNTS = ("involuntary_switches", "hot_events", "cpus", "gpu_processes")
OWN = {
    "tables": rf"({'|'.join(DERIVED)})\.(csv|md)",
    "charts": r"(epoch-time|ratios|memory|accuracy|curves)\..*\.(svg|png)",
}
"""What this module writes into which directory: what is there and no longer true is taken away."""


@dataclass(frozen=True)
class Built:
    """A report: what to print at the end of a run, and the page."""

    text: str
    html: Path


@dataclass(frozen=True)
class Session:
    """Everything that the pages show, derived from the stored cells."""

    results: Sequence[Result]
    machines: Sequence[Machine]
    gates: Sequence[Gate]
    frames: Mapping[str, pd.DataFrame]
    groups: Sequence[Group]
    size: Size | None = None

    @classmethod
    def read(cls, directory: Path) -> "Session":
        """Read the stored records and derive the rest."""
        results, machines, gates = store.results(directory), store.machines(directory), store.gates(directory)
        runs, of_machines = tables.runs(results, gates), tables.machines(machines)
        frames = {
            "runs": runs,
            "epochs": tables.epochs(results),
            "curves": tables.curves(results),
            "machines": of_machines,
            "summary": tables.summary(runs),
            "control": verdicts.control(runs),
            "comparison": verdicts.comparison(runs),
            "break_even": verdicts.break_even(runs),
            "table_4": ledger.table_4(runs, of_machines),
            "gate": tables.gate(gates),
        }
        frames["accuracies"] = ledger.accuracies(runs, frames["epochs"], results)
        epochs = {result.cell.workload.name: result.cell.workload.epochs for result in results}
        groups = answers.groups(frames, epochs, ledger.claims()["workload"].iloc[0])
        return cls(results, machines, gates, frames, groups, store.size(directory))


def build(directory: Path) -> Built:
    """Write everything that can be derived from the stored cells, and return the final table.

    Raises FcnBenchError for a directory without results, with damaged ones, and where it cannot write.
    """
    session = Session.read(directory)
    drawn, data, derived = draw(session), data_files(session.frames), table_files(session.frames)
    linked = [*data, "columns.md", *(f"tables/{name}" for name in derived if name.endswith(".csv"))]
    context = page(session, drawn, linked)
    pages = {"columns.md": columns.guide({name: session.frames[name] for name in written(data, derived)}).encode()}
    pages |= {
        name: environment().get_template(f"{name}.j2").render(context).encode() for name in ("report.html", "report.md")
    }
    with store.writing(directory):
        write_all(directory, data)
        write_all(directory / "tables", derived)
        write_all(directory / "charts", chart_files(drawn))
        write_all(directory, pages)
    return Built(final_table(session), directory / "report.html")


def written(data: Iterable[str], derived: Iterable[str]) -> list[str]:
    """The names of the frames that are written as CSV."""
    return [name.removesuffix(".csv") for name in (*data, *derived) if name.endswith(".csv")]


def final_table(session: Session) -> str:
    """What a run ends with."""
    frames = session.frames
    return terminal.text(session.groups, frames["runs"], frames["table_4"], session.results, session.gates)


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
        lines.append([sheets.in_markdown(words.cell(str(column), dict(row))) for column in frame])
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def chart_files(drawn: Sequence[tuple[Group, Chart]]) -> dict[str, bytes]:
    """Each chart's two files."""
    files = {f"{chart.name}.svg": chart.svg.encode() for _, chart in drawn}
    return files | {f"{chart.name}.png": chart.png for _, chart in drawn}


def write_all(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write the files, then take away those of our own making that are no longer among them."""
    directory.mkdir(exist_ok=True)
    for name, content in files.items():
        store.write_bytes(directory / name, content)
    for path in directory.iterdir():
        if path.name not in files and re.fullmatch(OWN.get(directory.name, ""), path.name):
            path.unlink()


def draw(session: Session) -> list[tuple[Group, Chart]]:
    """The charts of every group that has something to show."""
    claims = ledger.claims()
    claims = claims[claims["quantity"] == "accuracy"]
    epochs, evaluations, drawn = session.frames["epochs"], session.frames["curves"], []
    for group in session.groups:
        claimed = claims[(claims["workload"] == group.workload) & (claims["device"] == group.device)]
        own = charts.of_group(group.title, group.key, group.runs, epochs, evaluations, claimed)
        drawn += [(group, chart) for chart in (*own[:1], *forest.of_group(group), *own[1:])]
    return drawn


def page(session: Session, drawn: Sequence[tuple[Group, Chart]], files: Sequence[str]) -> dict[str, Any]:
    """What the templates show; all of it text, except the charts."""
    pictured, size = {}, 0
    for _, chart in drawn:
        picture = pictures.inline(chart)
        size += len(picture)
        pictured[chart.name] = Markup(picture) if size <= INLINED else ""
    lead = answers.leading(session.groups)
    lost = terms.lost(session.results)
    sections = {group.key: section(group, drawn) for group in session.groups}
    return {
        "session": session,
        "unfit": not session.frames["control"]["fit"].all(),
        "sentences": answers.opening(session.groups),
        "lead": [sections[group.key] for group in lead],
        "groups": list(sections.values()),
        "others": [sections[group.key] for group in session.groups if group not in lead],
        "failed_gates": terms.failed_gates(session.gates),
        "files": files,
        "table_4": sheets.table_4(session.frames["table_4"], session.groups[0], wide=True),
        "accuracies": sheets.accuracies(session.frames["accuracies"]),
        "cells": sheets.cells(session.frames["runs"].head(CELLS)),
        "lost": [(item, item.log[-LOG_LETTERS:] if i < LOGS else "") for i, item in enumerate(lost)],
        "gate": terms.gate(session.gates),
        "agreement": terms.agreement(session.results),
        "fairness": terms.fairness(session.results),
        "switches": terms.switches(session.results),
        "machines": [terms.machine(machine) for machine in session.machines],
        "facts": facts(session),
        "disturbance": sheets.disturbance(session.frames["runs"]),
        "sized": sized(session),
        "tiers": {tier: words.TIERS[tier] for tier in words.TIERS if tier in set(session.frames["runs"]["tier"])},
        "pictured": pictured,
    }


def section(group: Group, drawn: Sequence[tuple[Group, Chart]]) -> dict[str, Any]:
    """One group's part of a page."""
    own = [chart for owner, chart in drawn if owner is group]
    ratios = [chart for chart in own if chart.name.startswith(forest.KIND)]
    return {
        "group": group,
        "sentences": answers.answers(group),
        "summary": sheets.summary(group, wide=True),
        "pairs": sheets.pairs(group, within_tier=True),
        "across": sheets.pairs(group, within_tier=False),
        "control": sheets.control(group),
        "cold_start": sheets.cold_start(group),
        "beside_speed": sheets.beside_speed(group),
        "break_even": sheets.break_even(group),
        "charts": [chart for chart in own if chart not in ratios],
        "ratios": ratios,
    }


def facts(session: Session) -> list[str]:
    """How large the session was, when and where it took place."""
    states = [result.status for result in session.results]
    counts = [f"{states.count(state)} {state}" for state in ("ok", "failed", "skipped") if state in states]
    days = sorted({result.started[:10] for result in session.results})
    cpus = [f"{machine.cpu}, {words.count(machine.available_cpus, 'CPU')}" for machine in session.machines]
    when = " to ".join(dict.fromkeys((days[0], days[-1])))
    return [f"{words.count(len(states), 'cell')}: {words.listed(counts)}", when, *cpus]


def sized(session: Session) -> str:
    """How the number of blocks came about, where it was not given."""
    size, blocks = session.size, int(session.frames["runs"]["block"].max())
    if size is None or size.blocks != blocks:
        return ""
    return (
        f"A pilot of {words.count(size.pilot, 'block')} decided that {size.asked} "
        f"{words.count(blocks, 'block')}; the number was fixed before the rest was measured."
    )


def environment() -> jinja2.Environment:
    """The templates: everything is escaped, and a name that does not exist is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True,
    )  # fmt: skip
    made.filters["prose"] = in_prose
    made.filters["md"] = lambda text: sheets.in_markdown(str(text))
    return made


def in_prose(text: str) -> Markup:
    """Text for a page whose names, such as ``mlp-128-64``, are not broken at their hyphens."""
    return Markup(re.sub(r"\w+(?:-\w+)+", r'<span class="name">\g<0></span>', html.escape(words.unbroken(text))))

"""What a page shows: text and charts, for the templates."""

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from bench.data import tutorials
from bench.display import charts as display_charts
from bench.display import naming, numbers
from bench.display import tables as display_tables
from bench.display.charts import Chart
from bench.report import groups, scripts
from bench.report.chapters import conditions, cost, floor, inference
from bench.report.chapters.accuracy import effects, reaching
from bench.report.chapters.breakdown import charts as breakdown_charts
from bench.report.chapters.breakdown import stages
from bench.report.chapters.claims import code, properties, tables
from bench.report.chapters.comparison import answer, charts
from bench.report.chapters.comparison import tables as comparison_tables
from bench.report.chapters.digits import charts as digits_charts
from bench.report.chapters.digits import tables as digits_tables
from bench.report.chapters.digits.board import Board
from bench.report.chapters.digits.frames import by_place
from bench.report.chapters.overhead import charts as overhead_charts
from bench.report.chapters.overhead import tables as overhead_tables
from bench.report.groups import Group
from bench.report.results import Session, workloads
from impls.environment import kind

INLINED = 400_000
"""Bytes of charts that the page carries itself; it links to the files of those beyond, so that it stays small."""
DATA_OF = {
    "epoch-time": "runs.csv", "memory": "runs.csv", "accuracy": "epochs.csv", "curves": "curves.csv",
    "ratios": "tables/comparison.csv", "first": "cells/", "mistaken": "tables/confusion.csv",
    "apart": "tables/disagreements.csv", "effect": "tables/effects.csv", "breakdown": "tables/breakdown.csv",
    "sweep-batch": "tables/sweep.csv", "sweep-width": "tables/sweep.csv",
}  # fmt: skip
"""Where the figures of a chart stand, by the first part of its name."""
SUITE = (
    "Measured by the pytest-benchmark suite: the implementations of a block ran one after the other, always in the "
    "same order, and without a control."
)
DRAWING = ("networks.js", "board.js")
CELLS = 600
LOGS = 20
LOG_LETTERS = 4000
"""Rows, logs and letters of a log that the page shows; the files have them all."""


def draw(session: Session) -> list[tuple[Group, Chart]]:
    """The charts of every group that has something to show; images of digits of those that the page opens with."""
    lead = groups.leading(session.groups)
    accuracies = tutorials.claims()
    accuracies = accuracies[accuracies["quantity"] == "accuracy"]
    frames, base = session.frames, workloads(session.results)
    runs, epochs, evaluations = (frames[name] for name in ("runs", "epochs", "curves"))
    drawn = []
    for group in session.groups:
        lines = accuracies[(accuracies["workload"] == group.workload) & (accuracies["device"] == group.device)]
        own = charts.session_charts(group.title, group.key, group.runs, epochs, evaluations, lines)
        drawn += [(group, chart) for chart in (*own[:1], *charts.of_group(group), *own[1:])]
        drawn += [(group, chart) for chart in effects.of_group(group, runs, epochs, frames["effects"])]
        swept = overhead_charts.of_group(group, frames["sweep"], frames["overhead"], base.get(group.workload))
        drawn += [(group, chart) for chart in swept]
        drawn += [(group, chart) for chart in breakdown_charts.of_group(group, frames["breakdown"])]
        if group in lead:
            found = by_place(session.shown, session.test)
            said = [(place, results) for place, results in found if place[:3] == group.place_key]
            drawn += [(group, chart) for chart in digits_charts.of_group(group.title, group.key, said, session.test)]
    return drawn


def context(
    session: Session, drawn: Sequence[tuple[Group, Chart]], files: Sequence[str], board: Board | None = None
) -> dict[str, Any]:
    """What the templates show; all of it text, except the charts and the scripts."""
    pictured, size = {}, 0
    for _, chart in drawn:
        picture = display_charts.inline(chart)
        size += len(picture)
        pictured[chart.name] = Markup(picture) if size <= INLINED else ""
    lead = groups.leading(session.groups)
    lost = conditions.lost(session.everything)
    told = session.frames["claims"]
    decided = tables.is_decided(told)
    run = [scripts.read(name) for name in (*(DRAWING if board and board.data else ()), "sort.js")]
    sections = {group.key: section(group, drawn, session.frames) for group in session.groups}
    return {
        "session": session,
        "board": board,
        "scripts": run,
        "policy": scripts.policy(run),
        "unfit": not session.frames["control"]["fit"].all(),
        "sentences": answer.opening(session.groups),
        "lead": [sections[group.key] for group in lead],
        "groups": list(sections.values()),
        "others": [sections[group.key] for group in session.groups if group not in lead],
        "swept": [part for part in sections.values() if part["overhead"].rows],
        "failed_gates": conditions.failed_gates(session.gates),
        "files": files,
        "claims": tables.ledger(told),
        "claims_decided": tables.ledger(told[decided]),
        "claims_open": tables.ledger(told[~decided]),
        "claims_summary": tables.summary(told),
        "table_1": properties.properties_table(session.frames["table_1"]),
        "table_1_rules": properties.rules(session.frames["table_1"]),
        "code": code.sides(session.programs),
        "table_4": tables.table_4(session.frames["table_4"], session.groups[0], wide=True),
        "cells": conditions.cells(session.frames["runs"].head(CELLS)),
        "lost": [(item, item.log[-LOG_LETTERS:] if i < LOGS else "") for i, item in enumerate(lost)],
        "gate": conditions.gate(session.gates),
        "agreement": conditions.agreement_table(session.results),
        "fairness": conditions.fairness(session.results),
        "switches": conditions.switches(session.results),
        "machines": [conditions.machine(machine) for machine in session.machines],
        "facts": facts(session),
        "suite": SUITE if any(result.harness == "pytest-benchmark" for result in session.results) else "",
        "disturbance": conditions.disturbance(session.frames["runs"]),
        "sized": sized(session),
        "file_pages": file_pages(session.frames["runs"]),
        "tiers": {tier: naming.TIERS[tier] for tier in naming.TIERS if tier in set(session.frames["runs"]["tier"])},
        "breakdown_method": stages.METHOD,
        "pictured": pictured,
        "data_of": {chart.name: DATA_OF[chart.name.partition(".")[0]] for _, chart in drawn},
    }


def section(group: Group, drawn: Sequence[tuple[Group, Chart]], frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """One group's part of a page."""
    own = [chart for owner, chart in drawn if owner is group]
    ratios = [chart for chart in own if chart.name.startswith(charts.KIND)]
    pictured = [chart for chart in own if chart.name.partition(".")[0] in digits_charts.KINDS]
    swept = [chart for chart in own if chart.name.partition(".")[0] in overhead_charts.KINDS]
    divided = [chart for chart in own if chart.name.startswith(breakdown_charts.KIND)]
    return {
        "group": group,
        "anchor": group.key,
        "sentences": answer.answers(group),
        "summary": comparison_tables.summary(group, wide=True),
        "pairs": comparison_tables.pairs(group, within_tier=True),
        "across": comparison_tables.pairs(group, within_tier=False),
        "control": comparison_tables.control(group),
        "cold_start": cost.cold_start(group),
        "beside_speed": comparison_tables.beside_speed(group),
        "break_even": cost.break_even_table(group),
        "charts": [chart for chart in own if chart not in (*ratios, *pictured, *swept, *divided)],
        "digit_charts": pictured,
        "time_to_accuracy": reaching.sheet(frames["time_to_accuracy"], group),
        "floor": floor.sheet(frames["floor"], group),
        "inference": inference.sheet(frames["inference"], group),
        "effects": effects.sheet(frames["effects"], group),
        "overhead": overhead_tables.sheet(frames["overhead"], frames["sweep"], group),
        "cores": overhead_tables.cores(frames["sweep_threads"], group),
        "sweep_charts": swept,
        "by_digit": digits_tables.by_digit(frames["digits"], group),
        "confusion": digits_tables.confusion(frames["confusion"], group),
        "disagreements": digits_tables.disagreements(frames["disagreements"], group),
        "ratios": ratios,
        "breakdown": {
            "charts": divided,
            "sheet": stages.sheet(frames["breakdown"], group),
            "sentences": stages.sentences(frames["breakdown"], group),
        },
    }


def facts(session: Session) -> list[str]:
    """How large the session was, when and where it took place."""
    states = [result.status for result in session.results]
    counts = [f"{states.count(state)} {state}" for state in ("ok", "failed", "skipped") if state in states]
    days = sorted({result.started[:10] for result in session.results})
    on_gpu = any(kind(result.cell.device) != "cpu" for result in session.results)
    cpus = [f"{machine.cpu}, {numbers.count(machine.available_cpus, 'CPU')}" for machine in session.machines]
    gpus = [machine.gpus for machine in session.machines if on_gpu and machine.gpus]
    when = " to ".join(dict.fromkeys((days[0], days[-1])))
    return [f"{numbers.count(len(states), 'cell')}: {numbers.listed(counts)}", when, *cpus, *gpus]


def file_pages(runs: pd.DataFrame) -> str:
    """How much of the processes' memory were pages of files, from the least to the most; empty where nobody knows."""
    known = runs["process_file_bytes"].dropna().astype(float)
    ends = [numbers.figure("_bytes", known.min()), numbers.figure("_bytes", known.max())] if len(known) else []
    return f", {' to '.join(dict.fromkeys(ends))} here" if ends else ""


def sized(session: Session) -> str:
    """How the number of blocks came about, where it was not given."""
    size, blocks = session.size, int(session.frames["runs"]["block"].max())
    if size is None or size.blocks != blocks:
        return ""
    return (
        f"A pilot of {numbers.count(size.pilot, 'block')} decided that {size.asked} "
        f"{numbers.count(blocks, 'block')}; the number was fixed before the rest was measured."
    )


def environment() -> jinja2.Environment:
    """The templates: everything is escaped, and a name that does not exist is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True,
    )  # fmt: skip
    made.filters["prose"] = in_prose
    made.tests["absent"] = lambda value: not value or isinstance(value, numbers.Absent)
    made.tests["reason"] = lambda value: isinstance(value, numbers.Reason)
    made.filters["unbroken"] = numbers.unbroken
    made.filters["md"] = lambda text: display_tables.in_markdown(str(text))
    return made


def in_prose(text: str) -> Markup:
    """Text for a page whose names, such as ``mlp-128-64``, are not broken at their hyphens."""
    return Markup(re.sub(r"\w+(?:-\w+)+", r'<span class="name">\g<0></span>', html.escape(numbers.unbroken(text))))

"""Where an epoch's time goes: data feeding, forward and backward pass, optimiser, the rest."""

from bench.display.section import Block, Details, Section, note, shown
from bench.report.chapter import Chapter, Pictures
from bench.report.chapters.breakdown import charts, stages
from bench.report.results import Results
from bench.store import archive
from bench.store.records.breakdown import Breakdown


def section(results: Results, pictures: Pictures) -> Section | None:
    """The programs that were broken down, in sentences, as a picture, in figures; those of the leading groups first."""
    frame, open_, folded = results.frames["breakdown"], [], []
    for group in results.groups:
        sheet = stages.sheet(frame, group)
        if not sheet.rows and not sheet.note:
            continue
        figures = Details("how that was measured, and in figures", [note(stages.METHOD), *shown(sheet)])
        body: list[Block] = [*stages.sentences(frame, group), *pictures[group.key]]
        body.append(figures if sheet.rows else note(sheet.note))
        if group in results.leading:
            open_ += body
        else:
            folded.append(Details(group.title, body))
    return Section("Where the time goes", [*open_, *folded], "breakdown") if open_ or folded else None


CHAPTER = Chapter(
    tables={"breakdown": stages.BREAKDOWN},
    frames=lambda results: {"breakdown": stages.breakdown(archive.records(results.directory, Breakdown), results.runs)},
    kinds={"breakdown": "tables/breakdown.csv"},
    charts=lambda results, group: [charts.chart(results.frames["breakdown"], group)],
    section=section,
)

"""Where an epoch's time goes: data feeding, forward and backward pass, optimiser, the rest."""

from collections.abc import Iterator

from bench.display.section import Block, Details, Section, Shown, note
from bench.report.chapter import Chapter, Pictures
from bench.report.chapters.breakdown import charts, stages
from bench.report.results import Results
from bench.store import archive
from bench.store.records.breakdown import Breakdown


def of_claims(results: Results, pictures: Pictures) -> Iterator[Block]:
    """The programs that were broken down, in sentences, as a picture, in figures."""
    frame, anchor = results.frames["breakdown"], "breakdown"
    for group in results.groups:
        sheet = stages.sheet(frame, group)
        if not sheet.rows and not sheet.note:
            continue
        figures = Details("the stages in figures", [Shown(sheet)]) if sheet.rows else note(sheet.note)
        body = [*stages.sentences(frame, group), *pictures[group.key], note(stages.METHOD), figures]
        yield Section(f"Where the time goes: {group.title}", body, anchor)
        anchor = ""


CHAPTER = Chapter(
    tables={"breakdown": stages.BREAKDOWN},
    frames=lambda results: {"breakdown": stages.breakdown(archive.records(results.directory, Breakdown), results.runs)},
    kinds={"breakdown": "tables/breakdown.csv"},
    charts=lambda results, group: [charts.chart(results.frames["breakdown"], group)],
    parts={"claims": of_claims},
)

"""Digit by digit: what the test images were taken for, by the stored predictions."""

from collections.abc import Iterator

import pandas as pd

from bench.display.charts import Chart
from bench.display.section import Block, Details, Forms, Section, Shown, shown
from bench.report.chapter import Chapter, Pictures
from bench.report.chapters.digits import charts, frames, tables
from bench.report.groups import Group
from bench.report.results import Results

RECOGNISED = "mean over processes: the share of a digit’s test images that was recognised, and their number"
SUMMARY = "how many images of each digit were recognised, by the stored predictions"
MISTAKEN = "mean number of test images over processes"
DISAGREE = "images on which two implementations disagree, mean over blocks and range"


def derived(results: Results) -> dict[str, pd.DataFrame]:
    """What was recognised, what was taken for what, where two disagree."""
    made = {"digits": frames.by_digit, "confusion": frames.confusion, "disagreements": frames.disagreements}
    return {name: make(results.shown, results.test) for name, make in made.items()}


def drawn(results: Results, group: Group) -> Iterator[Chart | None]:
    """Images of digits, of the groups that the page opens with."""
    if group in results.leading:
        shown_here = [result for result in results.shown if result.cell.place == group.configuration]
        processes = frames.by_implementation(shown_here, results.test)
        yield from charts.of_group(group.title, group.key, processes, results.test)


def of_evidence(results: Results, pictures: Pictures) -> Iterator[Block]:
    """The digits of every group; open for those that the page opens with."""
    for group in results.groups:
        counts = shown(tables.by_digit(results.frames["digits"], group), RECOGNISED)
        pairs = shown(tables.disagreements(results.frames["disagreements"], group), DISAGREE)
        mistakes = [
            Details(f"what each digit was taken for: {sheet.title}", [Shown(sheet, MISTAKEN, sorts=False)])
            for sheet in tables.confusion(results.frames["confusion"], group)
        ]
        if counts:
            body = [*counts, *pairs, *pictures[group.key], Forms(html=mistakes)]
            yield Section(f"Digit by digit: {group.title}", [Details(SUMMARY, body, open=group in results.leading)])


CHAPTER = Chapter(
    tables={"digits": frames.BY_DIGIT, "confusion": frames.CONFUSION, "disagreements": frames.DISAGREEMENTS},
    frames=derived,
    kinds={"first": "cells/", "mistaken": "tables/confusion.csv", "apart": "tables/disagreements.csv"},
    charts=drawn,
    parts={"evidence": of_evidence},
)

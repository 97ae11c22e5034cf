"""Digit by digit: what the test images were taken for, by the stored predictions."""

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from bench.display import numbers
from bench.display.charts import Chart
from bench.display.section import Block, Details, Forms, Section, Shown, shown
from bench.report.chapter import Chapter, Pictures
from bench.report.chapters.digits import charts, tables
from bench.report.chapters.digits.frames import BY_DIGIT, CONFUSION, DISAGREEMENTS, by_digit, by_place, confusion
from bench.report.chapters.digits.frames import disagreements as disagreeing
from bench.report.groups import Group
from bench.report.results import Results

RECOGNISED = "mean over processes: the share of a digit’s test images that was recognised, and their number"
SUMMARY = "how many images of each digit were recognised, by the stored predictions"
DISAGREE = "images on which two implementations disagree, mean over blocks and range"


def counted(results: Results) -> dict[str, pd.DataFrame]:
    """What was recognised, what was taken for what, where two disagree."""
    made = {"digits": by_digit, "confusion": confusion, "disagreements": disagreeing}
    return {name: make(results.shown, results.test) for name, make in made.items()}


def drawn(results: Results, group: Group) -> Iterator[Chart | None]:
    """Images of digits, of the groups that the page opens with."""
    if group in results.leading:
        found = [(place, own) for place, own in by_place(results.shown, results.test) if place[:3] == group.place_key]
        yield from charts.of_group(group.title, group.key, found, results.test)


def of_evidence(results: Results, pictures: Pictures) -> Iterator[Block]:
    """The digits of every group; open for those that the page opens with."""
    for group in results.groups:
        counts = shown(tables.by_digit(results.frames["digits"], group), RECOGNISED)
        pairs = shown(tables.disagreements(results.frames["disagreements"], group), DISAGREE)
        diverged = diverged_of(results, group)
        body = [*diverged, *counts, *pairs, *pictures[group.key], Forms(html=list(taken_for(results, group)))]
        if counts or diverged:
            yield Section(f"Digit by digit: {group.title}", [Details(SUMMARY, body, open=group in results.leading)])


def diverged_of(results: Results, group: Group) -> list[Block]:
    """One line about the processes whose logits were no finite numbers at the end, where there are any."""
    names = Counter(
        group.named(result.cell.implementation)
        for result in results.shown
        if result.cell.place == group.place_key and result.cell.role == "measured"
        if result.epochs and not result.predicted and result.epochs[-1].test_loss is None
    )
    listed = numbers.listed([f"{name} ({numbers.count(often, 'process', 'es')})" for name, often in names.items()])
    return [f"The last logits are no finite numbers, so there are no digits: {listed}."] if names else []


def taken_for(results: Results, group: Group) -> Iterator[Block]:
    """Each implementation's mistakes, as counts."""
    for sheet in tables.confusion(results.frames["confusion"], group):
        table = Shown(sheet, "mean number of test images over processes", sorts=False)
        yield Details(f"what each digit was taken for: {sheet.title}", [table])


CHAPTER = Chapter(
    tables={"digits": BY_DIGIT, "confusion": CONFUSION, "disagreements": DISAGREEMENTS},
    frames=counted,
    kinds={"first": "cells/", "mistaken": "tables/confusion.csv", "apart": "tables/disagreements.csv"},
    charts=drawn,
    parts={"evidence": of_evidence},
)

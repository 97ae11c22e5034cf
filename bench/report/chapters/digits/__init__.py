"""Digit by digit: what the test images were taken for, by the stored predictions, as tables and on the page."""

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from bench.display import numbers
from bench.display.charts import Chart
from bench.display.section import Block, Details, Forms, Section, Shown, shown
from bench.display.tables import Sheet
from bench.report.chapter import Chapter, Pictures
from bench.report.chapters.digits import charts, frames
from bench.report.chapters.digits.frames import DIGITS
from bench.report.groups import Group
from bench.report.results import Results

RECOGNISED = "mean over processes: the share of a digit’s test images that was recognised, and their number"
SUMMARY = "how many images of each digit were recognised, by the stored predictions"
MISTAKEN = "mean number of test images over processes"
DISAGREE = "images on which two implementations disagree, mean over blocks and range"


def by_digit(frame: pd.DataFrame, group: Group) -> Sheet:
    """Document 1's table: digit, number correct, accuracy; a column for each implementation."""
    rows, digits = [], group.part(frame)
    names = list(dict.fromkeys(digits["implementation"]))
    for digit, counts in digits[digits["images"] > 0].groupby("digit") if names else ():
        of_each = counts.set_index("implementation").loc[names]
        figures = [f"{numbers.figure('accuracy', row['accuracy'])}\n{row['correct']:,.1f} correct"
                   for _, row in of_each.iterrows()]  # fmt: skip
        rows.append((str(digit), f"{of_each['images'].max():,}", *figures))
    return Sheet("", ("digit", "test images", *map(group.named, names)), tuple(rows))


def confusion(frame: pd.DataFrame, group: Group) -> list[Sheet]:
    """For each implementation: a row per digit, a column per digit that it was taken for; means over processes."""
    columns, sheets = ("digit", *(f"as {digit}" for digit in DIGITS)), []
    for name, confused in group.part(frame).groupby("implementation", sort=False):
        counts = confused.pivot_table(index="digit", columns="taken_for", values="images")
        counts = counts.reindex(index=list(DIGITS), columns=list(DIGITS)).fillna(0.0)
        rows = [(str(digit), *map(images, row)) for digit, row in zip(DIGITS, counts.to_numpy(), strict=True)]
        sheets.append(Sheet(group.named(str(name)), columns, tuple(rows)))
    return sheets


def images(mean: float) -> str:
    """A mean number of images: ``7.3``, ``1,012``; a dot for none."""
    if not mean:
        return numbers.Absent("·")
    return f"{mean:,.1f}" if mean < 9.95 else f"{mean:,.0f}"


def disagreements(frame: pd.DataFrame, group: Group) -> Sheet:
    """On how many images two implementations of a tier disagree, and which of them is right: means over blocks."""
    rows = []
    for (a, b), pair in group.part(frame).groupby(["a", "b"], sort=False):
        mean, *right = (f"{value:,.1f}" for value in pair[["images", "only_a", "only_b", "neither"]].mean())
        ends = f"{pair['images'].min():,}–{pair['images'].max():,}" if len(pair) > 1 else "one block"
        rows.append((group.named(str(a)), group.named(str(b)), f"{mean}\n{ends}", *right))
    columns = ("first", "second", "images on which they disagree", "first is right", "second is right", "neither")
    return Sheet("", columns, tuple(rows), texts=2)


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
        counts = shown(by_digit(results.frames["digits"], group), RECOGNISED)
        pairs = shown(disagreements(results.frames["disagreements"], group), DISAGREE)
        mistakes = [
            Details(f"what each digit was taken for: {sheet.title}", [Shown(sheet, MISTAKEN, sorts=False)])
            for sheet in confusion(results.frames["confusion"], group)
        ]
        diverged = diverged_of(results, group)
        if counts or diverged:
            own = [picture for picture in pictures[group.key] if not picture.chart.name.startswith(f"{charts.APART}.")]
            body = [*diverged, *counts, *pairs, *own, Forms(html=mistakes)]
            yield Section(f"Digit by digit: {group.title}", [Details(SUMMARY, body, open=group in results.leading)])


def diverged_of(results: Results, group: Group) -> list[Block]:
    """One line about the processes whose logits were no finite numbers at the end, where there are any."""
    names = Counter(
        group.named(result.cell.implementation)
        for result in results.shown
        if result.cell.place == group.configuration and result.cell.role == "measured"
        if result.epochs and not result.predicted and result.epochs[-1].test_loss is None
    )
    listed = numbers.listed([f"{name} ({numbers.count(often, 'process', 'es')})" for name, often in names.items()])
    return [f"The last logits are no finite numbers, so there are no digits: {listed}."] if names else []


def section(results: Results, pictures: Pictures) -> Section | None:
    """The images on which the networks disagree, those of the first pair open."""
    apart: list[Block] = [
        picture
        for group in results.leading
        for picture in pictures[group.key]
        if picture.chart.name.startswith(f"{charts.APART}.")
    ]
    if len(apart) > 1:
        apart[1:] = [Details(numbers.count(len(apart) - 1, "other pair"), apart[1:])]
    return Section("Where they disagree", apart, "apart") if apart else None


CHAPTER = Chapter(
    tables={"digits": frames.BY_DIGIT, "confusion": frames.CONFUSION, "disagreements": frames.DISAGREEMENTS},
    frames=derived,
    kinds={"first": "cells/", "mistaken": "tables/confusion.csv", "apart": "tables/disagreements.csv"},
    charts=drawn,
    parts={"evidence": of_evidence},
    section=section,
)

"""Digit by digit, as tables for people."""

import pandas as pd

from bench.display import numbers
from bench.display.tables import Sheet
from bench.report.chapters.digits.frames import DIGITS
from bench.report.groups import Group


def by_digit(frame: pd.DataFrame, group: Group) -> Sheet:
    """Document 1's table: digit, number correct, accuracy; a column for each implementation."""
    rows, digits = [], group.part(frame)
    names = list(dict.fromkeys(digits["implementation"]))
    for digit, counts in digits[digits["images"] > 0].groupby("digit") if names else ():
        of_each = counts.set_index("implementation").loc[names]
        shown = [f"{numbers.figure('accuracy', row['accuracy'])}\n{row['correct']:,.1f} correct"
                 for _, row in of_each.iterrows()]  # fmt: skip
        rows.append((str(digit), f"{of_each['images'].max():,}", *shown))
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

"""Digit by digit, as tables for people."""

import pandas as pd

from bench.display import numbers
from bench.display.tables import Sheet
from bench.report.chapters.digits.frames import DIGITS
from bench.report.groups import Group, part


def by_digit(frame: pd.DataFrame, group: Group) -> Sheet:
    """Document 1's table: digit, number correct, accuracy; a column for each implementation."""
    own = part(frame, *group.place_key)
    names = list(dict.fromkeys(own["implementation"]))
    cells = own.set_index(["digit", "implementation"])
    rows = []
    for digit in DIGITS:
        images = int(own.loc[own["digit"] == digit, "images"].max()) if len(own) else 0
        figures = [cells.loc[(digit, name)] for name in names]
        if images:
            shown = [f"{numbers.figure('accuracy', row['accuracy'])}\n{row['correct']:,.1f} correct" for row in figures]
            rows.append((str(digit), f"{images:,}", *shown))
    return Sheet("", ("digit", "test images", *(group.named(name) for name in names)), tuple(rows) if names else ())


def confusion(frame: pd.DataFrame, group: Group) -> list[Sheet]:
    """Of each implementation: rows are digits, columns what they were taken for, as the mean over processes."""
    own = part(frame, *group.place_key)
    sheets = []
    for name in dict.fromkeys(own["implementation"]):
        counts = own[own["implementation"] == name].pivot_table(index="digit", columns="taken_for", values="images")
        counts = counts.reindex(index=list(DIGITS), columns=list(DIGITS)).fillna(0.0)
        rows = [(str(digit), *map(images, row)) for digit, row in zip(DIGITS, counts.to_numpy(), strict=True)]
        sheets.append(Sheet(group.named(name), ("digit", *(f"as {digit}" for digit in DIGITS)), tuple(rows)))
    return sheets


def images(mean: float) -> str:
    """A mean number of images: ``7.3``, ``1,012``; a dot for none."""
    if not mean:
        return numbers.Absent("·")
    return f"{mean:,.1f}" if mean < 9.95 else f"{mean:,.0f}"


def disagreements(frame: pd.DataFrame, group: Group) -> Sheet:
    """On how many images two implementations of a tier disagree, and which of them is right: means over blocks."""
    rows = []
    for (a, b), pair in part(frame, *group.place_key).groupby(["a", "b"], sort=False):
        means = pair[["images", "only_a", "only_b", "neither"]].mean()
        ends = f"{pair['images'].min():,}–{pair['images'].max():,}" if len(pair) > 1 else "one block"
        rows.append((
            group.named(str(a)), group.named(str(b)), f"{means['images']:,.1f}\n{ends}", f"{means['only_a']:,.1f}",
            f"{means['only_b']:,.1f}", f"{means['neither']:,.1f}",
        ))  # fmt: skip
    columns = ("first", "second", "images on which they disagree", "first is right", "second is right", "neither")
    return Sheet("", columns, tuple(rows), texts=2)

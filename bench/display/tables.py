"""A table as the page, the terminal and Markdown show it."""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from bench.display.text import clean


@dataclass(frozen=True)
class Sheet:
    """A table of strings. The first ``texts`` columns are words, the others figures; a cell may have a second line.

    Where it is ``grouped``, rows with the same first column belong together and the column is their heading. ``links``
    are where the rows lead within the page, empty for those that lead nowhere.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1
    note: str = ""
    grouped: bool = False
    links: tuple[str, ...] = ()


def in_markdown(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    escaped = re.sub(r"([\\`*_\[\]|])", r"\\\1", html.escape(clean(text), quote=False))
    return "<br>".join(escaped.splitlines())


def markdown(sheet: Sheet) -> str:
    """A sheet as a Markdown table, figures to the right."""
    return in_lines(sheet.columns, sheet.rows, sheet.texts)


def csv(frame: pd.DataFrame) -> str:
    """A frame as CSV, the same on every system. Its texts are clean and start no formula in a spreadsheet."""
    texts = {
        name: pd.Series(each_in_csv(column), frame.index, object)
        for name, column in frame.items()
        if not pd.api.types.is_numeric_dtype(column)
    }
    return frame.assign(**texts).to_csv(index=False, lineterminator="\n")  # type: ignore[arg-type]


def each_in_csv(column: Iterable[object]) -> list[object]:
    """The values of a column, its texts as :func:`in_csv` has them; what stands in many rows is looked at once."""
    values = list(column)
    texts = {value: in_csv(value) for value in {value for value in values if isinstance(value, str)}}
    return [texts[value] if isinstance(value, str) else value for value in values]


def in_csv(text: str) -> str:
    """Clean text; an apostrophe stands before what a spreadsheet would compute: ``=...``, ``@...``, ``-...``, ``+...``.

    A number may begin with its sign.
    """
    text = clean(text)
    first = text.lstrip()[:1]
    return f"'{text}" if first in ("=", "@") or (first in ("+", "-") and not is_number(text)) else text


def is_number(text: str) -> bool:
    """Whether it can be read as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def in_lines(columns: Sequence[str], rows: Iterable[Sequence[str]], texts: int) -> str:
    """A Markdown table; the columns after the first ``texts`` are figures, which stand at the right."""
    lines = [columns, ["---" if i < texts else "---:" for i in range(len(columns))]]
    lines += [list(map(in_markdown, row)) for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)

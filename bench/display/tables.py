"""A table as the page, the terminal and Markdown show it."""

import html
import re
from dataclasses import dataclass

from markupsafe import Markup


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


def in_markdown(text: str) -> Markup:
    """Text that Markdown shows as it is, on one line."""
    escaped = re.sub(r"([\\`*_\[\]|])", r"\\\1", html.escape(text, quote=False))
    return Markup("<br>".join(escaped.splitlines()))


def markdown(sheet: Sheet) -> str:
    """A sheet as a Markdown table, figures to the right."""
    lines = [sheet.columns, tuple("---" if i < sheet.texts else "---:" for i in range(len(sheet.columns)))]
    lines += [tuple(map(in_markdown, row)) for row in sheet.rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)

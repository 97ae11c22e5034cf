"""Sentences and tables as plain text that any terminal can show."""

import io
import textwrap
from collections.abc import Callable, Sequence

from rich.box import Box
from rich.console import Console
from rich.table import Table

from bench.display import numbers
from bench.display.tables import Sheet
from bench.display.text import clean

WIDTH = 100
"""Columns of the terminal that the final table is made for."""
RULE = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)
PLAIN = str.maketrans({"–": "-", "\N{NO-BREAK SPACE}": " "})
"""Any terminal can show what is left."""


def shown(out: io.StringIO) -> str:
    """What was gathered, in letters that any terminal has."""
    return "\n".join(line.rstrip() for line in clean(out.getvalue()).translate(PLAIN).splitlines())


def wrapped(line: str, first: str = "", others: str = "") -> str:
    """A paragraph, broken into lines."""
    return "\n".join(textwrap.wrap(numbers.unbroken(line), WIDTH, initial_indent=first, subsequent_indent=others))


def show(say: Callable[[object], None], sheet: Sheet, start: str = "") -> None:
    """One table in the terminal, its note beneath. What the first column repeats becomes a heading above its rows."""
    say(f"\n{start}{sheet.title}")
    columns = ("", *sheet.columns[2:]) if sheet.grouped else sheet.columns
    table = Table(box=RULE, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i < sheet.texts - sheet.grouped else "right")
    above = ""
    for row in sheet.rows:
        if sheet.grouped and row[0] != above:
            table.add_row(row[0])
        table.add_row(*((f"  {row[1]}", *row[2:]) if sheet.grouped else row))
        above = row[0]
    if sheet.rows:
        say(table)
    if sheet.note:
        say(wrapped(sheet.note))


def page(lines: Sequence[str], made: Sequence[Sheet]) -> str:
    """Sentences, then tables: no line of a sentence over 100 columns."""
    out, say = plain()
    for line in lines:
        say(wrapped(line))
    for sheet in made:
        show(say, sheet)
    return shown(out)


def plain() -> tuple[io.StringIO, Callable[[object], None]]:
    """Where text is gathered, and how it is written there."""
    out = io.StringIO()
    console = Console(
        file=out, width=WIDTH, color_system=None, force_terminal=False, legacy_windows=False, markup=False,
        emoji=False, highlight=False,
    )  # fmt: skip
    return out, console.print

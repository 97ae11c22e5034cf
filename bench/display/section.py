"""A page as a tree: headings, sentences, tables, charts and what is folded away, whatever the form it is written in.

:mod:`bench.display.html` and :mod:`bench.display.markdown` write it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bench.display import numbers
from bench.display.charts import Chart
from bench.display.tables import Sheet


class Marked(str):
    """Our own words, with `code` and [links](file) marked as in Markdown; all other text is shown as it stands."""

    __slots__ = ()


@dataclass(frozen=True)
class Text:
    """Words that are no usual paragraph: the one that nobody must miss, small print, a program."""

    words: str
    style: Literal["lead", "lead warning", "note", "code"]


@dataclass(frozen=True)
class Shown:
    """A table with its caption. ``sorts``: whether a click on a heading may change the order of the rows."""

    sheet: Sheet
    caption: str = ""
    sorts: bool = True


@dataclass(frozen=True)
class Picture:
    """A chart, the file that has its figures, and what a page carries of it: nothing where it links to the file."""

    chart: Chart
    data: str
    inline: str = ""


@dataclass(frozen=True)
class Details:
    """What is folded away under a line of text, unless it is ``open``."""

    summary: str
    body: Sequence["Block"]
    open: bool = False


@dataclass(frozen=True)
class Box:
    """Some of a page that its style sheet treats as one thing."""

    style: str
    body: Sequence["Block"]


@dataclass(frozen=True)
class Definitions:
    """Terms, each with its explanation."""

    items: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Failure:
    """Something that ended without a result: how, what it was, why, and the end of its log."""

    status: str
    what: str
    reason: str
    log: str = ""

    @property
    def line(self) -> str:
        """All of it on one line, without the log."""
        return f"{self.status}: {self.what}: {numbers.shorten(self.reason, 240)}"


@dataclass(frozen=True)
class Failures:
    """A list of those; plain strings are lines of their own."""

    items: Sequence[Failure | str]


@dataclass(frozen=True)
class Forms:
    """What only one of the two forms has: blocks, or HTML that is made already."""

    html: Sequence["Block"] | str = ()
    markdown: Sequence["Block"] = ()


@dataclass(frozen=True)
class Section:
    """A heading with what stands beneath it; without a title only that.

    ``anchor`` is where links lead, ``label`` its name in the table of contents, where that is shorter; ``files`` are
    the scripts and style sheets of ``templates/`` that it needs. One of the page that is ``folded`` shows its heading
    alone until it is asked for.
    """

    title: str
    body: Sequence["Block"]
    anchor: str = ""
    label: str = ""
    files: Sequence[str] = ()
    folded: bool = False


Block: TypeAlias = str | Text | Shown | Picture | Details | Box | Definitions | Failures | Forms | Section
"""What a section consists of; a string is a paragraph."""


def note(words: str) -> Text:
    """Small print."""
    return Text(words, "note")


def shown(sheet: Sheet, caption: str = "") -> list[Block]:
    """A table, where it has rows."""
    return [Shown(sheet, caption)] if sheet.rows else []

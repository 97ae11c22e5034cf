"""The table that ends a run in the terminal, and the page that follows it."""

import io
from collections.abc import Callable, Sequence

from rich.console import Console

from bench.display import terminal
from bench.display.tables import Sheet
from bench.report.chapters import cells
from bench.report.chapters.claims import tables as claims_tables
from bench.report.chapters.comparison import answer, tables
from bench.report.results import Results


def text(results: Results) -> str:
    """The answer, the figures, the claims beside them, the control, and what is missing: no line over 100 columns."""
    out, say = plain()
    for sentence in answer.opening(results.groups):
        say(terminal.wrapped(sentence))
    for group in results.groups:
        if len(group.summary):
            terminal.show(say, tables.summary(results, group, wide=False))
            for line in tables.control(group):
                say(terminal.wrapped(line))
    for sheet in claims_tables.table_4(results.frames["table_4"], results.groups[0], wide=False):
        terminal.show(say, sheet, "Document 1's claims and what was measured: ")
    say(terminal.wrapped(cells.disturbance(results.runs)))
    lost = [item.line for item in cells.failures(results.everything)] + cells.failed_gates(results.gates)
    if lost:
        say("\nNot measured")
    for line in lost:
        say(terminal.wrapped(line, "  ", "    "))
    return terminal.shown(out)


def page(lines: Sequence[str], made: Sequence[Sheet]) -> str:
    """Sentences, then tables: no line of a sentence over 100 columns."""
    out, say = plain()
    for line in lines:
        say(terminal.wrapped(line))
    for sheet in made:
        terminal.show(say, sheet)
    return terminal.shown(out)


def plain() -> tuple[io.StringIO, Callable[[object], None]]:
    """Where text is gathered, and how it is written there."""
    out = io.StringIO()
    console = Console(
        file=out, width=terminal.WIDTH, color_system=None, force_terminal=False, legacy_windows=False, markup=False,
        emoji=False, highlight=False,
    )  # fmt: skip
    return out, console.print

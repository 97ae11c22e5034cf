"""The table that ends a run in the terminal, and the page that follows it."""

from bench.display import terminal
from bench.report.chapters import cells
from bench.report.chapters.claims import tables as claims_tables
from bench.report.chapters.comparison import answer, tables
from bench.report.results import Results


def opening(results: Results) -> str:
    """The answer in sentences."""
    return "\n".join(terminal.wrapped(sentence) for sentence in answer.opening(results))


def text(results: Results) -> str:
    """The answer, the figures, the claims beside them, the control, and what is missing: no line over 100 columns."""
    out, say = terminal.plain()
    say(opening(results))
    for group in results.groups:
        if len(group.summary):
            terminal.show(say, tables.summary(results, group, wide=False))
            for line in tables.control(group):
                say(terminal.wrapped(line))
    for sheet in claims_tables.table_4(results.frames["table_4"], results.groups[0], wide=False):
        terminal.show(say, sheet, "What the tutorial claims, and what was measured: ")
    for words in (cells.disturbance(results.runs), cells.restless(results), cells.waiting(results)):
        if words:
            say(terminal.wrapped(words))
    lost = [item.line for item in cells.failures(results.cells)] + cells.withheld(results)
    if lost:
        say("\nNot measured")
    for line in lost:
        say(terminal.wrapped(line, "  ", "    "))
    return terminal.shown(out)

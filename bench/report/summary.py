"""What a run ends with in the terminal, and what can be pasted elsewhere: a card and a few lines of Markdown."""

from functools import partial

from bench.display import charts, markdown, terminal
from bench.display.tables import markdown as table_of
from bench.report.chapters import cells
from bench.report.chapters.claims import tables as claims_tables
from bench.report.chapters.comparison import answer, bars, tables
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


def headlines(results: Results) -> list[str]:
    """The answer in a line for each question: the last lines of a run."""
    return [terminal.wrapped(line) for line in answer.headlines(results)]


def card(results: Results) -> dict[str, bytes]:
    """The chart of the answer with machine, day and versions beneath it, and ``summary.md``; nothing without times."""
    drawn, group = bars.bars(results.leading[0]), results.leading[0]
    if not drawn:
        return {}
    title, below = bars.title_of(group), about(results)
    picture = charts.draw("summary", title, bars.in_words(title, drawn), lambda title: bars.figure(drawn, title, below))
    png = charts.png(partial(bars.figure, drawn, title, below))
    assert picture is not None
    parts = [
        f"## {markdown.text(answer.finding(group))}", "![" + markdown.text(title) + "](charts/summary.svg)",
        *map(markdown.text, answer.headlines(results)), table_of(tables.summary(results, group, wide=False)).rstrip(),
        *map(markdown.text, below),
    ]  # fmt: skip
    files = {"summary.md": ("\n\n".join(parts) + "\n").encode(), "charts/summary.svg": picture.svg.encode()}
    return files | {"charts/summary.png": png}


def about(results: Results) -> list[str]:
    """Where and when that was measured, and with which versions."""
    machines = "; ".join(dict.fromkeys(f"{one.cpu}, {one.available_cpus} CPUs" for one in results.machines))
    versions = {name: version for result in results.trained for name, version in result.versions.items()}
    shown = ", ".join(f"{name} {version}" for name, version in versions.items())
    return [f"fcnbench, {min(result.started[:10] for result in results.trained)}, {machines}", shown]

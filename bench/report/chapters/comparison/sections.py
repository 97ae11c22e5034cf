"""What the comparison adds to the page: the answer that it opens with, and all pairs."""

from collections.abc import Iterator

from bench.display import numbers
from bench.display.section import Block, Box, Details, Picture, Section, Shown, Text, note, shown
from bench.report.chapter import Pictures
from bench.report.chapters import cells
from bench.report.chapters.comparison import answer, tables
from bench.report.groups import Group
from bench.report.results import Results

HOW = (
    "Every pair, by the ratio of their times per steady epoch, block by block. Which pairs are asked about is fixed "
    "beforehand: the frameworks within each tier, and a plugin beside the reference. Of those a difference is called "
    "one only where the 95 % interval excludes 1, also once all these questions are counted, and the ratio is beyond "
    "what the machine shows between a program and itself. Any other pair is exploratory: it has an interval and no "
    "verdict."
)
NOTHING = "Nothing to compare: fewer than two implementations have steady epochs here."


def answered(results: Results, pictures: Pictures) -> Iterator[Block]:
    """The answer in a line for each question; for each group that they are about its times and its summary."""
    nothing = not (results.runs["status"] == "ok").any()
    first, *others = answer.opening(results) if nothing else answer.headlines(results)
    lines: list[Block] = [Text(first, "lead" if results.frames["control"]["fit"].all() else "lead warning")]
    lines += [Text(line, "lead") for line in others]
    lines += [] if nothing else answer.caveats(results)
    shown_first = [picture for group in results.leading for picture in of_kind(pictures[group.key], "answer")]
    yield Box("opening", [Box("lines", lines), *shown_first])
    for group in results.leading:
        yield from summary(results, group, group.title)
    yield note(" ".join(filter(None, (line for group in results.leading for line in tables.control(group)))))
    yield from cells.noted(results)


def compared(results: Results, pictures: Pictures) -> Iterator[Block]:
    """All pairs of all groups."""
    yield HOW
    yield from answer.opening(results)
    for group in results.groups:
        yield Section(group.title, list(of_group(results, group, pictures)), group.key)


def of_group(results: Results, group: Group, pictures: Pictures) -> Iterator[Block]:
    """The pairs of a group; before them its answer and summary, unless the page has opened with them."""
    if group not in results.leading:
        yield from answer.answers(results, group)
        yield from summary(results, group)
    yield from of_kind(pictures[group.key], "ratios")
    within, across, beside = tables.pairs(group, True), tables.pairs(group, False), tables.beside_speed(group)
    yield from shown(within, "within a tier")
    if across.rows:
        title = f"{numbers.count(len(across.rows), 'pair')} across tiers"
        table = Shown(across, "across tiers, which differ in more than the framework")
        yield Details(title, [table], open=not within.rows)
    if beside.rows:
        yield Details("memory and accuracy of the same pairs", [Shown(beside)])
    if not within.rows and not across.rows:
        yield note(NOTHING)


def summary(results: Results, group: Group, caption: str = "") -> Iterator[Block]:
    """What was measured of each implementation, and what the control shows."""
    sheet = tables.summary(results, group, wide=True)
    if sheet.rows:
        yield Shown(sheet, caption)
        if group not in results.leading:
            yield from map(note, tables.control(group))


def evidence(results: Results, group: Group, pictures: list[Picture]) -> Iterator[Block]:
    """The times of all processes."""
    return iter(of_kind(pictures, "epoch-time"))


def of_kind(pictures: list[Picture], kind: str) -> list[Picture]:
    """The charts whose names begin with that."""
    return [picture for picture in pictures if picture.chart.name.startswith(f"{kind}.")]

"""What the claims add to the page: the scorecard, and the tutorial's tables one by one."""

from collections.abc import Iterator

from bench.display import numbers
from bench.display.section import Block, Details, Section, Shown, note, shown
from bench.report.chapter import Pictures
from bench.report.chapters.claims import properties, scorecard, tables
from bench.report.results import Results

HOW = (
    "Judged are the tutorials’ own programs. A claim is confirmed where the whole 95 % interval lies within it, and "
    "refuted where none of it does; “about” is read as within 10 % for times and memory, as what rounds to it for "
    "accuracies. Seconds on a machine that a tutorial does not name cannot be refuted on another one; ratios can."
)
TABLE_1 = (
    "Each statement of the tutorial’s table of properties, and what a small program found when it was put to the "
    "frameworks of today: a Python function in the network’s forward pass counts how often it runs, and stops at a "
    "breakpoint."
)
TABLE_4 = (
    "The tutorial gives these figures without hardware, versions or method, and has no GPU column. Beside each claim "
    "stands what was measured here: the mean over processes (geometric, of accuracies arithmetic) and, in brackets, "
    "the least and the greatest."
)


def of_claims(results: Results, pictures: Pictures) -> Iterator[Block]:
    """One row for each claim; those that nothing here tests apart."""
    frame = results.frames["claims"]
    sheet, untested = scorecard.scorecard(frame), tables.ledger(frame[~tables.is_tested(frame)])
    yield scorecard.summary(frame)
    yield from shown(sheet)
    yield note(HOW)
    if untested.rows:
        yield Details(f"{len(untested.rows)} not tested, and why", [Shown(untested)])


def of_detail(results: Results, pictures: Pictures) -> Iterator[Block]:
    """Each program beside what is claimed of it, and two of the tutorial's tables."""
    frame, table_1 = results.frames["claims"], results.frames["table_1"]
    tested = tables.ledger(frame[tables.is_tested(frame)])
    if tested.rows:
        yield Details(f"{numbers.count(len(tested.rows), 'comparison')} with a claim, one by one", [Shown(tested)])
    decided_by = Details("by what each statement is decided", [Shown(properties.rules(table_1))])
    yield Section("Properties (Table 1)", [TABLE_1, Shown(properties.properties_table(table_1)), decided_by], "table-1")
    sheets = tables.table_4(results.frames["table_4"], results.groups[0], wide=True)
    if sheets:
        yield Section("Performance (Table 4)", [TABLE_4, *(Shown(sheet, sheet.title) for sheet in sheets)], "table-4")

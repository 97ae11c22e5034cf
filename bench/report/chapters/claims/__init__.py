"""What the tutorials claim, and whether it holds."""

from collections.abc import Iterator

import pandas as pd

from bench.display import numbers
from bench.display.section import Block, Details, Section, Shown
from bench.report.chapter import Chapter, Pictures
from bench.report.chapters.claims import ledger, properties, rules, table_4, tables, verdicts
from bench.report.results import Results

OPEN = 40
"""A table with more claims than that is folded away at first."""
HOW = (
    "A claim holds where the whole 95 % interval lies within it, and does not where none of it does; “about” is read "
    "as within 10 % for times and memory, as what rounds to it for accuracies. Each name leads to the figures behind "
    "it."
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


def frames(results: Results) -> dict[str, pd.DataFrame]:
    """Document 1's Tables 1 and 4, and every claim beside what was measured."""
    table_1, machines = properties.table_1(rules.read(results.directory)), results.frames["machines"]
    decided = ledger.ledger(results.runs, results.epochs, results.trained, machines)
    measured = table_4.table_4(results.runs, machines)
    return {"table_1": table_1, "table_4": measured, "claims": ledger.joined(decided, table_1)}


def of_claims(results: Results, pictures: Pictures) -> Iterator[Block]:
    """All claims, those that nothing here decides apart; then the two tables."""
    frame, table_1 = results.frames["claims"], results.frames["table_1"]
    measured = tables.is_decided(frame)
    decided, undecided = tables.ledger(frame[measured]), tables.ledger(frame[~measured])
    yield f"{tables.summary(frame)} {HOW}"
    if decided.rows:
        number = len(decided.rows)
        yield Details(numbers.count(number, "comparison"), [Shown(decided)], open=number <= OPEN)
    if undecided.rows:
        yield Details(f"{len(undecided.rows)} not measured, and why", [Shown(undecided)])
    decided_by = Details("by what each statement is decided", [Shown(properties.rules(table_1))])
    yield Section("Document 1’s Table 1", [TABLE_1, Shown(properties.properties_table(table_1)), decided_by], "table-1")
    sheets = tables.table_4(results.frames["table_4"], results.groups[0], wide=True)
    if sheets:
        yield Section("Document 1’s Table 4", [TABLE_4, *(Shown(sheet, sheet.title) for sheet in sheets)], "table-4")


CHAPTER = Chapter(
    tables={"table_1": properties.TABLE_1, "table_4": table_4.TABLE_4, "claims": ledger.CLAIMS},
    frames=frames,
    words={"table_1": verdicts.in_words, "table_4": table_4.in_words, "claims": verdicts.in_words},
    parts={"claims": of_claims},
)

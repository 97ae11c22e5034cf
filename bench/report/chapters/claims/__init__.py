"""What the tutorials claim, and whether it holds."""

import pandas as pd

from bench.report.chapter import Chapter
from bench.report.chapters.claims import ledger, properties, rules, sections, table_4, verdicts
from bench.report.results import Results


def frames(results: Results) -> dict[str, pd.DataFrame]:
    """The first tutorial's Tables 1 and 4, and every claim beside what was measured."""
    table_1, machines = properties.table_1(rules.read(results.directory)), results.frames["machines"]
    decided = ledger.ledger(results.runs, results.epochs, results.trained, machines)
    measured = table_4.table_4(results.runs, machines)
    return {"table_1": table_1, "table_4": measured, "claims": ledger.joined(decided, table_1)}


CHAPTER = Chapter(
    tables={"table_1": properties.TABLE_1, "table_4": table_4.TABLE_4, "claims": ledger.CLAIMS},
    frames=frames,
    words={"table_1": verdicts.in_words, "table_4": table_4.in_words, "claims": verdicts.in_words},
    parts={"claims": sections.of_claims, "detail": sections.of_detail},
)

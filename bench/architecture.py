"""Document 1's Table 1, decided by what programs showed: one row for each statement, and the same as ledger lines."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from bench.checked import Export
from bench.ledger import documents
from bench.probed import Probe
from bench.sources import Program
from bench.statements import RULES, Evidence, Missing, Row

COLUMNS = [
    "document", "property", "framework", "claim", "says", "quantity", "value", "verdict", "found", "rule", "workload",
    "threads", "probed", "versions",
]  # fmt: skip
PROBE = "probe"
"""The tier of what was probed, in the ledger."""
NOT_MEASURED = "not measured: "


def table_1(probes: Sequence[Probe], programs: Mapping[str, Program], exports: Sequence[Export]) -> pd.DataFrame:
    """One row for each statement of the table: a figure, what was found in words, a verdict by the statement's rule."""
    evidence = Evidence({probe.framework: probe for probe in probes}, programs, exports)
    rows = []
    for claim in documents()["architecture"]:
        probe = evidence.probes.get(claim["framework"])
        row = {name: claim[name] for name in ("document", "property", "framework", "claim", "says", "rule")}
        if probe is not None and probe.versions:
            versions = ", ".join(f"{name} {version}" for name, version in probe.versions.items())
            row |= {"workload": probe.workload, "threads": probe.threads, "probed": probe.started[:10]}
            row |= {"versions": versions}
        try:
            found = RULES[claim["decided"]](claim, evidence)
            row |= {"quantity": found.quantity, "value": found.value, "verdict": found.verdict, "found": found.text}
        except Missing as why:
            row |= {"verdict": f"{NOT_MEASURED}{why}"}
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def joined(ledger: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """The ledger with the statements of the table after the other claims of their document."""
    every = pd.DataFrame([*ledger.to_dict("records"), *lines(frame)], columns=ledger.columns)
    return every.sort_values("document", kind="stable", ignore_index=True)


def lines(frame: pd.DataFrame) -> Iterator[Row]:
    """The rows of the table as lines of the ledger; ``rows`` selects the row of ``table_1.csv``."""
    for row in frame.to_dict("records"):
        yield {
            **{name: row[name] for name in ("document", "says", "workload", "threads", "quantity", "value", "verdict")},
            "device": "cpu", "tier": PROBE, "implementation": f"{PROBE}-{row['framework']}",
            "blocks": 0 if row["verdict"].startswith(NOT_MEASURED) else 1,
            "rows": f"property == {row['property']!r} and framework == {row['framework']!r} and "
            f"claim == {row['claim']!r}",
        }  # fmt: skip

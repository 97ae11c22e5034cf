"""Checks each statement of tutorial 1's Table 1 against what the probes counted: one row for each statement."""

from dataclasses import asdict

import pandas as pd

from bench.data import tutorials
from bench.display import naming, numbers
from bench.display.tables import Sheet
from bench.report.chapters.claims.rules import RULES, Evidence, Missing
from bench.report.chapters.claims.verdicts import cell, not_tested
from bench.report.columns import FRAMEWORK, Column, Table

TABLE_1 = Table("Document 1's table of properties: one row for each statement, decided by what small programs found.", (
    Column("document", "number", "the document that claims it"),
    Column("property", "", "computation graph, debugging, API or mobile deployment"),
    FRAMEWORK,
    Column("claim", "", "what the document says"),
    Column("says", "", "the claim, in our words"),
    Column("quantity", "", "what the figure is that decides it"),
    Column("value", "", "the figure, from stored counts and seconds"),
    Column("verdict", "", "confirmed, refuted, no verdict (a matter of taste), or not tested"),
    Column("reason", "", "why it was not tested"),
    Column("found", "", "what was found, in words"),
    Column("rule", "", "by what the verdict is found, in words"),
    Column("workload", "", "the network that was probed; empty where the framework was not"),
    Column("threads", "count", "CPU threads that the probe was given"),
    Column("probed", "", "the day"),
    Column("versions", "", "of what was probed"),
))  # fmt: skip


def table_1(evidence: Evidence) -> pd.DataFrame:
    """One row for each statement of the table: a figure, what was found in words, a verdict by the statement's rule."""
    rows = []
    for tutorial in tutorials.load():
        for statement in tutorial.statements:
            probe = evidence.probes.get(statement.framework)
            row = {"document": tutorial.number} | asdict(statement)
            if probe is not None and probe.versions:
                row |= {"workload": probe.workload, "threads": probe.threads, "probed": probe.started[:10]}
                row |= {"versions": ", ".join(f"{name} {version}" for name, version in probe.versions.items())}
            try:
                finding = RULES[statement.decided](statement, evidence)
                row |= {"quantity": finding.quantity, "value": finding.value, "found": finding.text}
                row |= asdict(finding.ruling)
            except Missing as why:
                row |= asdict(not_tested(str(why)))
            rows.append(row)
    return TABLE_1.frame(rows, "basis")


def properties_table(frame: pd.DataFrame) -> Sheet:
    """The tutorial's table of properties: what it says, whether that holds, and what was found."""
    rows = tuple(
        (row["property"], naming.LABELS[row["framework"]], row["claim"], cell(row),
         numbers.MISSING if numbers.missing(row["found"]) else row["found"])
        for _, row in frame.iterrows()
    )  # fmt: skip
    columns = ("property", "framework", "the tutorial says", "verdict", "found")
    return Sheet("", columns, rows, texts=len(columns), note=with_what(frame), grouped=True)


def with_what(frame: pd.DataFrame) -> str:
    """What was probed, when, with which versions and where; empty where nothing was."""
    sentences = []
    for _, row in frame.dropna(subset=["versions"]).drop_duplicates("framework").iterrows():
        configuration = naming.title(row["workload"], "cpu", int(row["threads"]))
        sentences.append(
            f"{naming.LABELS[row['framework']]} was probed on {row['probed']}: {row['versions']}; {configuration}."
        )
    return " ".join(sentences)


def rules(frame: pd.DataFrame) -> Sheet:
    """The rule for each statement of that table, in words."""
    rows = tuple((f"{naming.LABELS[row['framework']]}: {row['claim']}", row["rule"]) for _, row in frame.iterrows())
    return Sheet("", ("the tutorial says", "decided by"), rows, texts=2)

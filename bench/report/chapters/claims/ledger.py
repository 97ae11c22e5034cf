"""Every claim of the tutorials beside what was measured here."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from bench.data import mnist, tutorials
from bench.data.tutorials import AccuracyClaim, AnyClaim, ContrastClaim, FigureClaim, SpreadClaim
from bench.display import naming, numbers
from bench.report import columns
from bench.report.chapters.claims.decisions import ROWS_OF, Row, bounds, prepared
from bench.report.chapters.claims.table_4 import why_missing, without_gpu
from bench.report.chapters.claims.verdicts import OPEN, PROBE, Ruling, not_tested
from bench.report.columns import Column, Table
from bench.report.runs import measured
from bench.store.records.training import TrainingResult

CLAIMS = Table("One row for each claim of the documents and implementation that it is about; one for each claim that "
               "nothing decides.", (
    Column("document", "number", "the document that claims it"),
    Column("says", "", "the claim, in our words"),
    *columns.CONFIGURATION,
    Column("tier", "", "documented, matched, tuned, reference or plugin; probe for the statements of Table 1 "
           "(table_1.csv)"),
    columns.IMPLEMENTATION,
    Column("quantity", "", "what is claimed: a time, memory, an accuracy, a ratio or difference of two, or how much "
           "accuracies vary"),
    Column("claim_low", "", "from where on a value is as claimed, in the quantity's unit"),
    Column("claim_high", "", "up to where; as claim_low where a single figure is claimed"),
    Column("about", "relative", "how exact an 'about' is taken to be; of accuracies the points, in shares of 1"),
    Column("value", "", "mean over blocks; of times, memory and ratios the geometric mean"),
    Column("low", "", "lower end of its 95 % interval; empty where there is one block"),
    Column("high", "", "upper end"),
    columns.BLOCKS, columns.EPOCHS,
    Column("document_epochs", "count", "epochs for which the document trains"),
    Column("unit", "", "of value, low, high, claim_low and claim_high; empty for the statements of Table 1, where "
           "quantity says what was counted"),
    Column("verdict", "", "confirmed, refuted, undecided, other hardware (a time that this machine cannot refute), no "
           "verdict (a matter of taste), or not tested"),
    Column("reason", "", "why it was not tested or withheld"),
    Column("rows", "", "which rows of runs.csv decide it, as a query of pandas; of table_1.csv where tier is probe"),
))  # fmt: skip
TUTORIALS = "documented"
"""The tier that claims are about: the tutorials' own programs."""
MNIST = mnist.digest(mnist.PUBLISHED)


def ledger(
    frame: pd.DataFrame, epochs: pd.DataFrame, results: Sequence[TrainingResult], machines: pd.DataFrame
) -> pd.DataFrame:
    """One row for each claim and program that it is about, and one for each claim that nothing here can decide.

    Claims are about the tutorials' own programs: those of other tiers decide nothing.

    ``value`` is the mean over blocks, of times and memory the geometric one, with Student's 95 % interval; ``verdict``,
    ``basis`` and ``reason`` are a :class:`Ruling`. ``rows`` selects the rows of ``runs.csv`` that decide it, as a query
    of pandas.
    """
    workloads = {result.cell.workload.name: result.cell.workload for result in results}
    other_data = {result.cell.key for result in results if result.cell.data not in ("", MNIST)}
    frame = frame[frame["tier"] == TUTORIALS]
    runs = prepared(measured(frame[~frame["cell"].isin(other_data)]), epochs, workloads)
    no_gpu = without_gpu(machines)
    lines: list[Row] = []
    for tutorial in tutorials.load():
        for claim in tutorial.claims:
            rows = list(ROWS_OF[type(claim)](claim, runs))
            if not rows:
                why = not_tested("trained on other data than MNIST") if other_data else None
                rows = [unmeasured_claim(claim, why or why_unmeasured(claim, frame, no_gpu))]
            else:
                rows.sort(key=lambda row: naming.rank(row["implementation"], row["tier"]))
            lines += [{"document": tutorial.number, **row} for row in rows]
    return CLAIMS.frame(lines, "basis").assign(unit=lambda rows: rows["quantity"].map(unit_of))


def unit_of(quantity: str) -> str:
    """``s``, ``bytes``, ``0 to 1`` for accuracies and their differences, ``ratio``."""
    if "ratio" in quantity or "spread" in quantity:
        return "ratio"
    return "s" if quantity.endswith("_s") else "bytes" if quantity.endswith("_bytes") else "0 to 1"


def why_unmeasured(claim: AnyClaim, frame: pd.DataFrame, no_gpu: bool) -> Ruling:
    """Why nothing here decides a claim."""
    if isinstance(claim, AccuracyClaim):
        kind = "" if claim.networks == "all" else f"{claim.networks} "
        return not_tested(f"no {kind}network as a tutorial writes it was run")
    workloads = [claim.workload, claim.other] if isinstance(claim, SpreadClaim) else [claim.workload]
    missing = [name for name in workloads if name not in set(frame["workload"])]
    if missing:
        return not_tested(f"{numbers.listed(missing)} as the tutorial writes it was not run")
    rows = frame[frame["workload"].isin(workloads)]
    if not isinstance(claim, SpreadClaim):
        frameworks = [claim.framework, claim.other] if isinstance(claim, ContrastClaim) else [claim.framework]
        rows = rows[rows["framework"].isin(frameworks) & (rows["device"] == claim.device)]
    if not isinstance(claim, FigureClaim) and len(measured(rows)):
        return not_tested("needs both, in the same blocks and for several epochs")
    return why_missing(rows, "cpu" if isinstance(claim, SpreadClaim) else claim.device, "epoch_s", no_gpu)


def unmeasured_claim(claim: AnyClaim, why: Ruling) -> Row:
    """The line of a claim that nothing here decides."""
    about = asdict(claim)
    quantity = f"accuracy spread over {claim.over}" if isinstance(claim, SpreadClaim) else about.get("quantity")
    return {
        "says": claim.says, "workload": about.get("workload"), "device": about.get("device"),
        "quantity": quantity or "accuracy", **bounds(claim), "blocks": 0, **asdict(why),
    }  # fmt: skip


def joined(ledger: pd.DataFrame, table_1: pd.DataFrame) -> pd.DataFrame:
    """The ledger with the statements of Table 1 after the other claims of their document.

    Their ``rows`` select a row of ``table_1.csv``.
    """
    shared = ["document", "says", "workload", "threads", "quantity", "value", "verdict", "basis", "reason"]
    statements = [
        {name: row[name] for name in shared} | {
            "device": "cpu", "tier": PROBE, "implementation": f"{PROBE}-{row['framework']}",
            "blocks": 0 if row["verdict"] in OPEN else 1,
            "rows": " and ".join(f"{name} == {row[name]!r}" for name in ("property", "framework", "claim")),
        }
        for row in table_1.to_dict("records")
    ]  # fmt: skip
    every = pd.DataFrame([*ledger.to_dict("records"), *statements], columns=ledger.columns)
    return every.sort_values("document", kind="stable", ignore_index=True)

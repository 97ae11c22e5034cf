"""Did all do the same work? What the checks found, and how near programs with the same start are after an epoch."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from bench.display import naming
from bench.display.naming import as_role
from bench.display.tables import Sheet
from bench.report.columns import DEVICE, IMPLEMENTATION, WORKLOAD, Column, Table
from bench.report.runs import GROUP, IDENTITY, identity
from bench.store.records.training import TrainingResult
from bench.store.records.verification import Verification

GATE = Table("One row for each comparison of the equivalence gate.", (
    WORKLOAD, IMPLEMENTATION, DEVICE,
    Column("rung", "", "what was compared"),
    Column("figure", "relative", "how far it was off; empty where the answer is yes or no"),
    Column("limit", "relative", "how far it may be"),
    Column("passed", "", "whether it was"),
    Column("note", "", "what else there is to say"),
))  # fmt: skip


def gate(gates: Sequence[Verification]) -> Sheet:
    """What the equivalence gate found: the worst rung of each implementation, workload and device."""
    rows = []
    for gate in gates:
        compared = [(rung.figure / rung.limit, rung) for rung in gate.checks if rung.figure is not None and rung.limit]
        share, worst = max(compared, key=lambda found: found[0], default=(0.0, None))
        rows.append((
            gate.implementation, gate.workload, naming.device(gate.device), gate.status,
            gate.reason or (f"{worst.name}: {share:.0%} of the limit".replace("%", " %") if worst else ""),
            str(sum(rung.passed for rung in gate.checks)),
        ))  # fmt: skip
    columns = ("implementation", "network", "device", "same work?", "nearest to its limit", "rungs passed")
    return Sheet("", columns, tuple(rows), texts=5)


def checks_frame(gates: Sequence[Verification]) -> pd.DataFrame:
    """One row per rung of the equivalence gate that was climbed, and one for each gate that ended before any."""
    rows = []
    for gate in gates:
        head = {"workload": gate.workload, "implementation": gate.implementation, "device": gate.device}
        rows += [head | asdict(rung) | {"rung": rung.name} for rung in gate.checks]
        if gate.status == "skipped" or (gate.status == "failed" and all(rung.passed for rung in gate.checks)):
            rows.append(head | {"rung": "ended", "passed": False, "note": f"{gate.status}: {gate.reason}"})
    return GATE.frame(rows)


def agreement_table(results: Sequence[TrainingResult]) -> Sheet:
    """The mean loss of the first epoch beside that of the program with which the control is run."""
    rows = []
    for _, row in agreement(results).iterrows():
        again = as_role(str(row["role"]))
        rows.append((
            row["workload"], naming.place(row["device"], row["threads"]), f"{row['implementation']}{again}",
            f"{row['train_loss']:.4f}", f"{row['off'] * 100:.3f} %", str(row["blocks"]),
        ))  # fmt: skip
    columns = ("network", "place", "implementation", "mean loss of epoch 1", "farthest from the control's program")
    return Sheet("", (*columns, "blocks"), tuple(rows), texts=3)


def agreement(results: Sequence[TrainingResult]) -> pd.DataFrame:
    """How near programs that were given the same start and the same batches are after an epoch of the whole set.

    The gate trains on small samples. This is what shows a program that does other work on the full one: ``train_loss``
    is the median over blocks of the mean loss of its first epoch, ``off`` how far it is at most, block by block, from
    that of the program with which the control is run, as a share.
    """
    frame = pd.DataFrame(
        [
            identity(result) | {"train_loss": result.epochs[1].train_loss}
            for result in results
            if result.status == "ok" and result.switches.get("takes_order") and len(result.epochs) > 1
        ],
        columns=[*IDENTITY, "train_loss"],
    ).dropna(subset="train_loss")
    programs = frame.loc[frame["role"] == "control", [*GROUP, "implementation"]].drop_duplicates()
    base = frame[(frame["role"] == "measured") & (frame["train_loss"] != 0)].merge(programs)
    both = frame.merge(
        base[[*GROUP, "block", "implementation", "train_loss"]], on=[*GROUP, "block"], suffixes=("", "_base")
    )
    both = both[(both["implementation"] != both["implementation_base"]) | (both["role"] == "control")]
    both = both.assign(off=(both["train_loss"].astype(float) / both["train_loss_base"].astype(float) - 1).abs())
    found = both.groupby([*GROUP, "implementation", "role"], as_index=False)
    return found.agg(train_loss=("train_loss", "median"), off=("off", "max"), blocks=("block", "size"))

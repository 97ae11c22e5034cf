"""Whether all programs did the same work: what the checks found, and how near they are after an epoch."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from bench.display import naming
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


def gate(verifications: Sequence[Verification]) -> Sheet:
    """What the verification found: the check nearest to its limit of each implementation, workload and device."""
    rows = []
    for one in verifications:
        shares = [(check.figure / check.limit, check.name) for check in one.checks
                  if check.figure is not None and check.limit]  # fmt: skip
        share, worst = max(shares, key=lambda item: item[0], default=(0.0, ""))
        nearest = f"{worst}: {share:.0%} of the limit".replace("%", " %") if worst else ""
        passed = str(sum(check.passed for check in one.checks))
        which = one.implementation, one.workload, naming.device(one.device)
        rows.append((*which, one.status, one.reason or nearest, passed))
    columns = ("implementation", "network", "device", "same work?", "nearest to its limit", "rungs passed")
    return Sheet("", columns, tuple(rows), texts=5)


def checks_frame(verifications: Sequence[Verification]) -> pd.DataFrame:
    """One row per check, and one for each verification that was skipped or failed without a failed check."""
    rows = []
    for one in verifications:
        which = {"workload": one.workload, "implementation": one.implementation, "device": one.device}
        rows += [which | asdict(check) | {"rung": check.name} for check in one.checks]
        if one.status == "skipped" or (one.status == "failed" and all(check.passed for check in one.checks)):
            rows.append(which | {"rung": "ended", "passed": False, "note": f"{one.status}: {one.reason}"})
    return GATE.frame(rows)


def agreement_table(results: Sequence[TrainingResult]) -> Sheet:
    """The mean loss of the first epoch beside that of the program with which the control is run."""
    rows = [
        (row["workload"], naming.place(row["device"], row["threads"]),
         f"{row['implementation']}{naming.as_role(row['role'])}",
         f"{row['train_loss']:.4f}", f"{row['off'] * 100:.3f} %", str(row["blocks"]))
        for row in agreement(results).to_dict("records")
    ]  # fmt: skip
    columns = ("network", "place", "implementation", "mean loss of epoch 1", "farthest from the control's program")
    return Sheet("", (*columns, "blocks"), tuple(rows), texts=3)


def agreement(results: Sequence[TrainingResult]) -> pd.DataFrame:
    """How near programs that were given the same start and the same batches are after an epoch of the whole set.

    Verification trains on small samples. This is what shows a program that does other work on the full set:
    ``train_loss`` is the median over blocks of the mean loss of its first epoch, ``off`` how far it is at most, block
    by block, from that of the program with which the control is run, as a share.
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
    base = base[[*GROUP, "block", "implementation", "train_loss"]]
    both = frame.merge(base, on=[*GROUP, "block"], suffixes=("", "_base"))
    both = both[(both["implementation"] != both["implementation_base"]) | (both["role"] == "control")]
    both = both.assign(off=(both["train_loss"].astype(float) / both["train_loss_base"].astype(float) - 1).abs())
    programs_and_roles = both.groupby([*GROUP, "implementation", "role"], as_index=False)
    return programs_and_roles.agg(train_loss=("train_loss", "median"), off=("off", "max"), blocks=("block", "size"))

"""Did a measured process do the work of its block's reference? Judged from what is stored of it, epoch by epoch.

The equivalence gate proves a program before it is measured; here is what the very epochs that were timed say. Programs
of a block have the same seed. Those that take the order start from the same weights and see the same batches: only
rounding tells their losses from the reference's. Those that shuffle by themselves have an envelope as wide as seeds are
apart.
How wide was measured: ``envelope.csv`` is results/method/envelope.csv, which ``tests/method/envelope.py`` makes.
"""

import csv
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Literal

from bench.display import numbers
from bench.store.records.cell import Place
from bench.store.records.training import TrainingResult

Answer = Literal["yes", "no", "not judged"]
Verdict = tuple[Answer, str]
"""The answer, and why: a sentence with figures."""
ENVELOPE = Path(__file__).with_name("envelope.csv")
ANY = "any"
"""The rows for networks and data of which no training was measured: as wide as the widest of those that were."""
WORDS = {"train_loss": "mean training loss", "test_loss": "test loss", "accuracy": "accuracy"}
"""What is held beside the reference."""
UNMEASURED = "how far apart programs are that shuffle by themselves was not measured for its network"
ANSWERS: tuple[Answer, ...] = ("no", "not judged", "yes")
"""The first of these that a part of the verdict gives is the answer."""
Refused = tuple[str, str, str]
"""Implementation, network, device."""


@dataclass(frozen=True)
class Limit:
    """How far apart two correct programs may be: so much, or such a share of the reference's value if that is more."""

    apart: float
    share: float

    def beside(self, reference: float) -> float:
        """The largest difference from this value of the reference."""
        return max(self.apart, self.share * abs(reference))


@dataclass(frozen=True)
class Envelope:
    """The limits by network, kind of order and quantity, and of ``predict``; ``data`` is what they were measured on."""

    limits: Mapping[tuple[str, str, str], Limit]
    data: str

    def of(self, result: TrainingResult, quantity: str) -> Limit | None:
        """The limit for a result; None where the programs' own orders on this network or data were never measured."""
        known = result.cell.data in ("", self.data)
        key = result.cell.workload.name if known else ANY
        found = self.limits.get((key, order(result), quantity))
        return found or self.limits.get((ANY, order(result), quantity))


@cache
def envelope() -> Envelope:
    """What was measured."""
    with ENVELOPE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    limits = {
        (row["workload"], row["order"], row["quantity"]): Limit(float(row["limit"]), float(row["share"] or 0))
        for row in rows
        if row["limit"]
    }
    return Envelope(limits, rows[0]["data"])


def order(result: TrainingResult) -> str:
    """``given``: start weights, batches and all else are those of the reference; ``own``: it draws some by itself."""
    drops = any(layer.kind == "dropout" for layer in result.cell.workload.layers)
    return "given" if result.switches.get("takes_order") and not drops else "own"


def attested(results: Sequence[TrainingResult], refused: Collection[Refused] = ()) -> dict[str, Verdict]:
    """The verdict on each cell, by its key. What the gate ``refused`` is nobody's reference."""
    controls = {(one.cell.place, one.cell.implementation) for one in results if one.cell.role == "control"}
    blocks: dict[tuple[Place, int], list[TrainingResult]] = {}
    for result in results:
        blocks.setdefault((result.cell.place, result.cell.block), []).append(result)
    verdicts: dict[str, Verdict] = {}
    for block in blocks.values():
        able = [one for one in block if can_be_reference(one, refused)]
        reference = min(able, default=None, key=lambda one: (
            (one.cell.place, one.cell.implementation) not in controls, one.cell.implementation
        ))  # fmt: skip
        verdicts |= {result.cell.key: verdict(result, reference) for result in block}
    return verdicts


def can_be_reference(result: TrainingResult, refused: Collection[Refused]) -> bool:
    """Matched programs that were measured; of several the one that the control repeats, else the first by name."""
    cell = result.cell
    proved = (cell.implementation, cell.workload.name, cell.device) not in refused
    return result.status == "ok" and cell.tier == "matched" and cell.role == "measured" and proved


def verdict(result: TrainingResult, reference: TrainingResult | None) -> Verdict:
    """One process: no where either its losses or its predictions say so, yes where both were judged."""
    if result.status != "ok":
        return "not judged", f"it {'failed' if result.status == 'failed' else 'was skipped'}"
    if result.cell.tier == "reference" and not result.switches.get("takes_order"):
        return "not judged", "it is a yardstick, which trains nothing"
    parts = [losses(result, reference), predictions(result)]
    for answer in ANSWERS:
        reasons = [reason for found, reason in parts if found == answer]
        if reasons:
            return answer, "; ".join(reasons)
    raise AssertionError(parts)


def losses(result: TrainingResult, reference: TrainingResult | None) -> Verdict:
    """Losses and accuracy beside the reference's, after each epoch that both have."""
    if reference is None:
        return "not judged", "no matched program was measured in its block"
    if result is reference:
        return "yes", "it is the reference of its block"
    name, worst = reference.cell.implementation, (-1.0, "")
    for epoch, quantity, own, theirs in compared(result, reference):
        limit = envelope().of(result, quantity)
        if limit is None:
            return "not judged", UNMEASURED
        at_most = limit.beside(theirs)
        beyond = own is None or abs(own - theirs) > at_most
        off = math.inf if own is None or beyond else abs(own - theirs) / at_most
        if off < worst[0]:
            continue  # of many epochs only the worst is told, and put into words
        words = f"{WORDS[quantity]} of epoch {epoch}"
        allowed = f"correct programs are at most {shown(quantity, at_most)} apart"
        if own is None or beyond:
            found = "no number" if own is None else shown(quantity, own)
            return "no", f"its {words} is {found}, that of {name} {shown(quantity, theirs)}; {allowed}"
        worst = max(worst, (off, f"its {words} is {shown(quantity, abs(own - theirs))} from that of {name}; {allowed}"))
    return ("yes", worst[1]) if worst[1] else ("not judged", f"it has no epoch with figures in common with {name}")


def compared(result: TrainingResult, reference: TrainingResult) -> Iterator[tuple[int, str, float | None, float]]:
    """Each timed epoch of both: its number, a quantity, its value and the reference's, where that has one."""
    theirs = {epoch.epoch: epoch for epoch in reference.epochs}
    for epoch in result.epochs:
        other = theirs.get(epoch.epoch)
        if other is None or epoch.train_s is None:
            continue
        for quantity in WORDS:
            value = getattr(other, quantity)
            if value is not None:
                yield epoch.epoch, quantity, getattr(epoch, quantity), float(value)


def predictions(result: TrainingResult) -> Verdict:
    """Whether predicting after an epoch takes what predicting at once again does: else it is more than predicting."""
    timed = [
        (epoch.train_s, epoch.predict_s, epoch.again_s)
        for epoch in result.epochs
        if epoch.train_s is not None and epoch.again_s is not None
    ]
    if not timed or (ANY, "", "predict_ratio") not in envelope().limits:
        return "not judged", "it did not predict at once again after its epochs"
    train_s, predict_s, again_s = (median(values) for values in zip(*timed, strict=True))
    ratio, share = (envelope().limits[ANY, "", f"predict_{name}"].apart for name in ("ratio", "share"))
    says = f"predicting takes {shown('_s', predict_s)} after an epoch and {shown('_s', again_s)} at once again"
    if predict_s > ratio * again_s and predict_s - again_s > share * train_s:
        put_off = numbers.percent((predict_s - again_s) / train_s)
        return "no", f"{says}: work worth {put_off} of an epoch's time was put off until then"
    return "yes", says


def shown(quantity: str, value: float) -> str:
    """A value with its unit."""
    return numbers.figure(quantity, value) + (" nats" if quantity.endswith("_loss") else "")

"""What a deviation says: a check, passed where the figure is within its limit."""

import numpy as np

from bench.store.records.cell import finite
from bench.store.records.verification import Check
from bench.verification.candidate import RUNS
from bench.verification.oracle import SLACK, ULP, nudged
from bench.verification.samples import is_costly
from impls.contract import Data, Implementation, Weights
from impls.oracle import training
from impls.workload import Workload

LOCK_FLOOR = 2.0**-34
"""A thousandth of the effect of one constant rounded to float32: no other equation is as near."""


def judge(name: str, figure: float, limit: float) -> Check:
    """Passed where the figure is within the limit; not where either is no number, as after weights that are none."""
    if not np.isfinite((figure, limit)).all():
        return Check(name, finite(float(figure)), finite(float(limit)), False, "what it returned is not a number")
    return Check(name, float(figure), float(limit), bool(figure <= limit), "")


def nearest(found: list[list[Check]]) -> list[Check]:
    """Of the checks against several equations those that passed, else those that are the least off."""
    return min(found, key=lambda checks: max((over(check) for check in checks), default=0.0))


def over(check: Check) -> float:
    """How many times its limit a figure is; infinite where that cannot be told of one that did not pass."""
    if check.figure is None or not check.limit:
        return 0.0 if check.passed else np.inf
    return check.figure / check.limit


def check_logits(name: str, implementation: Implementation, workload: Workload, weights: Weights, data: Data) -> Check:
    """``predict`` beside the oracle, as log-probabilities: logits are free up to a constant in each row."""
    x = workload.scale(data.x_test)
    expected = training.log_softmax(training.forward(workload, weights, x)[0])
    found = np.asarray(implementation.predict(), dtype=np.float64)
    if found.shape != expected.shape:
        return Check(name, None, None, False, f"predict() has shape {found.shape}, expected {expected.shape}")
    narrow = [
        training.log_softmax(training.forward(workload, nudged(weights, run, ULP["float32"]), x, np.float32)[0])
        for run in range(RUNS[is_costly(workload)])
    ]
    scale = np.abs(expected).max()
    envelope = max(np.abs(run - expected).max() for run in narrow) / scale
    return judge(name, np.abs(training.log_softmax(found) - expected).max() / scale, SLACK * envelope)

"""Whole epochs over all training images in float64: who trains otherwise only where an epoch is long is found here.

The other checks train on small samples, and a program can tell these from a measured epoch by their length.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from bench.store.records.verification import Check
from bench.verification.candidate import Candidate, copied
from bench.verification.judging import LOCK_FLOOR, check_logits, judge, nearest
from bench.verification.oracle import ULP, Trajectory, arrays, deviation, oracle, typical
from bench.verification.samples import Images
from impls.contract import Data, Form, Implementation, Unavailable, Weights
from impls.oracle import training
from impls.workload import Workload

EPOCHS = 2
"""What begins with the second epoch shows, and so does a state that does not outlive the first."""
WHOLE_FLOPS = 1e11
"""Floating-point operations for which the oracle may be asked: some ten seconds of one core with small batches."""
UPDATE = 14
"""Operations by which Adam moves one parameter once, as counted in ``impls.oracle.training.adam_step``."""
LOSS_ROUNDING = 2.0**-24
"""What adding one more loss in float32 may round off, relative to the sum: the bound of recursive summation."""


def arithmetic(workload: Workload, images: int) -> float:
    """The floating-point operations of :data:`EPOCHS` epochs over so many images, the optimiser's own included."""
    steps = -(-images // workload.batch_size)
    return float(EPOCHS * (workload.flops * images + UPDATE * workload.parameters * steps))


@dataclass(frozen=True)
class WholeTraining:
    """Epochs over all of ``data``, each in its order, from the same weights for the oracle and for a candidate."""

    candidate: Candidate
    workload: Workload
    weights: Weights
    data: Data
    orders: list[Images]

    def oracle(self, workload: Workload, form: Form, run: int) -> Trajectory:
        """The oracle's training in float64, for a variant of the workload and a form of Adam; run 0 is not nudged."""
        return self.candidate.cached(
            lambda: oracle(workload, form, self.weights, self.data, self.orders, np.float64, run),
            "whole", workload, form, len(self.data.y_train), self.candidate.ordered, run,
        )  # fmt: skip


def check_whole_epochs(candidate: Candidate, workload: Workload, data: Data) -> Iterator[Check]:
    """The weights, the mean loss and the predictions after each of two epochs over all of ``data``, in float64.

    A program that takes no order trains in that of the files.
    """
    wide, images = replace(workload, dtype="float64"), len(data.y_train)
    needed, why = arithmetic(wide, images), ""
    if "float64" not in candidate.dtypes:
        why = "it declares no float64"
    elif needed > WHOLE_FLOPS:
        why = f"the oracle would need {needed:.0e} operations, and at most {WHOLE_FLOPS:.0e} are waited for"
    try:
        implementation = None if why else candidate.build(wide, data)
    except Unavailable as reason:
        implementation, why = None, str(reason)
    if implementation is None:
        yield Check("whole epochs in float64", None, None, True, f"not judged: {why}")
        return
    rng, weights = candidate.rng("whole"), training.initial_weights(wide, candidate.rng("weights"))
    orders = [rng.permutation(images) if candidate.ordered else np.arange(images) for _ in range(EPOCHS)]
    whole = WholeTraining(candidate, wide, weights, data, orders)
    found, predicted = train(implementation, whole)
    results: list[list[Check]] = []
    for form, equation in training.equations(candidate.form, wide):
        results.append(list(compare(found, whole, equation, form)))
        if all(check.passed for check in results[-1]):
            break
    yield from nearest(results)
    yield from predicted


def train(implementation: Implementation, whole: WholeTraining) -> tuple[Trajectory, list[Check]]:
    """Train epoch after epoch as a measured cell does, with one ``load``, and compare what is predicted after each."""
    implementation.set_weights(copied(whole.weights))
    losses, reached, predicted = [], [], []
    for number, order in enumerate(whole.orders, start=1):
        losses.append(float(implementation.train_epoch(order)))
        implementation.sync()
        reached.append(implementation.get_weights())
        name = f"logits after {epochs(number)}"
        predicted.append(check_logits(name, implementation, whole.workload, reached[-1], whole.data))
    return Trajectory(reached[0], reached[-1], np.array(losses)), predicted


def compare(found: Trajectory, whole: WholeTraining, workload: Workload, form: Form) -> Iterator[Check]:
    """Weights and mean losses beside the oracle's, which is asked what rounding does where more is off than usual."""
    exact, steps = whole.oracle(workload, form, 0), -(-len(whole.data.y_train) // workload.batch_size)
    for number, ours, theirs in ((1, found.start, exact.start), (EPOCHS, found, exact)):
        moves = zip(arrays(ours.weights, whole.weights), arrays(theirs.weights, whole.weights), strict=True)
        figure, limit = float(np.max([typical(move, right) for move, right in moves])), LOCK_FLOOR
        if figure > LOCK_FLOOR:
            rounded = whole.oracle(workload, form, 1)
            narrow = rounded.start if number == 1 else rounded
            figure, limit = deviation(ours.weights, whole.weights, [theirs, narrow], typical, ULP["float64"])
        yield judge(f"{epochs(number)} in float64", figure, max(limit, LOCK_FLOOR))
        off = float(np.abs(ours.losses / theirs.losses - 1).max())
        yield judge(f"mean loss of {epochs(number)}", off, max(steps * LOSS_ROUNDING, limit))


def epochs(number: int) -> str:
    """``1 whole epoch``, ``2 whole epochs``."""
    return f"{number} whole epoch{'' if number == 1 else 's'}"

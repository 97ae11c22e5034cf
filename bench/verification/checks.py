"""The checks by which an implementation is compared with the oracle: who does other work gets no speed figure.

Each check compares what the implementation did with what float64 arithmetic says. Limits are measured, not chosen: the
oracle is also run in the workload's own precision, each time rounded in another way, and a correct program may deviate
``SLACK`` times as far as the worst of those runs.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.store.records.verification import Check
from bench.verification import dropout, whole
from bench.verification.candidate import Candidate, TrainingCase, copied, draw_case, train
from bench.verification.judging import LOCK_FLOOR, check_logits, judge, nearest
from bench.verification.oracle import SLACK, ULP, Trajectory, deviation, largest, mixed, nudged, oracle, typical
from bench.verification.samples import affordable, store_passes, three_passes
from impls.contract import Data, Implementation, Unavailable, Weights
from impls.oracle import training
from impls.workload import SGD, Adam, Workload

STEPS = 20
"""In three passes, which the optimiser's state has to survive: one step, then two passes that end in half a batch."""
LOCK_STEPS = 100
LONG_STEPS = 150
OTHER_IMAGES = 5
OTHER_SLACK = 3.0
"""Another draw may well exceed the largest of so few, but hardly three times."""
ADAM_FLOOR = 2.0**-24 / (1 - training.BETA_2) / 2
"""The share by which ``sqrt(1 - b2^t)`` is off where 0.999 is rounded to float32 first, as some do."""


def verify(candidate: Candidate, workload: Workload, data: Data, deep: bool = False) -> Iterator[Check]:
    """All checks in turn, each with its figure and limit. What the implementation raises comes through.

    Samples are drawn from ``data``. The network is trained unshuffled, in a given order where the implementation takes
    one, and with dropout at rate 0, since no two frameworks draw the same masks; these are checked apart. ``deep`` adds
    the checks that take too long before a measurement.
    """
    workload = replace(workload, shuffle=False, validation=0.0, evaluate_every=0)
    still = replace(workload, layers=tuple(map(dropout.at_rate_0, workload.layers)))
    weights = training.initial_weights(still, candidate.rng("weights"))
    with TemporaryDirectory(prefix="fcnbench-gate-", dir=candidate.cache) as folder:
        steps, shuffled = affordable(still, STEPS), candidate.ordered
        case = draw_case(candidate, still, weights, data, three_passes(still, steps), Path(folder, "passes"), shuffled)
        implementation = candidate.build(still, case.data)
        yield from check_untrained(implementation, case)
        slopes = check_gradients(case.start)
        yield slopes
        yield from check_training(steps, implementation, case)
        taught = implementation.get_weights()
        yield check_logits("logits after training", implementation, still, taught, case.passes[-1].data)
        yield check_fresh_start(case, taught)
        if workload != still:
            implementation = candidate.build(workload, case.data)
            train(implementation, weights, case.passes)
            taught = implementation.get_weights()
            yield check_logits("logits with dropout", implementation, still, taught, case.passes[-1].data)
            yield from dropout.check_masks(candidate, workload, data, Path(folder, "masks"), slopes.note)
        yield from whole.check_whole_epochs(candidate, still, data)
        if deep:
            yield check_float64(candidate, still, data, Path(folder, "lock"), shuffled)
            yield check_long_training(candidate, still, data, Path(folder, "long"), shuffled)


def check_untrained(implementation: Implementation, case: TrainingCase) -> Iterator[Check]:
    """The weights come back bit for bit, and the logits are the oracle's."""
    implementation.set_weights(copied(case.weights))
    kept = same(implementation.get_weights(), case.weights)
    yield Check("weights", None, None, kept, "" if kept else "get_weights() is not bit for bit what set_weights() got")
    yield check_logits("logits", implementation, case.workload, case.weights, case.data)


def same(found: Weights, expected: Weights) -> bool:
    """Whether all arrays are equal bit for bit, in shape and in type."""
    return len(found) == len(expected) and all(
        np.array_equal(a, b) and np.asarray(a).dtype == b.dtype
        for ours, theirs in zip(found, expected, strict=True)
        for a, b in zip(ours, theirs, strict=True)
    )


def check_gradients(step: TrainingCase) -> Check:
    """One step of SGD at rate 1, which moves the weights by the gradients: the largest error of an entry."""
    plain, candidate, ulp = replace(step.workload, optimiser=SGD(1.0)), step.candidate, ULP[step.workload.dtype]
    try:
        implementation = candidate.build(plain, step.data)
    except Unavailable as reason:
        return Check("gradients", None, None, True, f"not shown: {reason}")
    found = train(implementation, step.weights, step.passes).weights
    expected = step.trajectories(plain, candidate.form)
    result = judge("gradients", *deviation(found, step.weights, expected, largest, ulp))
    if not result.passed and isinstance(step.workload.optimiser, Adam):
        for rate in (1.0, step.workload.optimiser.learning_rate):
            other = step.trajectories(replace(step.workload, optimiser=Adam(rate)), candidate.form)
            figure, limit = deviation(found, step.weights, other, typical, ulp)
            if figure <= max(limit, ADAM_FLOOR):
                return Check("gradients", None, None, True, "not shown: it trains with Adam whatever the workload says")
    return result


def check_training(steps: int, implementation: Implementation, case: TrainingCase) -> Iterator[Check]:
    """With the workload's own optimiser: the weights after one step and after all, and the mean losses."""
    found = train(implementation, case.weights, case.passes)
    expected = case.trajectories(case.workload, case.candidate.form)
    yield from compare("one step", found.start, [trajectory.start for trajectory in expected], case)
    yield from compare(f"{steps} steps", found, expected, case)


def compare(name: str, found: Trajectory, expected: list[Trajectory], case: TrainingCase) -> Iterator[Check]:
    """The weights and the mean losses beside the oracle's."""
    exact, *narrow = expected
    ulp = ULP[case.workload.dtype]
    figure, limit = deviation(found.weights, case.weights, expected, typical, ulp)
    floor = ADAM_FLOOR if isinstance(case.workload.optimiser, Adam) else 0.0
    yield judge(name, figure, max(limit, floor))
    envelope = max(np.abs(trajectory.losses / exact.losses - 1).max() for trajectory in narrow)
    off = np.abs(found.losses / exact.losses - 1).max()
    yield judge(f"mean loss of {name}", off, max(SLACK * envelope, SLACK * ulp, floor))


def check_fresh_start(case: TrainingCase, taught: Weights) -> Check:
    """A program that is built after another was trained knows nothing of it and can be given its own start."""
    implementation = case.candidate.build(case.workload, case.data)
    if same(implementation.get_weights(), taught):
        return Check("fresh start", None, None, False, "a new program starts from what another one has been trained to")
    implementation.set_weights(copied(case.weights))
    kept = same(implementation.get_weights(), case.weights)
    return Check("fresh start", None, None, kept, "" if kept else "set_weights() does not reset a second program")


def check_float64(candidate: Candidate, workload: Workload, data: Data, folder: Path, shuffled: bool) -> Check:
    """Many steps in float64, where rounding is nine digits smaller and only another equation shows."""
    steps = affordable(workload, LOCK_STEPS)
    name = f"{steps} steps in float64"
    if "float64" not in candidate.dtypes:
        return Check(name, None, None, True, "not shown: it declares no float64")
    wide = replace(workload, dtype="float64")
    weights = training.initial_weights(wide, candidate.rng("weights"))
    case = draw_case(candidate, wide, weights, data, three_passes(wide, steps), folder, shuffled, steady=False)
    try:
        implementation = candidate.build(wide, case.data)
    except Unavailable as reason:
        return Check(name, None, None, True, f"not shown: {reason}")
    found = train(implementation, weights, case.passes).weights
    results = []
    for form, equation in training.equations(candidate.form, wide):
        expected = case.trajectories(equation, form, runs=1)
        figure, limit = deviation(found, weights, expected, typical, ULP["float64"])
        results.append([judge(name, figure, max(limit, LOCK_FLOOR))])
        if results[-1][0].passed:
            break
    return nearest(results)[0]


def check_long_training(candidate: Candidate, workload: Workload, data: Data, folder: Path, shuffled: bool) -> Check:
    """The mean loss of a training so long that rounding grows and switches relus, here or in the oracle.

    It may be off by ``SLACK`` times what rounding changes, in the program itself (from weights that differ in their
    last bit, with the images of each batch in another order) or in the oracle; or by ``OTHER_SLACK`` times what another
    image in the first batch changes, which is more than one switched relu does.
    """
    name, batch = f"loss of {LONG_STEPS} steps", workload.batch_size
    if affordable(workload, LONG_STEPS) < LONG_STEPS:
        return Check(name, None, None, True, "not shown: the oracle would take too long")
    weights = training.initial_weights(workload, candidate.rng("weights"))
    case = draw_case(candidate, workload, weights, data, [LONG_STEPS * batch], folder, shuffled, steady=False)
    first = train(candidate.build(workload, case.data), weights, case.passes).losses[0]
    mixed_up = [mixed(case.images[0], batch, 1)]
    again = store_passes(workload, data, candidate.rng("order"), folder / "again", mixed_up, shuffled)
    start = nudged(weights, 1, ULP["float32"])
    second = train(candidate.build(workload, again[0].data), start, again).losses[0]
    exact, narrow = (trajectory.losses[0] for trajectory in case.trajectories(workload, candidate.form, runs=1))

    def other_image(position: int) -> float:
        images = case.images[0].copy()
        images[position] = images[-1 - position]
        return float(oracle(workload, candidate.form, weights, data, [images], np.float32, 0).losses[0])

    others = candidate.cached(
        lambda: [other_image(position) for position in range(OTHER_IMAGES)], "others", workload, candidate.form
    )
    rounding = max(abs(second / first - 1), abs(narrow / exact - 1))
    switched = max(abs(other / exact - 1) for other in others)
    return judge(name, abs(first / exact - 1), max(SLACK * rounding, OTHER_SLACK * switched))

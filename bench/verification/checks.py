"""The gate: an implementation that does other work than the oracle gets no speed figure.

Each rung compares what the implementation did with what float64 arithmetic says it should have done. The limit of a
rung is measured, not chosen: the oracle is run in the workload's own precision as well, each time rounded in another
way, and a correct program may deviate ``SLACK`` times as far as the worst of those runs. Runs in the worker.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.store.records.verification import Check
from bench.verification import dropout
from bench.verification.candidate import RUNS, Candidate, Trial, copied, train, trial
from bench.verification.oracle import SLACK, ULP, Course, deviation, largest, mixed, nudged, oracle, typical
from bench.verification.samples import affordable, dear, lessons, three_passes
from impls.contract import Data, Implementation, Unavailable, Weights
from impls.oracle import training
from impls.workload import SGD, Adam, Workload

STEPS = 20
"""In three passes: the optimiser's state has to survive them. The first is one step, the others end in half a batch."""
LOCK_STEPS = 100
LOCK_FLOOR = 2.0**-34
"""A thousandth of what one constant makes that is rounded to float32: no other equation is as near as that."""
LONG_STEPS = 150
OTHER_IMAGES = 5
OTHER_SLACK = 3.0
"""The largest of so few draws may well be exceeded by another draw, but hardly three times."""
ADAM_FLOOR = 2.0**-24 / (1 - training.BETA_2) / 2
"""Adam's step when 0.999 is rounded to float32 first, as some do: ``sqrt(1 - b2^t)`` is off by up to this share."""


def climb(candidate: Candidate, workload: Workload, data: Data, deep: bool = False) -> Iterator[Check]:
    """The rungs from the bottom, each with its figure and limit. An exception of the implementation ends the climb.

    ``data`` is what the samples are drawn from. The network is trained without shuffling, in an order that is given to
    those who take one, and with dropout at rate 0, since no two frameworks draw the same masks; these are looked at
    apart. ``deep`` adds the rungs that take longer than anybody would wait before a measurement.
    """
    workload = replace(workload, shuffle=False, validation=0.0, evaluate_every=0)
    still = replace(workload, layers=tuple(map(dropout.at_rate_0, workload.layers)))
    weights = training.initial_weights(still, candidate.rng("weights"))
    with TemporaryDirectory(prefix="fcnbench-gate-", dir=candidate.cache) as folder:
        steps, shuffled = affordable(still, STEPS), candidate.ordered
        passes = trial(candidate, still, weights, data, three_passes(still, steps), Path(folder, "passes"), shuffled)
        implementation = candidate.build(still, passes.data)
        yield from stationary(implementation, passes)
        slopes = gradients(passes.start)
        yield slopes
        yield from trained(steps, implementation, passes)
        taught = implementation.get_weights()
        yield logits("logits after training", implementation, still, taught, passes.lessons[-1].data)
        yield fresh_start(passes, taught)
        if workload != still:
            implementation = candidate.build(workload, passes.data)
            train(implementation, weights, passes.lessons)
            taught = implementation.get_weights()
            yield logits("logits with dropout", implementation, still, taught, passes.lessons[-1].data)
            yield from dropout.looked_at(candidate, workload, data, Path(folder, "masks"), slopes.note)
        if deep:
            yield lock_step(candidate, still, data, Path(folder, "lock"), shuffled)
            yield long_run(candidate, still, data, Path(folder, "long"), shuffled)


def stationary(implementation: Implementation, passes: Trial) -> Iterator[Check]:
    """Before training: the weights come back bit for bit, and the logits are the oracle's."""
    implementation.set_weights(copied(passes.weights))
    kept = same(implementation.get_weights(), passes.weights)
    yield Check("weights", None, None, kept, "" if kept else "get_weights() is not bit for bit what set_weights() got")
    yield logits("logits", implementation, passes.workload, passes.weights, passes.data)


def same(found: Weights, expected: Weights) -> bool:
    """Whether all arrays are equal bit for bit, in shape and in type."""
    return len(found) == len(expected) and all(
        np.array_equal(a, b) and np.asarray(a).dtype == b.dtype
        for ours, theirs in zip(found, expected, strict=True)
        for a, b in zip(ours, theirs, strict=True)
    )


def logits(name: str, implementation: Implementation, workload: Workload, weights: Weights, data: Data) -> Check:
    """``predict`` against the oracle, as log-probabilities, since logits are free up to a constant for each row."""
    x = workload.scale(data.x_test)
    expected = training.log_softmax(training.forward(workload, weights, x)[0])
    found = np.asarray(implementation.predict(), dtype=np.float64)
    if found.shape != expected.shape:
        return Check(name, None, None, False, f"predict() has shape {found.shape}, expected {expected.shape}")
    narrow = [
        training.log_softmax(training.forward(workload, nudged(weights, run, ULP["float32"]), x, np.float32)[0])
        for run in range(RUNS[dear(workload)])
    ]
    scale = np.abs(expected).max()
    envelope = max(np.abs(run - expected).max() for run in narrow) / scale
    return rung(name, np.abs(training.log_softmax(found) - expected).max() / scale, SLACK * envelope)


def gradients(step: Trial) -> Check:
    """One step of SGD at rate 1 moves the weights by the gradients; the largest error of any array, entry by entry."""
    plain, candidate, ulp = replace(step.workload, optimiser=SGD(1.0)), step.candidate, ULP[step.workload.dtype]
    try:
        implementation = candidate.build(plain, step.data)
    except Unavailable as reason:
        return Check("gradients", None, None, True, f"not shown: {reason}")
    found = train(implementation, step.weights, step.lessons).weights
    expected = step.courses(plain, candidate.form)
    result = rung("gradients", *deviation(found, step.weights, expected, largest, ulp))
    if not result.passed and isinstance(step.workload.optimiser, Adam):
        for rate in (1.0, step.workload.optimiser.learning_rate):
            other = step.courses(replace(step.workload, optimiser=Adam(rate)), candidate.form)
            figure, limit = deviation(found, step.weights, other, typical, ulp)
            if figure <= max(limit, ADAM_FLOOR):
                return Check("gradients", None, None, True, "not shown: it trains with Adam whatever the workload says")
    return result


def trained(steps: int, implementation: Implementation, passes: Trial) -> Iterator[Check]:
    """With the workload's own optimiser: where the first step led, where all of them did, and the mean losses."""
    found = train(implementation, passes.weights, passes.lessons)
    expected = passes.courses(passes.workload, passes.candidate.form)
    yield from beside("one step", found.start, [course.start for course in expected], passes)
    yield from beside(f"{steps} steps", found, expected, passes)


def beside(name: str, found: Course, expected: list[Course], passes: Trial) -> Iterator[Check]:
    """A course beside the oracle's: the weights and the mean losses."""
    exact, *narrow = expected
    ulp = ULP[passes.workload.dtype]
    figure, limit = deviation(found.weights, passes.weights, expected, typical, ulp)
    floor = ADAM_FLOOR if isinstance(passes.workload.optimiser, Adam) else 0.0
    yield rung(name, figure, max(limit, floor))
    envelope = max(np.abs(course.losses / exact.losses - 1).max() for course in narrow)
    off = np.abs(found.losses / exact.losses - 1).max()
    yield rung(f"mean loss of {name}", off, max(SLACK * envelope, SLACK * ulp, floor))


def fresh_start(passes: Trial, taught: Weights) -> Check:
    """A program that is built after another one was trained knows nothing of it, and takes its own start."""
    implementation = passes.candidate.build(passes.workload, passes.data)
    if same(implementation.get_weights(), taught):
        return Check("fresh start", None, None, False, "a new program starts from what another one has been trained to")
    implementation.set_weights(copied(passes.weights))
    kept = same(implementation.get_weights(), passes.weights)
    return Check("fresh start", None, None, kept, "" if kept else "set_weights() does not reset a second program")


def lock_step(candidate: Candidate, workload: Workload, data: Data, folder: Path, shuffled: bool) -> Check:
    """Many steps in float64, where rounding is nine digits smaller: what is left is another equation."""
    steps = affordable(workload, LOCK_STEPS)
    name = f"{steps} steps in float64"
    if "float64" not in candidate.dtypes:
        return Check(name, None, None, True, "not shown: it declares no float64")
    wide = replace(workload, dtype="float64")
    weights = training.initial_weights(wide, candidate.rng("weights"))
    passes = trial(candidate, wide, weights, data, three_passes(wide, steps), folder, shuffled, steady=False)
    try:
        implementation = candidate.build(wide, passes.data)
    except Unavailable as reason:
        return Check(name, None, None, True, f"not shown: {reason}")
    found = train(implementation, weights, passes.lessons).weights
    results = []
    for form, equation in training.equations(candidate.form, wide):
        expected = passes.courses(equation, form, runs=1)
        figure, limit = deviation(found, weights, expected, typical, ULP["float64"])
        results.append(rung(name, figure, max(limit, LOCK_FLOOR)))
        if results[-1].passed:
            return results[-1]
    return min(results, key=lambda found: np.inf if found.figure is None else found.figure)


def long_run(candidate: Candidate, workload: Workload, data: Data, folder: Path, shuffled: bool) -> Check:
    """The mean loss of training so long that rounding grows and relus switch by it, in this program or in the oracle.

    It may be off by ``SLACK`` times as much as the program is from itself, from weights that differ in their last bit
    and with the images of each batch in another order, or as the oracle is in float32; or by ``OTHER_SLACK`` times what
    another image in the first batch makes, which is more than a relu does that switches for one image.
    """
    name, batch = f"loss of {LONG_STEPS} steps", workload.batch_size
    if affordable(workload, LONG_STEPS) < LONG_STEPS:
        return Check(name, None, None, True, "not shown: the oracle would take too long")
    weights = training.initial_weights(workload, candidate.rng("weights"))
    passes = trial(candidate, workload, weights, data, [LONG_STEPS * batch], folder, shuffled, steady=False)
    first = train(candidate.build(workload, passes.data), weights, passes.lessons).losses[0]
    mixed_up = [mixed(passes.images[0], batch, 1)]
    again = lessons(workload, data, candidate.rng("order"), folder / "again", mixed_up, shuffled)
    start = nudged(weights, 1, ULP["float32"])
    second = train(candidate.build(workload, again[0].data), start, again).losses[0]
    exact, narrow = (course.losses[0] for course in passes.courses(workload, candidate.form, runs=1))

    def other_image(position: int) -> float:
        images = passes.images[0].copy()
        images[position] = images[-1 - position]
        return float(oracle(workload, candidate.form, weights, data, [images], np.float32, 0).losses[0])

    others = candidate.asked(
        lambda: [other_image(position) for position in range(OTHER_IMAGES)], "others", workload, candidate.form
    )
    rounding = max(abs(second / first - 1), abs(narrow / exact - 1))
    switched = max(abs(other / exact - 1) for other in others)
    return rung(name, abs(first / exact - 1), max(SLACK * rounding, OTHER_SLACK * switched))


def rung(name: str, figure: float, limit: float) -> Check:
    """Passed where the figure is a number within the limit."""
    if not np.isfinite(figure):
        return Check(name, None, float(limit), False, "what it returned is not a number")
    return Check(name, float(figure), float(limit), bool(figure <= limit), "")

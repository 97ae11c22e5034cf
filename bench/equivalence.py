"""The gate: an implementation that does other work than the oracle gets no speed figure.

Each rung compares what the implementation did with what float64 arithmetic says it should have done. The limit of a
rung is measured, not chosen: the oracle is run in float32 as well, from start weights that differ in their last bit,
and a correct float32 program may deviate ``SLACK`` times as far as the worst of those runs. Runs in the worker.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import mnist
from bench.records import Rung
from impls import reference
from impls.contract import SGD, Adam, AdamForm, Data, Implementation, Unavailable, Weights, Workload

STEPS = 20
"""In two passes, so that the optimiser's state has to survive the first; the last batch of each is not full."""
N_TEST = 1301
"""A prime: whatever the batch size, the last batch of the test set is not full."""
SLACK = 8.0
"""How much farther than the oracle in float32 a correct program may deviate: others sum in another order."""
ENVELOPE_RUNS = 5
ULP = 2.0**-23
ADAM_FLOOR = 2.0**-24 / (1 - reference.BETA_2) / 2
"""Adam's step when 0.999 is rounded to float32 first, as Keras does: ``sqrt(1 - b2^t)`` is off by up to this share."""

Floats = NDArray[np.floating[Any]]
Make = Callable[[Workload, str, int], Implementation]
Form = tuple[AdamForm, float]
AnyWeights = Any  # as in impls.reference, float32 or float64


def climb(make: Make, form: Form, workload: Workload, device: str, data: Data, seed: int) -> Iterator[Rung]:
    """The rungs from the bottom, each with its figure and limit. An exception of the implementation ends the climb.

    ``make`` builds an implementation, ``form`` is the Adam that it declares; ``data`` is what the samples are drawn
    from. The network is trained without shuffling, in an order that is given to those who take one.
    """
    rng = np.random.default_rng([seed, 2])
    weights = reference.initial_weights(workload, rng)
    with TemporaryDirectory(prefix="fcnbench-gate-") as folder:
        one_batch = lessons(workload, form, weights, data, rng, Path(folder, "step"), [workload.batch_size], False)
        implementation = build(make, workload, device, seed, one_batch[0].data)
        yield from stationary(implementation, workload, weights, one_batch[0].data)
        yield gradients(make, form, workload, device, seed, one_batch, weights)
        yield from trained("one step", implementation, form, workload, weights, one_batch)

        n = (STEPS // 2 - 1) * workload.batch_size + (workload.batch_size + 1) // 2
        passes = lessons(workload, form, weights, data, rng, Path(folder), [n, n], takes_order(implementation))
        implementation = build(make, workload, device, seed, passes[0].data)
        implementation.predict()  # as in a measured cell; whoever keeps the answer is found out below
        yield from trained(f"{STEPS} steps", implementation, form, workload, weights, passes)
        yield logits("logits after training", implementation, workload, implementation.get_weights(), passes[1].data)


def build(make: Make, workload: Workload, device: str, seed: int, data: Data) -> Implementation:
    """A new implementation with its data, told not to shuffle."""
    implementation = make(replace(workload, shuffle=False), device, seed)
    implementation.load(data)
    return implementation


def takes_order(implementation: Implementation) -> bool:
    """What the implementation declares; True where it declares nothing."""
    return bool(getattr(implementation, "takes_order", True))


@dataclass(frozen=True)
class Lesson:
    """A data set and the order in which to train on it once."""

    data: Data
    order: NDArray[np.int64]


def lessons(
    workload: Workload,
    form: Form,
    weights: AnyWeights,
    data: Data,
    rng: np.random.Generator,
    folder: Path,
    sizes: list[int],
    shuffled: bool,
) -> list[Lesson]:
    """Data sets of ``sizes`` images on which to train one after the other, on disk for those who read it there.

    Each batch is chosen on the way, of images on which no relu of the oracle is about to switch: rounding must not
    decide for it, since one switch in the last digit sets two correct programs apart for good. Where ``shuffled``, the
    images are stored in another order than the one in which they are to be used.
    """
    made, state = [], None
    for number, n in enumerate(sizes):
        chosen = []
        for start in range(0, n, workload.batch_size):
            batch = steady(workload, weights, data, rng, min(workload.batch_size, n - start))
            x, in_order = workload.scale(data.x_train[batch]), np.arange(len(batch))
            weights, _, state = reference.train_steps(workload, weights, x, data.y_train[batch], in_order, *form, state)
            chosen.append(batch)
        order = rng.permutation(n) if shuffled else np.arange(n)
        stored, test = np.empty(n, np.int64), rng.integers(len(data.y_test), size=N_TEST)
        stored[order] = np.concatenate(chosen)
        root = folder / str(number)
        mnist.write(root, data.x_train[stored], data.y_train[stored], data.x_test[test], data.y_test[test])
        made.append(Lesson(mnist.load(root), order))
    return made


def steady(workload: Workload, weights: AnyWeights, data: Data, rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    """``n`` training images, the ones among more on which all relus are farthest from where they switch."""
    pool = rng.integers(len(data.y_train), size=2 * n + 200)
    _, activations = reference.forward(workload, weights, workload.scale(data.x_train[pool]))
    nearest = np.full(len(pool), np.inf)
    for layer, (kernel, bias), before in zip(workload.layers, weights, activations[:-1], strict=True):
        if layer.activation == "relu":
            nearest = np.minimum(nearest, np.abs(before @ kernel + bias).min(axis=1))
    best: NDArray[np.int64] = pool[np.argsort(-nearest, kind="stable")[:n]]
    return best


def stationary(implementation: Implementation, workload: Workload, weights: Weights, data: Data) -> Iterator[Rung]:
    """Before training: the weights come back bit for bit, and the logits are the oracle's."""
    implementation.set_weights([(kernel.copy(), bias.copy()) for kernel, bias in weights])
    got = implementation.get_weights()
    same = len(got) == len(weights) and all(
        np.array_equal(a, b) and np.asarray(a).dtype == np.float32
        for given, returned in zip(weights, got, strict=True)
        for a, b in zip(returned, given, strict=True)
    )
    yield Rung("weights", None, None, same, "" if same else "get_weights() is not bit for bit what set_weights() got")
    yield logits("logits", implementation, workload, weights, data)


def logits(name: str, implementation: Implementation, workload: Workload, weights: Weights, data: Data) -> Rung:
    """``predict`` against the oracle, as log-probabilities, since logits are free up to a constant for each row."""
    x = workload.scale(data.x_test)
    expected = reference.log_softmax(reference.forward(workload, weights, x)[0])
    found = np.asarray(implementation.predict(), dtype=np.float64)
    if found.shape != expected.shape:
        return Rung(name, None, None, False, f"predict() has shape {found.shape}, expected {expected.shape}")
    narrow = [
        reference.log_softmax(reference.forward(workload, nudged(weights, run), x, np.float32)[0])
        for run in range(ENVELOPE_RUNS)
    ]
    scale = np.abs(expected).max()
    envelope = max(np.abs(run - expected).max() for run in narrow) / scale
    return rung(name, np.abs(reference.log_softmax(found) - expected).max() / scale, SLACK * envelope)


def gradients(
    make: Make, form: Form, workload: Workload, device: str, seed: int, passes: list[Lesson], weights: Weights
) -> Rung:
    """One step of SGD at rate 1 moves the weights by the gradients; the largest error of any array, entry by entry."""
    plain = replace(workload, optimiser=SGD(1.0))
    try:
        implementation = build(make, plain, device, seed, passes[0].data)
    except Unavailable as reason:
        return Rung("gradients", None, None, True, f"not shown: {reason}")
    found = train(implementation, weights, passes).weights
    result = rung("gradients", *deviation(found, weights, courses(plain, form, weights, passes), largest))
    if not result.passed and isinstance(workload.optimiser, Adam):
        for rate in (1.0, workload.optimiser.learning_rate):
            stubborn = courses(replace(workload, optimiser=Adam(rate)), form, weights, passes)
            figure, limit = deviation(found, weights, stubborn, typical)
            if figure <= max(limit, ADAM_FLOOR):
                return Rung("gradients", None, None, True, "not shown: it trains with Adam whatever the workload says")
    return result


def trained(
    name: str,
    implementation: Implementation,
    form: Form,
    workload: Workload,
    weights: Weights,
    passes: list[Lesson],
) -> Iterator[Rung]:
    """One pass after the other with the workload's own optimiser: where the weights went, and the mean losses."""
    found = train(implementation, weights, passes)
    exact, *narrow = courses(workload, form, weights, passes)
    figure, limit = deviation(found.weights, weights, [exact, *narrow], typical)
    floor = ADAM_FLOOR if isinstance(workload.optimiser, Adam) else 0.0
    yield rung(name, figure, max(limit, floor))
    envelope = max(np.abs(course.losses / exact.losses - 1).max() for course in narrow)
    off = np.abs(found.losses / exact.losses - 1).max()
    yield rung(f"mean loss of {name}", off, max(SLACK * envelope, SLACK * ULP, floor))


@dataclass(frozen=True)
class Course:
    """Where training led: the weights after the last pass and the mean loss of each."""

    weights: Any
    losses: Floats


def train(implementation: Implementation, weights: Weights, passes: list[Lesson]) -> Course:
    """The implementation's course from the given weights."""
    implementation.set_weights([(kernel.copy(), bias.copy()) for kernel, bias in weights])
    losses = []
    for lesson in passes:
        implementation.load(lesson.data)
        losses.append(float(implementation.train_epoch(lesson.order)))
        implementation.sync()
    return Course(implementation.get_weights(), np.array(losses))


def courses(workload: Workload, form: Form, weights: Weights, passes: list[Lesson]) -> list[Course]:
    """The oracle's course in float64, and then in float32 from weights that differ in their last bit."""
    exact = oracle(workload, form, weights, passes, np.float64)
    return [exact] + [oracle(workload, form, nudged(weights, run), passes, np.float32) for run in range(ENVELOPE_RUNS)]


def oracle(
    workload: Workload, form: Form, weights: Weights, passes: list[Lesson], dtype: type[np.floating[Any]]
) -> Course:
    """One course of the oracle; Adam's state goes on from pass to pass."""
    state, losses, trained = None, [], reference.widened(weights, dtype)
    for lesson in passes:
        x, y = workload.scale(lesson.data.x_train), lesson.data.y_train
        trained, loss, state = reference.train_steps(workload, trained, x, y, lesson.order, *form, state, dtype)
        losses.append(loss)
    return Course(trained, np.array(losses))


def deviation(
    found: Weights, start: Weights, oracles: list[Course], distance: Callable[[Floats, Floats], float]
) -> tuple[float, float]:
    """How far the weights' moves are from the oracle's, and how far they may be, in the worst of all arrays."""
    moves, *narrow = (arrays(course.weights, start) for course in oracles)
    figures = [distance(move, right) for move, right in zip(arrays(found, start), moves, strict=True)]
    limits = [max(ULP, SLACK * max(distance(run[index], right) for run in narrow)) for index, right in enumerate(moves)]
    return max(zip(figures, limits, strict=True), key=lambda pair: pair[0] / pair[1] if pair[0] == pair[0] else np.inf)


def arrays(after: Any, before: Weights) -> list[Floats]:
    """How far each kernel and bias has moved, float64."""
    return [
        np.asarray(b, dtype=np.float64) - a
        for old, new in zip(before, after, strict=True)
        for a, b in zip(old, new, strict=True)
    ]


def largest(move: Floats, right: Floats) -> float:
    """The largest error of any entry, relative to the largest move."""
    return float(np.abs(move - right).max() / max(np.abs(right).max(), np.finfo(float).tiny))


def typical(move: Floats, right: Floats) -> float:
    """The error that nine entries in ten stay below, relative to the root mean square of the moves.

    Not the largest: where a gradient is all rounding error, Adam makes a whole step of its sign.
    """
    return float(np.quantile(np.abs(move - right), 0.9) / max(np.sqrt((right**2).mean()), np.finfo(float).tiny))


def nudged(weights: Weights, run: int) -> Weights:
    """The weights with each entry moved by at most one unit in its last place; run 0 leaves them as they are."""
    rng = np.random.default_rng(run)
    return [
        tuple((w * (1 + ULP * rng.integers(-1, 2, w.shape) * (run > 0))).astype(np.float32) for w in layer)  # type: ignore[misc]
        for layer in weights
    ]


def rung(name: str, figure: float, limit: float) -> Rung:
    """Passed where the figure is a number within the limit."""
    if not np.isfinite(figure):
        return Rung(name, None, float(limit), False, "what it returned is not a number")
    return Rung(name, float(figure), float(limit), bool(figure <= limit), "")

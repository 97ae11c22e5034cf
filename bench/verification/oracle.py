"""The oracle's training, exact and rounded, and how far another training is from it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.verification.samples import AnyWeights, Floats, Images
from impls.contract import Data, Form, Weights
from impls.oracle import training
from impls.workload import Workload

SLACK = 8.0
"""A correct program may deviate so many times as far as the oracle when rounded: it sums in another order."""
LIMIT_SAMPLE, LIMIT_RUNS = 100, 2
"""Images on which rounding is measured for a trained network, and how often they are rounded in another way."""
ULP = {"float32": 2.0**-23, "float64": 2.0**-52}


@dataclass(frozen=True)
class Trajectory:
    """A training: the weights after the first pass and after the last, and the mean loss of each pass."""

    first: Any
    weights: Any
    losses: Floats

    @property
    def start(self) -> "Trajectory":
        """The first pass alone."""
        return Trajectory(self.first, self.first, self.losses[:1])


def trajectories(
    workload: Workload, form: Form, weights: Weights, data: Data, passes: list[Images], runs: int
) -> list[Trajectory]:
    """The oracle's trajectory in float64, then ``runs`` in the workload's own dtype, each rounded in another way.

    These start from weights that differ in the last bit, and take the images of each batch in another order.
    """
    exact = oracle(workload, form, weights, data, passes, np.float64, 0)
    dtype = np.dtype(workload.dtype).type
    return [exact] + [oracle(workload, form, weights, data, passes, dtype, run + 1) for run in range(runs)]


def oracle(
    workload: Workload,
    form: Form,
    weights: Weights,
    data: Data,
    passes: list[Images],
    dtype: type[np.floating[Any]],
    run: int,
) -> Trajectory:
    """One trajectory of the oracle, the optimiser's state kept from pass to pass. Run 0 changes nothing."""
    start = nudged(weights, run, ULP[workload.dtype])
    state, losses, reached, trained = None, [], [], training.widened(start, dtype)
    for images in passes:
        taken = mixed(images, workload.batch_size, run)
        x, y, in_order = workload.scale(data.x_train[taken]), data.y_train[taken], np.arange(len(taken))
        trained, loss, state = training.train_steps(workload, trained, x, y, in_order, *form, state, dtype)
        losses.append(loss)
        reached.append(trained)
    return Trajectory(reached[0], reached[-1], np.array(losses))


def nudged(weights: Weights, run: int, ulp: float) -> Weights:
    """The weights, each entry moved by at most one unit in the last place; run 0 moves none."""
    rng = np.random.default_rng(run)
    return [
        tuple((w * (1 + ulp * rng.integers(-1, 2, w.shape) * (run > 0))).astype(w.dtype) for w in layer)  # type: ignore[misc]
        for layer in weights
    ]


def mixed(images: Images, batch_size: int, run: int) -> Images:
    """The same batches, each in another order, as more threads would sum it; run 0 changes nothing."""
    rng = np.random.default_rng(run)
    batches = [images[start : start + batch_size] for start in range(0, len(images), batch_size)]
    return np.concatenate([rng.permutation(batch) for batch in batches]) if run else images


def deviation(
    found: Weights, start: Weights, oracles: list[Trajectory], distance: Callable[[Floats, Floats], float], ulp: float
) -> tuple[float, float]:
    """How far the weights have moved otherwise than the oracle's, and the limit, for the worst of all arrays."""
    moves, *narrow = (arrays(trajectory.weights, start) for trajectory in oracles)
    figures = [distance(move, right) for move, right in zip(arrays(found, start), moves, strict=True)]
    limits = [max(ulp, SLACK * max(distance(run[index], right) for run in narrow)) for index, right in enumerate(moves)]
    return max(zip(figures, limits, strict=True), key=lambda pair: pair[0] / pair[1] if pair[0] == pair[0] else np.inf)


def arrays(after: AnyWeights, before: Weights) -> list[Floats]:
    """How far each kernel and bias has moved, float64."""
    return [
        np.asarray(b, dtype=np.float64) - a
        for old, new in zip(before, after, strict=True)
        for a, b in zip(old, new, strict=True)
    ]


def largest(move: Floats, right: Floats) -> float:
    """The largest error of an entry, relative to the largest move."""
    return float(np.abs(move - right).max() / max(np.abs(right).max(), np.finfo(float).tiny))


def typical(move: Floats, right: Floats) -> float:
    """The 90th percentile of the errors, relative to the root mean square of the moves.

    Not the largest: where a gradient is nothing but rounding, Adam makes a whole step of its sign.
    """
    return float(np.quantile(np.abs(move - right), 0.9) / max(np.sqrt((right**2).mean()), np.finfo(float).tiny))


def logit_limit(workload: Workload, weights: Weights, x: Floats) -> float:
    """How far a logit of a trained network may be off: eight times what rounding does to the oracle.

    That is float32 against float64, from weights that differ in their last bit. A format that keeps fewer bits, a
    constant that is missing or a layer that is another one is farther off by orders of magnitude.
    """
    sample = x[:LIMIT_SAMPLE]
    exact = training.forward(workload, weights, sample)[0]
    rounded = [
        training.forward(workload, nudged(weights, run, ULP["float32"]), sample, np.float32)[0]
        for run in range(LIMIT_RUNS)
    ]
    return SLACK * float(max(np.abs(run - exact).max() for run in rounded))

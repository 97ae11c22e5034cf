"""Dropout's masks. No two frameworks draw the same ones, so rate, scale and independence are checked instead.

One step of SGD is made on a batch of copies of one image. The dense layer behind the dropout starts with a kernel of
zeros, so that its output is the same whatever was dropped. Each row of that kernel then moves by what its unit gives
without dropout, times the number of copies in which the unit was kept: so the masks can be counted.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.store.records.verification import Check
from bench.verification.candidate import Candidate, copied
from bench.verification.oracle import SLACK, ULP
from bench.verification.samples import Floats, store_pass
from impls.contract import Data, Weights
from impls.oracle import training
from impls.workload import SGD, Conv, Dense, Dropout, Layer, Workload

STEPS = 12
SIGMAS = 4.5
"""Standard deviations that chance is allowed: seven correct programs in a million exceed them."""
SPREAD_SIGMAS = 6.0
"""The same for a variance, which has a longer tail."""


def at_rate_0(layer: Layer) -> Layer:
    """The layer without its dropout."""
    return Dropout(0.0) if isinstance(layer, Dropout) else layer


def check_masks(candidate: Candidate, workload: Workload, data: Data, folder: Path, unseen: str) -> Iterator[Check]:
    """The checks of every dropout layer; ``unseen`` is why the program's gradients cannot be had, else empty."""
    for index, layer in enumerate(workload.layers):
        if isinstance(layer, Dropout):
            where = f" at {index}" if sum(isinstance(other, Dropout) for other in workload.layers) > 1 else ""
            behind = next((other for other in workload.layers[index:] if not isinstance(other, Dropout)), None)
            if unseen or not isinstance(behind, Dense):
                note = unseen or "not shown: masks can only be counted where a dense layer follows"
                yield Check(f"dropout{where}", None, None, True, note)
                continue
            counts, blur = count_kept(candidate, workload, index, data, folder / str(index))
            yield from judge(where, counts, blur, workload.batch_size, layer.rate)


def count_kept(candidate: Candidate, workload: Workload, index: int, data: Data, folder: Path) -> tuple[Floats, float]:
    """The number of copies in which each unit was kept, ``[steps, units]``, and its error in float32."""
    rate = workload.layers[index].rate  # type: ignore[union-attr]  # the caller has seen that it is a dropout
    alone = tuple(layer if n == index else at_rate_0(layer) for n, layer in enumerate(workload.layers))
    probe = replace(workload, layers=alone, optimiser=SGD(1.0), shuffle=False, validation=0.0)
    number = sum(isinstance(layer, Dense | Conv) for layer in workload.layers[:index])
    rng = candidate.rng(f"masks {index}")
    weights = training.initial_weights(probe, rng)
    kernel, bias = weights[number]
    weights[number] = (np.zeros_like(kernel), rng.uniform(0.1, 1.0, bias.shape).astype(bias.dtype))

    image = rng.integers(len(data.y_train))
    copies = store_pass(probe, data, rng, folder, np.full(workload.batch_size, image), False)
    x, y = probe.scale(copies.data.x_train), copies.data.y_train
    right, narrow = (
        training.loss_and_gradients(probe, weights, x, y, t)[1][number][0] for t in (np.float64, np.float32)
    )
    rows = np.abs(right).max(axis=1)
    units = rows > 1e-3 * rows.max()

    def per_row(gradient: Floats) -> Floats:
        shares: Floats = (gradient[units] * right[units]).sum(axis=1) / (right[units] ** 2).sum(axis=1)
        return shares

    implementation, n, counts = candidate.build(probe, copies.data), workload.batch_size, []
    implementation.predict()  # leaves training mode, which has to be entered again
    for _ in range(STEPS):
        implementation.set_weights(copied(weights))
        implementation.train_epoch(copies.order)
        implementation.sync()
        moved: Weights = implementation.get_weights()
        counts.append(-per_row(moved[number][0].astype(np.float64)) * (1 - rate) * n)
    return np.array(counts), n * (SLACK * float(np.abs(per_row(narrow) - 1).max()) + n * ULP["float32"])


def judge(where: str, counts: Floats, blur: float, n: int, rate: float) -> Iterator[Check]:
    """Whole numbers, of the rate's mean, with the variance of independent draws, and new ones in each step."""
    off = float(np.abs(counts - np.clip(np.round(counts), 0, n)).max())
    note = "" if off <= blur else "what is kept is not divided by 1 - rate"
    yield Check(f"dropout scale{where}", off, blur, off <= blur, note)
    dropped, draws = float(1 - counts.mean() / n), counts.size * n
    limit = SIGMAS * float(np.sqrt(rate * (1 - rate) / draws))
    passed = abs(dropped - rate) <= limit
    note = "" if passed else f"it drops a share of {dropped:.3f}, the workload says {rate:g}"
    yield Check(f"dropout rate{where}", abs(dropped - rate), limit, passed, note)
    variance = n * rate * (1 - rate)
    spread = float(((counts - n * (1 - rate)) ** 2).mean() / variance - 1)
    limit = SPREAD_SIGMAS * float(np.sqrt((2 + (1 - 6 * rate * (1 - rate)) / variance) / counts.size))
    repeated = bool(np.array_equal(np.round(counts[0]), np.round(counts[1])))
    passed = abs(spread) <= limit and not repeated
    note = "" if passed else "the same mask in every step" if repeated else "samples or units share their masks"
    yield Check(f"dropout spread{where}", abs(spread), limit, passed, note)

"""Dropout's masks: no two frameworks draw the same ones, so their rate, scale and freshness are looked at instead.

A batch of copies of one image is trained on for one step of SGD. The dense layer behind the dropout starts from a
kernel of zeros, so that everything after it is the same whatever was dropped. Each row of that kernel then moves by
what one unit would give without dropout, times the number of copies in which it was kept: the masks can be counted.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.store.records.verification import Check
from bench.verification.candidate import Candidate, copied
from bench.verification.oracle import SLACK, ULP
from bench.verification.samples import Floats, lesson
from impls.contract import Data, Weights
from impls.oracle import training
from impls.workload import SGD, Conv, Dense, Dropout, Layer, Workload

STEPS = 12
SIGMAS = 4.5
"""How many standard deviations chance may take: seven correct programs in a million go farther."""
SPREAD_SIGMAS = 6.0
"""The same for a variance, whose distribution has a longer tail."""


def at_rate_0(layer: Layer) -> Layer:
    """The layer, dropping nothing."""
    return Dropout(0.0) if isinstance(layer, Dropout) else layer


def looked_at(candidate: Candidate, workload: Workload, data: Data, folder: Path, unseen: str) -> Iterator[Check]:
    """The rungs of every dropout layer; ``unseen`` says why the gradients of the program cannot be seen, if so."""
    for index, layer in enumerate(workload.layers):
        if isinstance(layer, Dropout):
            where = f" at {index}" if sum(isinstance(other, Dropout) for other in workload.layers) > 1 else ""
            behind = next((other for other in workload.layers[index:] if not isinstance(other, Dropout)), None)
            if unseen or not isinstance(behind, Dense):
                note = unseen or "not shown: masks can only be counted where a dense layer follows"
                yield Check(f"dropout{where}", None, None, True, note)
                continue
            counts, blur = counted(candidate, workload, index, data, folder / str(index))
            yield from judged(where, counts, blur, workload.batch_size, layer.rate)


def counted(candidate: Candidate, workload: Workload, index: int, data: Data, folder: Path) -> tuple[Floats, float]:
    """In how many copies each unit was kept, ``[steps, units]``, and by how much float32 may blur such a number."""
    rate = workload.layers[index].rate  # type: ignore[union-attr]  # the caller has seen that it is a dropout
    alone = tuple(layer if n == index else at_rate_0(layer) for n, layer in enumerate(workload.layers))
    probe = replace(workload, layers=alone, optimiser=SGD(1.0), shuffle=False, validation=0.0)
    number = sum(isinstance(layer, Dense | Conv) for layer in workload.layers[:index])
    rng = candidate.rng(f"masks {index}")
    weights = training.initial_weights(probe, rng)
    kernel, bias = weights[number]
    weights[number] = (np.zeros_like(kernel), rng.uniform(0.1, 1.0, bias.shape).astype(bias.dtype))

    image = rng.integers(len(data.y_train))
    copies = lesson(probe, data, rng, folder, np.full(workload.batch_size, image), False)
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


def judged(where: str, counts: Floats, blur: float, n: int, rate: float) -> Iterator[Check]:
    """Whole numbers, as many as the rate says, with the variance of independent draws, and other ones in each step."""
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

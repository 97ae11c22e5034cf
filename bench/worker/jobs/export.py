"""A trained network is written in another format, and is not said to be until the file does the same work.

This is what happens in a worker, where the framework is at hand; :mod:`bench.models.export` asks for it.
"""

import importlib
import os
import statistics
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.data import mnist
from bench.store.records.export import Export
from bench.verification.oracle import logit_limit
from bench.worker.messages import Send
from bench.worker.program import loaded_versions
from bench.worker.requests import WriteExport
from impls import exports, portable
from impls.exports import Exporter, graph
from impls.exports.graph import Predict
from impls.workload import Float32, Workload

BATCH = 500
"""Images at a time: what a convolution makes of all test images at once would be gigabytes."""
CALLS, WARM_UP, AT_MOST_S = 200, 5, 1.0
"""How often one image is predicted, after so many that do not count, and how long that may take."""


def export(model: Path, exporter: Exporter, out: Path, images: NDArray[np.uint8]) -> Export:
    """Write ``out``, which has the exporter's suffix, and compare it with the network that its framework builds.

    Raises ModuleNotFoundError for a package that is missing, and what the exporter raises.
    """
    described, weights = portable.load(model)
    workload = Workload.from_dict(described["workload"])
    writer, reader = importlib.import_module(exporter.writer), importlib.import_module(exporter.reader)
    framework = importlib.import_module(exporter.models)
    writer.write(out, workload, weights, graph.about(workload, exporter.by, described))
    with out.open("rb+") as file:
        os.fsync(file.fileno())
    built = framework.build(workload, weights)
    x, predict = workload.scale(images), reader.load(out)
    done = compared(
        Export(exporter.format, exporter.by, "failed"),
        lambda part: framework.logits(built, part),
        predict,
        x,
        logit_limit(workload, weights, x),
    )
    return replace(
        done,
        size_bytes=out.stat().st_size,
        one_image_s=one_image_s(predict, x[:1]),
        versions=loaded_versions(list(exporter.packages)),
        graph=tuple(reader.graph(out)),
    )


def compared(bare: Export, original: Predict, exported: Predict, x: Float32, most: float) -> Export:
    """``bare`` with whether the two say the same of ``x [n, ...]``, in batches and of one image alone, and the figures.

    No logit may differ by more than ``most``. Then a digit can only differ where the original's two best logits are
    closer than twice that: rounding decides there, and the file is not to blame.
    """
    expected, found = batches(original, x), batches(exported, x)
    bare = replace(bare, images=len(x), limit=most)
    if not np.isfinite(expected).all():
        return replace(bare, reason="the network's own logits are not all finite: there is nothing to compare with")
    if found.shape != expected.shape:
        return replace(bare, reason=f"its logits have shape {found.shape}, expected {expected.shape}")
    off = np.abs(found - expected).max()
    off = float(np.maximum(off, np.abs(np.asarray(exported(x[:1])) - expected[:1]).max()))
    bare = replace(bare, agree=int((found.argmax(axis=1) == expected.argmax(axis=1)).sum()))
    if not np.isfinite(off):
        return replace(bare, reason="its logits are not all finite")
    bare = replace(bare, largest_difference=off)
    if off > most:
        return replace(bare, reason=f"a logit differs by {off:.2g}, rounding may make {most:.2g}")
    return replace(bare, status="ok")


def batches(predict: Predict, x: Float32) -> Float32:
    """The logits of all images."""
    return np.concatenate([np.asarray(predict(x[start : start + BATCH])) for start in range(0, len(x), BATCH)])


def one_image_s(predict: Predict, x: Float32) -> float:
    """Seconds that one image ``x [1, ...]`` takes: the median of many calls, one after the other."""
    for _ in range(WARM_UP):
        predict(x)
    taken, end = list[float](), time.perf_counter() + AT_MOST_S
    while len(taken) < CALLS and (not taken or time.perf_counter() < end):
        start = time.perf_counter_ns()
        predict(x)
        taken.append((time.perf_counter_ns() - start) / 1e9)
    return statistics.median(taken)


def run(request: WriteExport, send: Send) -> None:
    """Write a trained network in another format, and report what a comparison with the original says of the file."""
    exporter = exports.find(request.format, request.by)
    images = mnist.load(Path(request.data)).x_test
    send(export(Path(request.model), exporter, Path(request.out), images))

"""Predict images with trained networks; unpack the frameworks' own files."""

import importlib
from pathlib import Path

import numpy as np

from bench.worker import channel
from bench.worker.messages import Logits, PartEnded, Send
from bench.worker.requests import Predict, Unpack
from impls import portable
from impls.environment import kind
from impls.workload import Workload


def run(request: Predict | Unpack, send: Send) -> None:
    """Whichever is asked for."""
    if isinstance(request, Predict):
        predict(request, send)
    else:
        unpack(request, send)


def predict(request: Predict, send: Send) -> None:
    """Logits of the images by one trained network after the other; what one of them raises ends that one alone."""
    framework = importlib.import_module(request.entry.module)
    with np.load(request.images, allow_pickle=False) as stored:
        images = stored["images"]
    for path in request.models:
        values = np.zeros((0, 10))
        with channel.ending(request.entry.packages) as end:
            about, weights = portable.load(Path(path))
            workload = Workload.from_dict(about["workload"])
            model = framework.build(workload, weights, kind(request.device))
            values = np.asarray(framework.logits(model, workload.scale(images)), np.float64)
        if not np.isfinite(values).all():
            end.status, end.reason = "failed", "its logits are no finite numbers; did its training diverge?"
        send(Logits(end.status, end.reason, tuple(map(tuple, values.tolist())) if end.status == "ok" else ()))


def unpack(request: Unpack, send: Send) -> None:
    """The framework's own files of trained networks as portable ones; what one of them raises ends that one alone."""
    framework = importlib.import_module(request.entry.module)
    for file, out in request.files:
        with channel.ending(request.entry.packages) as end:
            workload, weights = framework.load(Path(file))
            origin = {"implementation": Path(file).stem, "framework": request.framework, "versions": {}}
            portable.save(Path(out), workload, weights, origin)
        send(PartEnded(end.status, end.reason))

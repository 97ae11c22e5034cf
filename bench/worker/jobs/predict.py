"""Predict images with trained networks; unpack the frameworks' own files."""

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from bench.worker import channel
from bench.worker.messages import Emit, Event
from impls import portable
from impls.environment import kind
from impls.workload import Workload


def run(request: dict[str, Any], emit: Emit) -> None:
    """Logits of the images by one trained network after the other; what one of them raises ends that one alone."""
    framework = importlib.import_module(request["module"])
    with np.load(request["images"], allow_pickle=False) as stored:
        images = stored["images"]
    for path in request["models"]:
        values: dict[str, Any] = {}
        with channel.ended(request) as end:
            about, weights = portable.load(Path(path))
            workload = Workload.from_dict(about["workload"])
            model = framework.build(workload, weights, kind(request["device"]))
            values["logits"] = np.asarray(framework.logits(model, workload.scale(images)), np.float64).tolist()
        emit(Event("answer", end | values))


def unpack(request: dict[str, Any], emit: Emit) -> None:
    """The framework's own files of trained networks as portable ones; what one of them raises ends that one alone."""
    framework = importlib.import_module(request["module"])
    for file, out in request["files"]:
        with channel.ended(request) as end:
            described, weights = framework.load(Path(file))
            origin = {"implementation": Path(file).stem, "framework": request["framework"], "versions": {}}
            portable.save(Path(out), Workload.from_dict(json.loads(described)), weights, origin)
        emit(Event("answer", end))

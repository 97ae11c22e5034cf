"""Keras' exporter to ONNX, which on TensorFlow goes by way of tf2onnx."""

from pathlib import Path

import keras
from onnx import load_model

from impls.contract import Weights
from impls.exports import onnx
from impls.exports.graph import INPUT, input_shape
from impls.models.keras import build
from impls.workload import Workload

PACKAGES = ("tensorflow", "keras", "tf2onnx")


def write(path: Path, workload: Workload, weights: Weights, about: dict[str, str]) -> None:
    """The network with any number of images ``[n, 784]`` or ``[n, 28, 28, 1]``."""
    signature = [keras.InputSpec("float32", (None, *input_shape(workload, "keras")), name=INPUT)]
    build(workload, weights).export(path, format="onnx", verbose=False, input_signature=signature)
    onnx.finish(load_model(path), path, about)

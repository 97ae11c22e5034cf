"""Keras' own format (:mod:`impls.models.keras`) as one more to export to: written, run, looked into."""

import json
from pathlib import Path

import keras

from impls.contract import Weights
from impls.exports.graph import Node, Predict
from impls.models import keras as models_keras
from impls.models.keras import logits, save
from impls.workload import Workload

PACKAGES = ("tensorflow", "keras")


def write(path: Path, workload: Workload, weights: Weights, about: dict[str, str]) -> None:
    """Keras' archive; how the input is scaled stands in the network's description in it."""
    save(path, workload, weights)


def load(path: Path) -> Predict:
    """The network, read safely and built again."""
    model = read(path)
    return lambda x: logits(model, x)


def graph(path: Path) -> list[Node]:
    """The layers in their order."""
    nodes = []
    for layer in read(path).layers:
        size_bytes = sum(weight.value.numpy().nbytes for weight in layer.weights)
        nodes.append(Node(layer.name, type(layer).__name__, layer.output.shape, layer.count_params(), size_bytes))
    return nodes


def read(path: Path) -> keras.Sequential:
    """The network that the file describes, with its weights."""
    described, weights = models_keras.load(path)
    return models_keras.build(Workload.from_dict(json.loads(described)), weights)

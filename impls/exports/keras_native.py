"""Keras' own format (:mod:`impls.models.keras`) as one more to export to: written, run, looked into."""

from pathlib import Path

from impls.contract import Weights
from impls.exports.graph import Node, Predict
from impls.models import keras
from impls.workload import Workload

PACKAGES = ("tensorflow", "keras")


def write(path: Path, workload: Workload, weights: Weights, about: dict[str, str]) -> None:
    """Keras' archive; how the input is scaled stands in the network's description in it."""
    keras.save(path, workload, weights)


def load(path: Path) -> Predict:
    """The network, read safely and built again."""
    model = keras.build(*keras.load(path))
    return lambda x: keras.logits(model, x)


def graph(path: Path) -> list[Node]:
    """The layers in their order."""
    nodes = []
    for layer in keras.build(*keras.load(path)).layers:
        size_bytes = sum(weight.value.numpy().nbytes for weight in layer.weights)
        nodes.append(Node(layer.name, type(layer).__name__, layer.output.shape, layer.count_params(), size_bytes))
    return nodes

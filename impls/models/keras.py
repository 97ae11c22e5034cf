"""A trained network in Keras: built from portable weights, saved and loaded in Keras' own format."""

import json
import zipfile
from dataclasses import asdict
from pathlib import Path

import keras

from impls import portable
from impls.contract import Unavailable, Weights
from impls.matched.keras import BACKEND, layers, seen
from impls.workload import Float32, Workload

WORKLOAD = "workload.json"
"""The member of Keras' archive that describes the network; Keras itself looks at its own members only."""


def build(workload: Workload, weights: Weights, device: str = "cpu") -> keras.Sequential:
    """The network, ready to predict, on the device that Keras has taken. Raises Unavailable where it is not this."""
    if device not in seen():
        raise Unavailable(f"Keras on {BACKEND} sees no {device.upper()} device")
    model = network(workload)
    for layer, (kernel, bias) in zip(trained(model), weights, strict=True):
        layer.set_weights([kernel, bias])
    return model


def network(workload: Workload) -> keras.Sequential:
    """The layers, with weights that Keras draws."""
    keras.config.set_image_data_format("channels_last")
    return keras.Sequential([keras.Input(workload.shapes[0]), *layers(workload)])


def logits(model: keras.Sequential, x: Float32) -> Float32:
    """Logits ``[n, 10]`` of input as ``workload.scale`` makes it."""
    return model.predict(x, verbose=0)


def save(path: Path, workload: Workload, weights: Weights) -> None:
    """Keras' archive of structure and weights, with the network's description as one more member."""
    build(workload, weights).save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(WORKLOAD, json.dumps(asdict(workload)))


def load(path: Path) -> tuple[Workload, Weights]:
    """The network and its weights that :func:`save` wrote. No other part of the file is looked at.

    Keras' own description of the structure, which may name code to be run, is not read: the network is built from ours.
    Raises whatever Keras raises for what is no such file, and ValueError where it is not what it describes.
    """
    portable.check_archive(path)
    with zipfile.ZipFile(path) as archive:
        workload = portable.described(path, archive.read(WORKLOAD))
    model = network(workload)
    model.load_weights(path)
    return workload, [tuple(layer.get_weights()) for layer in trained(model)]


def trained(model: keras.Sequential) -> list[keras.Layer]:
    """The layers that have weights, from the input to the logits."""
    return [layer for layer in model.layers if layer.trainable_variables]

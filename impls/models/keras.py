"""A trained network in Keras: built from portable weights, saved and loaded in Keras' own format."""

import json
import zipfile
from dataclasses import asdict
from pathlib import Path

import keras

from impls.contract import Float32, Weights, Workload
from impls.matched.keras import layers

SUFFIX = ".keras"
WORKLOAD = "workload.json"
"""The member of Keras' archive that describes the network; Keras itself looks at its own members only."""


def build(workload: Workload, weights: Weights) -> keras.Sequential:
    """The network, ready to predict."""
    keras.config.set_image_data_format("channels_last")
    model = keras.Sequential([keras.Input(workload.shapes[0]), *layers(workload)])
    for layer, (kernel, bias) in zip(trained(model), weights, strict=True):
        layer.set_weights([kernel, bias])
    return model


def logits(model: keras.Sequential, x: Float32) -> Float32:
    """Logits ``[n, 10]`` of input as ``workload.scale`` makes it."""
    return model.predict(x, verbose=0)


def save(path: Path, workload: Workload, weights: Weights) -> None:
    """Keras' archive of structure and weights, with the network's description as one more member."""
    build(workload, weights).save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(WORKLOAD, json.dumps(asdict(workload)))


def load(path: Path) -> tuple[str, Weights]:
    """What :func:`save` wrote: the description as JSON and the weights. In safe mode: no code in the file is run."""
    with zipfile.ZipFile(path) as archive:
        workload = archive.read(WORKLOAD).decode()
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    return workload, [tuple(layer.get_weights()) for layer in trained(model)]


def trained(model: keras.Sequential) -> list[keras.Layer]:
    """The layers that have weights, from the input to the logits."""
    return [layer for layer in model.layers if layer.trainable_variables]

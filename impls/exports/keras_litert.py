"""Keras' exporter to LiteRT, which is TensorFlow's converter."""

from pathlib import Path

import keras
import tensorflow as tf

from impls.contract import Weights
from impls.exports import litert
from impls.exports.graph import INPUT, input_shape
from impls.models.keras import build
from impls.workload import Workload

PACKAGES = ("tensorflow", "keras")


def write(path: Path, workload: Workload, weights: Weights, about: dict[str, str]) -> None:
    """The network with any number of images ``[n, 784]`` or ``[n, 28, 28, 1]``, in LiteRT's own operators alone.

    Left to itself Keras allows TensorFlow's operators too, which a phone's LiteRT does not have.
    """
    signature = [keras.InputSpec("float32", (None, *input_shape(workload, "keras")), name=INPUT)]
    own = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    build(workload, weights).export(path, format="litert", verbose=False, input_signature=signature, target_spec=own)
    litert.finish(path, about)

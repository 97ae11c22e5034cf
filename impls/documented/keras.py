"""Keras as the tutorials write it: arrays, ``compile`` with a loss by name, ``fit``.

The tutorials give this program in fragments only. It is completed as their readers would: softmax output, since the
loss of that name expects probabilities, and Keras' own defaults for all that the tutorials do not mention.
"""

import os
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from impls.contract import Unavailable
from impls.workload import SGD, Conv, Dense, Dropout, Pool


class Implementation:
    takes_order = False
    adam = ("keras", 1e-7)

    def __init__(self, workload, device, seed):
        if device == "mps" or (device == "cuda" and not tf.config.list_physical_devices("GPU")):
            raise Unavailable(f"Keras on TensorFlow {tf.__version__} sees no {device.upper()} device")
        if device == "cpu":
            tf.config.set_visible_devices([], "GPU")  # what no variable hides: GPUs that are not NVIDIA's
        keras.utils.set_random_seed(seed)
        tf.config.experimental.enable_tensor_float_32_execution(workload.precision == "tf32")
        self.workload = workload
        self.device = device
        self.model = keras.Sequential([keras.Input(workload.shapes[0]), *model_layers(workload)])
        self.trained = [layer for layer in self.model.layers if layer.trainable_variables]
        rate = workload.optimiser.learning_rate
        if isinstance(workload.optimiser, SGD):
            optimiser = keras.optimizers.SGD(learning_rate=rate, momentum=workload.optimiser.momentum)
        else:
            optimiser = keras.optimizers.Adam(learning_rate=rate)
        self.model.compile(optimizer=optimiser, loss="sparse_categorical_crossentropy")

    def load(self, data):
        self.x = self.workload.scale(data.x_train)
        self.y = data.y_train.astype(np.int64)
        self.x_test = self.workload.scale(data.x_test)
        if self.device == "cuda":
            tf.config.experimental.reset_memory_stats("GPU:0")  # the peak is that of training

    def set_weights(self, weights):
        for layer, (kernel, bias) in zip(self.trained, weights, strict=True):
            layer.set_weights([kernel, bias])

    def get_weights(self):
        return [tuple(layer.get_weights()) for layer in self.trained]

    def train_epoch(self, order):
        history = self.model.fit(
            self.x, self.y, batch_size=self.workload.batch_size, epochs=1, shuffle=self.workload.shuffle
        )
        return history.history["loss"][0]

    def predict(self):
        probabilities = self.model.predict(self.x_test, batch_size=self.workload.test_batch_size)
        return np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))  # logits, up to a constant per row

    def sync(self):
        tf.test.experimental.sync_devices()

    def device_memory(self):
        if self.device != "cuda":
            return None
        return {"peak_bytes": tf.config.experimental.get_memory_info("GPU:0")["peak"]}

    @property
    def switches(self):
        first = self.trained[0]
        return {
            "initialiser": f"{type(first.kernel_initializer).__name__}, bias {type(first.bias_initializer).__name__}",
            "adam_epsilon": getattr(self.model.optimizer, "epsilon", None),
            "last_batch": "used",
            "precision": self.model.dtype_policy.name,
            "tf32": tf.config.experimental.tensor_float_32_execution_enabled(),
            "threads": int(os.environ.get("TF_NUM_INTRAOP_THREADS", 0)),
            "compile": f"traced{', XLA' if self.model.jit_compile else ''}",
            "data": "NumPy arrays on the host",
            "predict": "model.predict(x)",
            "backend": keras.backend.backend(),
            "jit_compile": self.model.jit_compile,
            "run_eagerly": self.model.run_eagerly,
            "optimiser": str(self.model.optimizer.get_config()),
            "device_memory": "tensorflow, since loading" if self.device == "cuda" else None,
        }


def model_layers(workload):
    *hidden, last = workload.layers
    described = [*hidden, replace(last, activation="softmax")]
    for layer, before in zip(described, workload.shapes, strict=False):
        match layer:
            case Dense():
                yield from [layers.Flatten()] if len(before) == 3 else []
                yield layers.Dense(units=layer.units, activation=layer.activation)
            case Conv():
                same = 2 * layer.padding == layer.size - 1
                yield from [] if same or not layer.padding else [layers.ZeroPadding2D(layer.padding)]
                padding = "same" if same else "valid"
                yield layers.Conv2D(layer.filters, layer.size, padding=padding, activation=layer.activation)
            case Pool():
                yield layers.MaxPooling2D(layer.size)
            case Dropout():
                yield layers.Dropout(layer.rate)

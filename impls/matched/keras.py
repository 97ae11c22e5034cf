"""Keras, matched: the given start, the given batches, and Keras' plain training loop, which is ``fit``.

The epoch's samples are put in the given order first (inside the timer: PyTorch picks its batches inside it too), and
``fit`` then takes them as they come. The backend is Keras' own choice by ``KERAS_BACKEND``, set before the import.
"""

import keras
import numpy as np
from keras import layers, ops

from impls.contract import SGD, Unavailable


class Implementation:
    takes_order = True
    adam = ("keras", 1e-7)

    def __init__(self, workload, device, seed):
        if device == "cuda" and not keras.distribution.list_devices("gpu"):
            raise Unavailable(f"Keras on {keras.backend.backend()} sees no CUDA device")
        if device == "mps":
            raise Unavailable(f"Keras on {keras.backend.backend()} has no MPS device")
        keras.utils.set_random_seed(seed)
        self.workload = workload
        self.device = device
        self.dense = [layers.Dense(layer.units, activation=layer.activation) for layer in workload.layers]
        self.model = keras.Sequential([keras.Input((workload.inputs,)), *self.dense])
        optimiser = keras.optimizers.SGD if isinstance(workload.optimiser, SGD) else keras.optimizers.Adam
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.model.compile(
            optimizer=optimiser(learning_rate=workload.optimiser.learning_rate),
            loss=loss if workload.loss == "cross-entropy" else log_softmax_nll,
            jit_compile=False,
        )
        self.switches = {
            "backend": keras.backend.backend(),
            "float": keras.config.floatx(),
            "jit_compile": self.model.jit_compile,
            "run_eagerly": self.model.run_eagerly,
            "optimiser": str(self.model.optimizer.get_config()),
        }

    def load(self, data):
        self.x = self.workload.scale(data.x_train)
        self.y = data.y_train.astype(np.int64)
        self.x_test = self.workload.scale(data.x_test)

    def set_weights(self, weights):
        for dense, (kernel, bias) in zip(self.dense, weights, strict=True):
            dense.set_weights([kernel, bias])

    def get_weights(self):
        return [tuple(dense.get_weights()) for dense in self.dense]

    def train_epoch(self, order):
        history = self.model.fit(
            self.x[order], self.y[order], batch_size=self.workload.batch_size, epochs=1, shuffle=False, verbose=0
        )
        return history.history["loss"][0]

    def predict(self):
        return self.model.predict(self.x_test, batch_size=self.workload.test_batch_size, verbose=0)

    def sync(self):
        for variable in self.model.trainable_variables:
            ops.convert_to_numpy(variable)

    def device_memory(self):
        if self.device != "cuda":
            return None
        import tensorflow as tf

        info = tf.config.experimental.get_memory_info("GPU:0")
        return {"peak_bytes": info["peak"], "reserved_bytes": info["current"]}


def log_softmax_nll(labels, logits):
    return -ops.take_along_axis(ops.log_softmax(logits), ops.expand_dims(labels, 1), axis=1)

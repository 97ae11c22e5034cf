"""Keras as the documents write it: arrays, ``compile`` with a loss by name, ``fit``.

The documents give this program in fragments only; it is completed as their readers would: softmax output, since the
loss by that name expects probabilities, and Keras' own defaults for all that the documents do not mention.
"""

import keras
import numpy as np
from keras import layers

from impls.contract import SGD, Unavailable


class Implementation:
    takes_order = False
    adam = ("keras", 1e-7)

    def __init__(self, workload, device, seed):
        if device == "cuda" and not keras.distribution.list_devices("gpu"):
            raise Unavailable(f"Keras on {keras.backend.backend()} sees no CUDA device")
        if device == "mps":
            raise Unavailable(f"Keras on {keras.backend.backend()} has no MPS device")
        keras.utils.set_random_seed(seed)
        self.workload = workload
        self.device = device
        *hidden, last = workload.layers
        self.dense = [layers.Dense(units=layer.units, activation=layer.activation) for layer in hidden]
        self.dense.append(layers.Dense(units=last.units, activation="softmax"))
        self.model = keras.Sequential([keras.Input((workload.inputs,)), *self.dense])
        optimiser = keras.optimizers.SGD if isinstance(workload.optimiser, SGD) else keras.optimizers.Adam
        self.model.compile(
            optimizer=optimiser(learning_rate=workload.optimiser.learning_rate),
            loss="sparse_categorical_crossentropy",
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
            self.x, self.y, batch_size=self.workload.batch_size, epochs=1, shuffle=self.workload.shuffle
        )
        return history.history["loss"][0]

    def predict(self):
        probabilities = self.model.predict(self.x_test, batch_size=self.workload.test_batch_size)
        return np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))  # logits, up to a constant per row

    def sync(self):
        for variable in self.model.trainable_variables:
            keras.ops.convert_to_numpy(variable)

    def device_memory(self):
        if self.device != "cuda":
            return None
        import tensorflow as tf

        info = tf.config.experimental.get_memory_info("GPU:0")
        return {"peak_bytes": info["peak"], "reserved_bytes": info["current"]}

"""Keras, tuned by what its own API offers: XLA for the step, a whole epoch in one call, data that stays in tensors.

``jit_compile`` has XLA fuse the step, ``steps_per_execution`` runs all steps of an epoch without going back to Python,
and a ``tf.data`` pipeline picks the batches from tensors. On the TensorFlow backend only, where these exist.
"""

import keras
import numpy as np
import tensorflow as tf

from impls.contract import SGD, Unavailable
from impls.matched.keras import layers, log_softmax_nll, seen, tf32, threads


class Implementation:
    takes_order = True
    adam = ("keras", 1e-7)
    dtypes = ("float32", "float64")

    def __init__(self, workload, device, seed):
        if device not in seen():
            raise Unavailable(f"TensorFlow {tf.__version__} sees no {device.upper()} device")
        keras.utils.set_random_seed(seed)
        keras.config.set_floatx(workload.dtype)
        keras.config.set_dtype_policy(workload.dtype)
        keras.config.set_image_data_format("channels_last")
        tf.config.experimental.enable_tensor_float_32_execution(workload.precision == "tf32")
        if device == "cpu":
            tf.config.set_visible_devices([], "GPU")
        self.workload, self.device = workload, device
        self.model = keras.Sequential([keras.Input(workload.shapes[0]), *layers(workload)])
        self.trained = [layer for layer in self.model.layers if layer.trainable_variables]
        rate = workload.optimiser.learning_rate
        if isinstance(workload.optimiser, SGD):
            optimiser = keras.optimizers.SGD(learning_rate=rate, momentum=workload.optimiser.momentum)
        else:
            optimiser = keras.optimizers.Adam(learning_rate=rate)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.loss = loss if workload.loss == "cross-entropy" else log_softmax_nll
        self.optimiser, self.steps = optimiser, None

    def load(self, data):
        self.x, self.x_test = (tf.constant(self.workload.scale(x)) for x in (data.x_train, data.x_test))
        self.y = tf.constant(data.y_train.astype(np.int64))
        if self.device == "cuda":
            tf.config.experimental.reset_memory_stats("GPU:0")

    def set_weights(self, weights):
        for layer, (kernel, bias) in zip(self.trained, weights, strict=True):
            layer.set_weights([kernel, bias])

    def get_weights(self):
        return [tuple(layer.get_weights()) for layer in self.trained]

    def train_epoch(self, order):
        size = self.workload.batch_size
        steps = -(-len(order) // size)
        if self.steps is None or steps > self.steps:  # fewer than that end early
            self.model.compile(self.optimiser, self.loss, jit_compile=True, steps_per_execution=steps)
            self.steps = steps
        batches = tf.data.Dataset.from_tensor_slices(tf.constant(order)).batch(size)
        picked = batches.map(lambda batch: (tf.gather(self.x, batch), tf.gather(self.y, batch)))
        return self.model.fit(picked.prefetch(tf.data.AUTOTUNE), epochs=1, verbose=0).history["loss"][0]

    def predict(self):
        size = self.workload.test_batch_size
        parts = [self.x_test[start : start + size] for start in range(0, len(self.x_test), size)]
        return np.concatenate([self.model.predict_on_batch(x) for x in parts])

    def sync(self):
        tf.test.experimental.sync_devices()

    def device_memory(self):
        if self.device != "cuda":
            return None
        return {"peak_bytes": tf.config.experimental.get_memory_info("GPU:0")["peak"]}

    @property
    def switches(self):
        return {
            "initialiser": "given by the harness",
            "adam_epsilon": getattr(self.optimiser, "epsilon", None),
            "last_batch": "used",
            "precision": self.model.dtype_policy.name,
            "tf32": tf32(),
            "threads": threads(),
            "compile": "the step, XLA",
            "data": "tensors, by tf.data",
            "steps_per_execution": self.steps,
        }

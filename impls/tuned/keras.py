"""Keras, tuned by what its own API offers: a ``train_step`` that takes a whole epoch, compiled by XLA.

Keras lets a model define its training step. Here that is a loop over all batches, each picked by index from tensors
that stay on the device, so that ``jit_compile`` makes XLA compile the whole epoch as one program; model, gradients and
optimiser are Keras' own. ``steps_per_execution`` would keep Python out of the loop too, but it compiles each step by
itself and feeds it by ``tf.data``. Only on the TensorFlow backend.
"""

import keras
import numpy as np
import tensorflow as tf

from impls.contract import Unavailable
from impls.matched.keras import layers, log_softmax_nll, seen, tf32, threads
from impls.workload import SGD


class Epochwise(keras.Sequential):
    def train_step(self, data):
        batches, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        steps, size = tf.unstack(tf.shape(batches))

        def step(number, total):
            x, y = (tf.gather(tensor, batches[number]) for tensor in (self.x, self.y))
            with tf.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
            self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
            return number + 1, total + loss

        total = tf.while_loop(lambda number, _: number < steps, step, (0, tf.zeros((), self.compute_dtype)))[1]
        return {"loss": total * tf.cast(size, total.dtype)}


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
        self.model = Epochwise([keras.Input(workload.shapes[0]), *layers(workload)])
        self.trained = [layer for layer in self.model.layers if layer.trainable_variables]
        rate = workload.optimiser.learning_rate
        if isinstance(workload.optimiser, SGD):
            optimiser = keras.optimizers.SGD(learning_rate=rate, momentum=workload.optimiser.momentum)
        else:
            optimiser = keras.optimizers.Adam(learning_rate=rate)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        loss = loss if workload.loss == "cross-entropy" else log_softmax_nll
        self.model.compile(optimiser, loss, jit_compile=True)

    def load(self, data):
        self.model.x, self.x_test = (tf.constant(self.workload.scale(x)) for x in (data.x_train, data.x_test))
        self.model.y = tf.constant(data.y_train.astype(np.int64))
        self.model.make_train_function(force=True)  # what was traced holds the data before
        if self.device == "cuda":
            tf.config.experimental.reset_memory_stats("GPU:0")

    def set_weights(self, weights):
        for layer, (kernel, bias) in zip(self.trained, weights, strict=True):
            layer.set_weights([kernel, bias])

    def get_weights(self):
        return [tuple(layer.get_weights()) for layer in self.trained]

    def train_epoch(self, order):
        whole = len(order) // self.workload.batch_size * self.workload.batch_size
        parts = order[:whole].reshape(-1, self.workload.batch_size), order[None, whole:]  # the last batch is smaller
        losses = [self.model.train_on_batch(part.astype(np.int32)) for part in parts if part.size]
        return float(sum(losses)) / len(order)

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
            "adam_epsilon": getattr(self.model.optimizer, "epsilon", None),
            "last_batch": "used",
            "precision": self.model.dtype_policy.name,
            "tf32": tf32(),
            "threads": threads(),
            "compile": "the epoch, XLA",
            "data": f"tensors on {self.x_test.device.rpartition(':')[0].rpartition(':')[2]}",
            "optimiser": str(self.model.optimizer.get_config()),
            "device_memory": "tensorflow, since loading" if self.device == "cuda" else None,
        }

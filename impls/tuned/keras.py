"""Keras, tuned by what its own API offers: a ``train_step`` that takes a whole epoch, compiled by XLA.

Keras lets a model define its training step. Here that is a loop over all batches, each picked by index from tensors
that stay on the device, so that ``jit_compile`` makes XLA compile the whole epoch as one program; model, gradients and
optimiser are Keras' own. ``steps_per_execution`` would keep Python out of the loop too, but it compiles each step by
itself and feeds it by ``tf.data``. Only on the TensorFlow backend. All else is as in ``impls/matched/keras.py``.
"""

import keras
import numpy as np
import tensorflow as tf

from impls.matched.keras import Implementation


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


class Implementation(Implementation):
    def __init__(self, workload, device, seed):
        super().__init__(workload, device, seed)
        matched = self.model
        self.model = Epochwise([keras.Input(workload.shapes[0]), *matched.layers])
        self.model.compile(matched.optimizer, matched.loss, jit_compile=True)

    def load(self, data):
        self.model.x, self.x_test = (tf.constant(self.workload.scale(x)) for x in (data.x_train, data.x_test))
        self.model.y = tf.constant(data.y_train.astype(np.int64))
        self.model.make_train_function(force=True)  # what was traced holds the data before
        if self.device == "cuda":
            tf.config.experimental.reset_memory_stats("GPU:0")

    def train_epoch(self, order):
        whole = len(order) // self.workload.batch_size * self.workload.batch_size
        parts = order[:whole].reshape(-1, self.workload.batch_size), order[None, whole:]  # the last batch is smaller
        losses = [self.model.train_on_batch(part.astype(np.int32)) for part in parts if part.size]
        return float(sum(losses)) / len(order)

    def predict(self):
        size = self.workload.test_batch_size
        parts = [self.x_test[start : start + size] for start in range(0, len(self.x_test), size)]
        return np.concatenate([self.model.predict_on_batch(x) for x in parts])

    @property
    def switches(self):
        device = self.x_test.device.rpartition(":")[0].rpartition(":")[2]
        own = {"compile": "the epoch, XLA", "data": f"tensors on {device}", "predict": "model.predict_on_batch(x)"}
        return super().switches | own

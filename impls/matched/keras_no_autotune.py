"""Keras on TensorFlow, matched, without tf.data's autotuning: the end of an epoch waits for no thread of its own.

``fit`` makes a dataset of arrays by itself and tunes how that is fed; here it is given one for which this is switched
off. docs/waiting.md says what is waited for otherwise. All else is as in ``impls/matched/keras.py``.
"""

import tensorflow as tf

from impls.matched.keras import Implementation

OPTIONS = tf.data.Options()
OPTIONS.autotune.enabled = False


class Implementation(Implementation):
    def train_epoch(self, order):
        samples = tf.data.Dataset.from_tensor_slices((self.x[order], self.y[order]))
        batches = samples.batch(self.workload.batch_size).prefetch(2).with_options(OPTIONS)
        return self.model.fit(batches, epochs=1, shuffle=False, verbose=0).history["loss"][0]

    @property
    def switches(self):
        return super().switches | {"data": "NumPy arrays on the host, a dataset without autotuning"}

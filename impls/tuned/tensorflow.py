"""TensorFlow, tuned: the whole epoch in one function, compiled by XLA.

In a ``while_loop`` inside ``tf.function(jit_compile=True)`` no Python runs between two steps, and XLA fuses a step's
gathering, forward and backward pass and Adam. Dense kernels are kept as ``[out, in]``: XLA then computes their
gradients faster, and the forward pass no slower.
"""

import math

import numpy as np
import tensorflow as tf

from impls.contract import Unavailable
from impls.workload import SGD, Conv, Dense, Dropout, Pool

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
ACTIVATIONS = {"linear": tf.identity, "relu": tf.nn.relu, "sigmoid": tf.nn.sigmoid, "tanh": tf.nn.tanh}


class Implementation:
    takes_order = True
    adam = ("pytorch", EPSILON)
    dtypes = ("float32", "float64")

    def __init__(self, workload, device, seed):
        if device == "mps" or (device == "cuda" and not tf.config.list_physical_devices("GPU")):
            raise Unavailable(f"TensorFlow {tf.__version__} sees no {device.upper()} device")
        if device == "cpu":
            tf.config.set_visible_devices([], "GPU")
        tf.random.set_seed(seed)
        tf.config.experimental.enable_tensor_float_32_execution(workload.precision == "tf32")
        self.workload, self.device = workload, device
        shapes = [shape for kernel in workload.kernels for shape in (kernel, kernel[-1:])]
        arrays = [turned(np.zeros(shape, workload.dtype)) for shape in shapes]
        self.weights, self.first, self.second = ([tf.Variable(array) for array in arrays] for _ in range(3))
        self.count = tf.Variable(0, dtype=tf.int32)
        self.epoch = tf.function(self.epoch_of, jit_compile=True, reduce_retracing=False)
        self.predicted = tf.function(self.logits, jit_compile=True)

    def load(self, data):
        self.x, self.x_test = (tf.constant(self.workload.scale(x)) for x in (data.x_train, data.x_test))
        self.y = tf.constant(data.y_train.astype(np.int32))
        if self.device == "cuda":
            tf.config.experimental.reset_memory_stats("GPU:0")

    def set_weights(self, weights):
        for variable, array in zip(self.weights, (array for layer in weights for array in layer), strict=True):
            variable.assign(turned(array))

    def get_weights(self):
        arrays = [turned(variable.numpy()).copy() for variable in self.weights]
        return list(zip(arrays[::2], arrays[1::2], strict=True))

    def train_epoch(self, order):
        whole = len(order) // self.workload.batch_size * self.workload.batch_size
        parts = order[:whole].reshape(-1, self.workload.batch_size), order[None, whole:]  # the last batch is smaller
        losses = [self.epoch(self.x, self.y, tf.constant(part, tf.int32)) for part in parts if part.size]
        return float(sum(losses)) / len(order)

    def predict(self):
        size = self.workload.test_batch_size
        parts = [self.x_test[start : start + size] for start in range(0, len(self.x_test), size)]
        return np.concatenate([self.predicted(x).numpy() for x in parts])

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
            "adam_epsilon": EPSILON,
            "last_batch": "used",
            "precision": self.x.dtype.name,
            "tf32": tf.config.experimental.tensor_float_32_execution_enabled(),
            "threads": tf.config.threading.get_intra_op_parallelism_threads(),
            "compile": "the epoch, XLA",
            "data": f"tensors on {self.x.device.rpartition(':')[0].rpartition(':')[2]}",
            "predict": "a tf.function of x, XLA",
            "device_memory": "tensorflow, since loading" if self.device == "cuda" else None,
        }

    def epoch_of(self, x, y, batches):
        """Train on ``batches`` (int32 ``[n, size]``) and return the sum of all samples' losses."""
        total = tf.zeros((), x.dtype)
        for batch in tf.range(batches.shape[0]):
            picked = batches[batch]
            total += self.step(tf.gather(x, picked), tf.gather(y, picked)) * batches.shape[1]
        return total

    def step(self, x, y):
        with tf.GradientTape() as tape:
            logits = self.logits(x, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))
        gradients, count = tape.gradient(loss, self.weights), self.count.assign_add(1)
        update(self.workload.optimiser, self.weights, self.first, self.second, gradients, count)
        return loss

    def logits(self, x, training=False):
        waiting = iter(zip(self.weights[::2], self.weights[1::2], strict=True))
        for layer in self.workload.layers:
            match layer:
                case Dense():
                    kernel, bias = next(waiting)
                    x = tf.matmul(tf.reshape(x, (x.shape[0], -1)), kernel, transpose_b=True)
                    x = ACTIVATIONS[layer.activation](x + bias)
                case Conv():
                    kernel, bias = next(waiting)
                    pad = [[0, 0], *[[layer.padding] * 2] * 2, [0, 0]]
                    x = ACTIVATIONS[layer.activation](tf.nn.conv2d(x, kernel, 1, pad) + bias)
                case Pool():
                    x = tf.nn.max_pool2d(x, layer.size, layer.size, "VALID")
                case Dropout() if training:
                    x = tf.nn.dropout(x, layer.rate)
        return x


def update(optimiser, weights, first, second, gradients, count):
    """Update all weights in place; ``count`` is the number of this step, from 1 on."""
    rate, power = optimiser.learning_rate, tf.cast(count, weights[0].dtype)
    root = tf.sqrt(1 - tf.exp(power * math.log(BETA_2)))
    unbiased = rate * root / (1 - tf.exp(power * math.log(BETA_1)))
    for w, m, v, g in zip(weights, first, second, gradients, strict=True):
        if isinstance(optimiser, SGD):
            m.assign(optimiser.momentum * m + g)
            w.assign_sub(rate * m)
        else:
            m.assign(BETA_1 * m + (1 - BETA_1) * g)
            v.assign(BETA_2 * v + (1 - BETA_2) * g * g)
            w.assign_sub(unbiased * m / (tf.sqrt(v) + EPSILON * root))


def turned(array):
    """A dense kernel transposed, anything else as it is."""
    return array.T if array.ndim == 2 else array

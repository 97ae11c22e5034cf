"""JAX, matched: the given start, the given batches, and the loop of JAX's own tutorials: one compiled step, in Python.

The step is a pure function of weights, state and batch. ``jit`` compiles it once for each batch size.
"""

import math
import os
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from impls.contract import Unavailable
from impls.workload import SGD, Conv, Dense, Dropout, Pool

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
SINCE = "jax, since the start: it has no way to begin a new peak"
ACTIVATIONS = {"linear": lambda x: x, "relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh}


class Implementation:
    takes_order = True
    adam = ("pytorch", EPSILON)
    dtypes = ("float32", "float64")

    def __init__(self, workload, device, seed):
        configure(workload, device)
        self.workload, self.device = workload, device
        self.key = jax.random.key(seed)
        self.weights = [(jnp.zeros(kernel), jnp.zeros(kernel[-1])) for kernel in workload.kernels]
        self.state = None

    def load(self, data):
        self.x, self.x_test = (jnp.asarray(self.workload.scale(x)) for x in (data.x_train, data.x_test))
        self.y = jnp.asarray(data.y_train.astype(np.int32))

    def set_weights(self, weights):
        self.weights = jax.tree.map(jnp.array, weights)

    def get_weights(self):
        return [(np.array(kernel), np.array(bias)) for kernel, bias in self.weights]

    def train_epoch(self, order):
        if self.state is None:
            self.state = jax.tree.map(jnp.zeros_like, (self.weights, self.weights)), jnp.zeros((), jnp.int32)
        total, size = jnp.zeros(()), self.workload.batch_size
        for batch in (order[start : start + size] for start in range(0, len(order), size)):
            self.weights, self.state, self.key, loss = step(
                self.workload, self.weights, self.state, self.key, self.x, self.y, batch
            )
            total += loss * len(batch)
        return float(total) / len(order)

    def predict(self):
        size = self.workload.test_batch_size
        parts = [self.x_test[start : start + size] for start in range(0, len(self.x_test), size)]
        return np.concatenate([predicted(self.workload, self.weights, x) for x in parts])

    def sync(self):
        jax.block_until_ready((self.weights, self.state))

    def device_memory(self):
        return memory() if self.device == "cuda" else None

    @property
    def switches(self):
        return {
            "initialiser": "given by the harness",
            "adam_epsilon": EPSILON,
            "last_batch": "used",
            "precision": str(self.x.dtype),
            "tf32": tf32(),
            "threads": int(os.environ.get("NPROC", 0)),
            "compile": "the step, XLA",
            "data": f"arrays on {self.x.device.platform}",
            "predict": "a function of x under jit",
            "device_memory": SINCE if self.device == "cuda" else None,
        }


def configure(workload, device):
    if device not in ("cpu", "cuda") or (device == "cuda") != (jax.default_backend() == "gpu"):
        raise Unavailable(f"JAX {jax.__version__} computes on {jax.default_backend()} here, not on {device}")
    jax.config.update("jax_enable_x64", workload.dtype == "float64")
    products = "tensorfloat32" if workload.precision == "tf32" else "float32"
    jax.config.update("jax_default_matmul_precision", products if device == "cuda" else None)


def tf32():
    products = jax.config.jax_default_matmul_precision
    return None if products is None else products == "tensorfloat32"


def memory():
    stats = jax.local_devices()[0].memory_stats()
    names = {"peak_bytes": "peak_bytes_in_use", "reserved_bytes": "peak_pool_bytes"}
    return {name: stats[key] for name, key in names.items() if key in stats} if stats else None


@partial(jax.jit, static_argnums=0)
def step(workload, weights, state, key, x, y, batch):
    key, own = jax.random.split(key)
    loss, gradients = jax.value_and_grad(loss_of)(weights, workload, x[batch], y[batch], own)
    return *update(workload.optimiser, weights, gradients, state), key, loss


@partial(jax.jit, static_argnums=0)
def predicted(workload, weights, x):
    return logits_of(workload, weights, x)


def loss_of(weights, workload, x, y, key):
    logits = logits_of(workload, weights, x, key)
    picked = jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1)
    return -picked.mean()


def logits_of(workload, weights, x, key=None):
    waiting = iter(weights)
    for number, layer in enumerate(workload.layers):
        match layer:
            case Dense():
                kernel, bias = next(waiting)
                x = ACTIVATIONS[layer.activation](x.reshape(len(x), -1) @ kernel + bias)
            case Conv():
                kernel, bias = next(waiting)
                pad = [(layer.padding, layer.padding)] * 2
                kinds = ("NHWC", "HWIO", "NHWC")
                x = lax.conv_general_dilated(x, kernel, (1, 1), pad, dimension_numbers=kinds)
                x = ACTIVATIONS[layer.activation](x + bias)
            case Pool():
                sides = (1, layer.size, layer.size, 1)
                x = lax.reduce_window(x, -jnp.inf, lax.max, sides, sides, "valid")
            case Dropout() if key is not None:
                kept = jax.random.bernoulli(jax.random.fold_in(key, number), 1 - layer.rate, x.shape)
                x = jnp.where(kept, x / (1 - layer.rate), 0)
    return x


def update(optimiser, weights, gradients, state):
    (first, second), steps = state
    if isinstance(optimiser, SGD):
        first = jax.tree.map(lambda v, g: optimiser.momentum * v + g, first, gradients)
        weights = jax.tree.map(lambda w, v: w - optimiser.learning_rate * v, weights, first)
        return weights, ((first, second), steps)
    steps = steps + 1
    power = steps.astype(jax.tree.leaves(weights)[0].dtype)
    root = jnp.sqrt(1 - jnp.exp(power * math.log(BETA_2)))
    rate = optimiser.learning_rate * root / (1 - jnp.exp(power * math.log(BETA_1)))
    first = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, first, gradients)
    second = jax.tree.map(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, second, gradients)
    moved = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + EPSILON * root), weights, first, second)
    return moved, ((first, second), steps)

"""JAX, tuned: one compiled program for the whole epoch.

``jit`` of a ``scan`` over the batches: XLA compiles a step's gathering, forward and backward pass and Adam together, no
Python runs between steps, and weights and moments are donated, so that each step overwrites the arrays of the one
before. Dense kernels are kept as ``[out, in]``: XLA then computes their gradients faster, and the forward pass no
slower. Network, loss and optimiser are those of ``impls/matched/jax.py``.
"""

import os
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from impls.matched.jax import EPSILON, SINCE, configure, loss_of, memory, predicted, tf32, update


class Implementation:
    takes_order = True
    adam = ("pytorch", EPSILON)
    dtypes = ("float32", "float64")

    def __init__(self, workload, device, seed):
        configure(workload, device)
        self.workload, self.device = workload, device
        self.key = jax.random.key(seed)
        self.weights = turned([(jnp.zeros(kernel), jnp.zeros(kernel[-1])) for kernel in workload.kernels])
        self.state = None

    def load(self, data):
        self.x, self.x_test = (jnp.asarray(self.workload.scale(x)) for x in (data.x_train, data.x_test))
        self.y = jnp.asarray(data.y_train.astype(np.int32))

    def set_weights(self, weights):
        self.weights = turned(jax.tree.map(jnp.array, weights))

    def get_weights(self):
        return [(np.array(kernel), np.array(bias)) for kernel, bias in turned(self.weights)]

    def train_epoch(self, order):
        if self.state is None:
            self.state = jax.tree.map(jnp.zeros_like, (self.weights, self.weights)), jnp.zeros((), jnp.int32)
        whole = len(order) // self.workload.batch_size * self.workload.batch_size
        total = 0.0
        for part in (order[:whole].reshape(-1, self.workload.batch_size), order[None, whole:]):  # the last is smaller
            if part.size:
                self.weights, self.state, self.key, loss = epoch(
                    self.workload, self.weights, self.state, self.key, self.x, self.y, part.astype(np.int32)
                )
                total += float(loss)
        return total / len(order)

    def predict(self):
        size = self.workload.test_batch_size
        parts = [self.x_test[start : start + size] for start in range(0, len(self.x_test), size)]
        return np.concatenate([predicted(self.workload, turned(self.weights), x) for x in parts])

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
            "compile": "the epoch, XLA",
            "data": f"arrays on {self.x.device.platform}",
            "device_memory": SINCE if self.device == "cuda" else None,
            "donated": "weights and moments",
        }


@partial(jax.jit, static_argnums=0, donate_argnums=(1, 2, 3))
def epoch(workload, weights, state, key, x, y, batches):
    """Train on ``batches`` (int32 ``[n, size]``); returns weights and state, and the sum of all samples' losses."""

    def step(carried, batch):
        weights, state, key = carried
        key, own = jax.random.split(key)
        gradient = jax.value_and_grad(lambda held: loss_of(turned(held), workload, x[batch], y[batch], own))
        loss, gradients = gradient(weights)
        return (*update(workload.optimiser, weights, gradients, state), key), loss * len(batch)

    (weights, state, key), losses = lax.scan(step, (weights, state, key), batches)
    return weights, state, key, losses.sum()


def turned(weights):
    """Dense kernels transposed; XLA makes that a part of the products."""
    return [(kernel.T if kernel.ndim == 2 else kernel, bias) for kernel, bias in weights]

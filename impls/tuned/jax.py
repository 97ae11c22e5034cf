"""JAX, tuned: one compiled program for the whole epoch.

``jit`` of a ``scan`` over the batches: XLA compiles a step's gathering, forward and backward pass and Adam together, no
Python runs between steps, and weights and moments are donated, so that each step overwrites the arrays of the one
before. Dense kernels are kept as ``[out, in]``: XLA then computes their gradients faster, and the forward pass no
slower. All else is as in ``impls/matched/jax.py``.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from impls.matched.jax import Implementation, loss_of, predicted, update


class Implementation(Implementation):
    def __init__(self, workload, device, seed):
        super().__init__(workload, device, seed)
        self.weights = turned(self.weights)

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

    @property
    def switches(self):
        return super().switches | {"compile": "the epoch, XLA", "donated": "weights and moments"}


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

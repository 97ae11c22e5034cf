"""The floor by JAX: each part is one compiled loop, in which XLA finds nothing but that part."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from impls import floor
from impls.matched.jax import configure, update


class Floor:
    def __init__(self, workload, device, x):
        configure(workload, device)
        self.workload, self.x = workload, jnp.asarray(x)
        self.operands = jax.tree.map(jnp.asarray, floor.operands(workload))
        self.weights, self.gradients = (jnp.full(workload.parameters, 1e-3) for _ in range(2))
        self.matrix = jnp.asarray(floor.matrix())

    def products(self, steps):
        self.results = jax.block_until_ready(multiplied(self.operands, steps))

    def optimiser(self, steps):
        self.weights, _ = jax.block_until_ready(updated(self.workload.optimiser, self.weights, self.gradients, steps))

    def gathering(self, steps):
        batches = floor.batches(len(self.x), self.workload.batch_size, steps).astype(np.int32)
        self.batch = jax.block_until_ready(gathered(self.x, batches))

    def large(self, times):
        for _ in range(times):
            product = square(self.matrix)
        product.block_until_ready()


@partial(jax.jit, static_argnums=1)
def multiplied(operands, steps):
    def step(number, carried):
        layers, _ = carried
        first = jnp.full((1, 1), number, jnp.float32)  # another number in each step, or XLA would multiply only once
        layers = [
            (lax.dynamic_update_slice(x, first, (0, 0)), kernel, lax.dynamic_update_slice(error, first, (0, 0)))
            for x, kernel, error in layers
        ]
        outputs = [x @ kernel for x, kernel, _ in layers]
        gradients = [error.T @ x for x, _, error in layers]
        backs = [error @ kernel.T for _, kernel, error in layers[1:]]
        return layers, (outputs, gradients, backs)

    outputs = [jnp.zeros_like(error) for _, _, error in operands]
    gradients = [jnp.zeros_like(kernel.T) for _, kernel, _ in operands]
    backs = [jnp.zeros_like(x) for x, _, _ in operands[1:]]
    return lax.fori_loop(0, steps, step, (operands, (outputs, gradients, backs)))[1]


@partial(jax.jit, static_argnums=(0, 3))
def updated(optimiser, weights, gradients, steps):
    state = (jnp.zeros_like(weights), jnp.zeros_like(weights)), jnp.zeros((), jnp.int32)
    return lax.fori_loop(0, steps, lambda _, held: update(optimiser, held[0], gradients, held[1]), (weights, state))


@jax.jit
def gathered(x, batches):
    return lax.fori_loop(0, len(batches), lambda i, _: x[batches[i]], jnp.zeros((batches.shape[1], *x.shape[1:])))


@jax.jit
def square(matrix):
    return matrix @ matrix

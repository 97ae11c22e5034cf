"""A trained network in JAX, built from portable weights. JAX has no file format of its own for one."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from impls.contract import Weights
from impls.matched.jax import configure, predicted
from impls.workload import Float32, Workload

Network = tuple[Workload, list[tuple[Any, Any]]]
"""A network as JAX has it: what it computes, and its weights on the device."""


def build(workload: Workload, weights: Weights, device: str = "cpu") -> Network:
    """The network, ready to predict, on the device that JAX has taken. Raises Unavailable where it is not this."""
    configure(workload, device)
    return workload, [(jnp.asarray(kernel), jnp.asarray(bias)) for kernel, bias in weights]


def logits(model: Network, x: Float32) -> Float32:
    """Logits ``[n, 10]`` of input as ``workload.scale`` makes it."""
    return np.asarray(predicted(*model, x))

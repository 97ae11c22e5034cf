"""A trained network in the oracle: NumPy and float64, for a look at what the frameworks' rounding does."""

from impls.contract import Unavailable, Weights
from impls.oracle import training
from impls.oracle.layers import Float64
from impls.workload import Float32, Workload


def build(workload: Workload, weights: Weights, device: str = "cpu") -> tuple[Workload, Weights]:
    """The network, ready to predict. Raises Unavailable for any device but the CPU."""
    if device != "cpu":
        raise Unavailable(f"NumPy sees no {device.upper()} device")
    return workload, weights


def logits(model: tuple[Workload, Weights], x: Float32) -> Float64:
    """Logits ``[n, 10]`` of input as ``workload.scale`` makes it."""
    return training.forward(*model, x)[0]

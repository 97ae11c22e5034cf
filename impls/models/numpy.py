"""A trained network in the oracle: NumPy and float64, for a look at what the frameworks' rounding does."""

from impls import reference
from impls.contract import Float32, Unavailable, Weights, Workload
from impls.layers import Float64


def build(workload: Workload, weights: Weights, device: str = "cpu") -> tuple[Workload, Weights]:
    """The network, ready to predict. Raises Unavailable for any device but the CPU."""
    if device != "cpu":
        raise Unavailable(f"NumPy sees no {device.upper()} device")
    return workload, weights


def logits(model: tuple[Workload, Weights], x: Float32) -> Float64:
    """Logits ``[n, 10]`` of input as ``workload.scale`` makes it."""
    return reference.forward(*model, x)[0]

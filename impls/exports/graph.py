"""What an exported file tells of the network in it: its steps one by one, and how to feed it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from impls.frameworks import FRAMEWORKS
from impls.workload import Float32, Workload

INPUT, OUTPUT, IMAGES = "image", "logits", "n"
"""What an exported network calls what it takes and what it gives, and their first dimension, which is free."""
Predict = Callable[[Float32], Float32]


@dataclass(frozen=True)
class Node:
    """One step of an exported network.

    ``shape`` is that of its output, None where it depends on the number of images, and as a whole where the file does
    not say. ``parameters`` counts the numbers of kernels and biases that it takes, ``size_bytes`` what they and its
    other constants take in the file.
    """

    name: str
    kind: str
    shape: tuple[int | None, ...] | None
    parameters: int
    size_bytes: int


def input_shape(workload: Workload, by: str) -> tuple[int, ...]:
    """What one image looks like to the network: with its channels where the framework has them."""
    shape = workload.shapes[0]
    return (shape[-1], *shape[:-1]) if FRAMEWORKS[by].channels == "first" and len(shape) == 3 else shape


def about(workload: Workload, by: str, origin: dict[str, Any]) -> dict[str, str]:
    """What a user of the file has to know, as texts to be written into it.

    The network takes images as it was trained on them: how to scale them is said here, not done in the graph, so that
    the graph is the network's own, layer by layer.
    """
    shape = ", ".join(map(str, (IMAGES, *input_shape(workload, by))))
    versions = " ".join(f"{name} {version}" for name, version in origin["versions"].items())
    return {
        "network": workload.name,
        "input": f"{INPUT} [{shape}] float32: {IMAGES} images of 28x28 grey levels, row by row, 0 background, 255 ink, "
        "scaled",
        "scaling": "(level / 255 - mean) / std",
        "mean": repr(workload.mean),
        "std": repr(workload.std),
        "output": f"{OUTPUT} [{IMAGES}, {workload.shapes[-1][0]}] float32: the digit is the largest",
        "trained_by": f"{origin['implementation']} ({versions})",
    }

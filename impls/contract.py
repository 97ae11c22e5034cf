"""What an implementation is: eight members, in the order in which they are used.

A *workload* says what is trained, *data* is what it is trained on, an *implementation* trains it. The harness builds
one implementation in a process of its own, and times two of its members: ``train_epoch`` and ``predict``.

Everything that crosses this border is a NumPy array or a plain number, so that no framework needs to know another.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Activation = Literal["linear", "relu", "sigmoid", "tanh"]
AdamForm = Literal["pytorch", "keras"]
Weights = list[tuple[Float32, Float32]]
"""One ``(kernel [in, out], bias [out])`` per dense layer, from the input to the logits."""


class Unavailable(Exception):
    """Raised by an implementation that cannot run here, with the reason: the cell is skipped, not failed."""


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: ``activation(x @ kernel + bias)``."""

    units: int
    activation: Activation = "linear"


@dataclass(frozen=True)
class Adam:
    """Adam with beta 0.9 and 0.999; the epsilon is the framework's own, which the implementation declares."""

    learning_rate: float
    kind: Literal["adam"] = "adam"


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent without momentum: ``w <- w - learning_rate * gradient``."""

    learning_rate: float
    kind: Literal["sgd"] = "sgd"


@dataclass(frozen=True)
class Workload:
    """One network and how it is trained.

    ``mean`` and ``std`` scale the images: ``(byte / 255 - mean) / std``. The loss is the mean softmax cross-entropy of
    the batch, written in one step (``cross-entropy``) or as log-softmax and negative log-likelihood
    (``log-softmax-nll``), which is the same function. A last batch that is not full is used, not dropped.
    """

    name: str
    document: int
    layers: tuple[Dense, ...]
    mean: float
    std: float
    batch_size: int
    test_batch_size: int
    epochs: int
    optimiser: Adam | SGD
    loss: Literal["cross-entropy", "log-softmax-nll"] = "cross-entropy"
    shuffle: bool = True
    seed: int | None = None
    note: str = ""

    inputs: ClassVar[int] = 28 * 28

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units from the input to the logits: ``(784, 128, 64, 10)``."""
        return (self.inputs, *(layer.units for layer in self.layers))

    @property
    def parameters(self) -> int:
        """Kernel and bias entries of all layers."""
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(self.sizes))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Workload":
        """The inverse of ``dataclasses.asdict``, for values that were validated before."""
        layers = tuple(Dense(**layer) for layer in values["layers"])
        optimiser = {"adam": Adam, "sgd": SGD}[values["optimiser"]["kind"]](**values["optimiser"])
        return cls(**{**values, "layers": layers, "optimiser": optimiser})

    def scale(self, images: NDArray[np.uint8]) -> Float32:
        """Bytes ``[n, 28, 28]`` to the network's input, float32 ``[n, 784]``.

        Each byte value is scaled once and then looked up: one pass, one copy, and bit for bit what torchvision's
        ``ToTensor`` and ``Normalize`` give, since the arithmetic is the same float32 arithmetic in the same order.
        """
        levels = np.arange(256, dtype=np.float32) / np.float32(255)
        table = (levels - np.float32(self.mean)) / np.float32(self.std)
        return table[images.reshape(len(images), -1)]


@dataclass(frozen=True)
class Data:
    """The images as bytes and the labels; ``root`` is the directory that torchvision reads them from.

    ``x_*`` uint8 ``[n, 28, 28]``, 0 is background; ``y_*`` uint8 ``[n]``, 0 to 9. The arrays are read-only views of the
    files, so that an implementation that reads ``root`` itself pays nothing for them.
    """

    x_train: NDArray[np.uint8]
    y_train: NDArray[np.uint8]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.uint8]
    root: Path


class Implementation(Protocol):
    """A framework's way to train a workload. The harness calls the members in this order.

    Declared on the class, each with a default that the harness assumes where it is missing:

    * ``takes_order`` (True): trains in the order it is given, from the weights it is given. False for programs that
      initialise by themselves and shuffle by themselves if the workload says so; they are compared as what a reader of
      the documents would run. Where ``workload.shuffle`` is False they too train in the order of the files.
    * ``adam`` ("pytorch", 1e-8): which published form of Adam it runs, "pytorch" or "keras", and its epsilon.

    and on the instance, after ``__init__``:

    * ``switches`` ({}): what was in force in the framework, by name, read from the running program where it can be.
    """

    def __init__(self, workload: Workload, device: str, seed: int) -> None:
        """Build the model, the loss and the optimiser on ``device`` (``cpu``, ``cuda`` or ``mps``).

        Raises :class:`Unavailable` where the framework cannot use the device, or for a loss or optimiser that the
        implementation does not have. The equivalence gate builds each with SGD too, to see its gradients.
        """

    def load(self, data: Data) -> None:
        """Take the data into the framework's own form, on its device.

        May be called again with other data, to go on training on that: the equivalence gate does so.
        """

    def set_weights(self, weights: Weights) -> None:
        """Overwrite all parameters; the optimiser's state is untouched, so it is called before training."""

    def get_weights(self) -> Weights:
        """Copies of all parameters, in the form that ``set_weights`` takes."""
        ...

    def train_epoch(self, order: NDArray[np.int64]) -> float:
        """Train once over the training images in ``order`` (int64 ``[n]``) and return the mean loss. **Timed.**

        Batches are consecutive slices of ``order``; the last one may be smaller. The mean is over samples, each loss
        taken before the step that used it.
        """
        ...

    def predict(self) -> Float32:
        """Logits of all test images, float32 ``[n_test, 10]``; any constant per row may be added. **Timed.**"""
        ...

    def sync(self) -> None:
        """Return when the device has finished all that it was given. Called before each reading of the clock."""

    def device_memory(self) -> dict[str, int] | None:
        """``{"peak_bytes": ..., "reserved_bytes": ...}`` of the device, or None where it has no memory of its own."""
        ...

"""What an implementation is: eight members, in the order in which they are used.

A *workload* says what is trained, *data* is what it is trained on, an *implementation* trains it. The harness builds
one implementation in a process of its own, and times two of its members: ``train_epoch`` and ``predict``.

Everything that crosses this border is a NumPy array or a plain number, so that no framework needs to know another.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Activation = Literal["linear", "relu", "sigmoid", "tanh"]
AdamForm = Literal["pytorch", "keras", "keras-float32-betas"]
Weights = list[tuple[Float32, Float32]]
"""One ``(kernel, bias [out])`` per dense and convolutional layer, from the input to the logits.

A dense kernel is ``[in, out]``, a convolutional one ``[size, size, in, out]``. A dense layer behind an image takes its
entries row by row with the channels innermost: ``[height, width, channels]`` flattened.
"""
Shape = tuple[int, ...]


class Unavailable(Exception):
    """Raised by an implementation that cannot run here, with the reason: the cell is skipped, not failed."""


@dataclass(frozen=True)
class Dense:
    """A fully connected layer, ``activation(x @ kernel + bias)``; an image is flattened first."""

    units: int
    activation: Activation = "linear"
    kind: Literal["dense"] = "dense"


@dataclass(frozen=True)
class Conv:
    """A convolution over ``size x size`` pixels with stride 1, ``padding`` zeros on every side, and an activation."""

    filters: int
    size: int
    padding: int = 0
    activation: Activation = "linear"
    kind: Literal["conv"] = "conv"


@dataclass(frozen=True)
class Pool:
    """The largest of every ``size x size`` pixels, side by side; rows and columns that fill no square are dropped."""

    size: int
    kind: Literal["pool"] = "pool"


@dataclass(frozen=True)
class Dropout:
    """In training each value is dropped with probability ``rate``, those that stay are divided by ``1 - rate``."""

    rate: float
    kind: Literal["dropout"] = "dropout"


Layer = Dense | Conv | Pool | Dropout


@dataclass(frozen=True)
class Adam:
    """Adam with beta 0.9 and 0.999; the epsilon is the framework's own, which the implementation declares."""

    learning_rate: float
    kind: Literal["adam"] = "adam"


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent: ``v <- momentum * v + gradient``, ``w <- w - learning_rate * v``."""

    learning_rate: float
    momentum: float = 0.0
    kind: Literal["sgd"] = "sgd"


@dataclass(frozen=True)
class Workload:
    """One network and how it is trained.

    ``mean`` and ``std`` scale the images: ``(byte / 255 - mean) / std``. The loss is the mean softmax cross-entropy of
    the batch, written in one step (``cross-entropy``) or as log-softmax and negative log-likelihood
    (``log-softmax-nll``), which is the same function. A last batch that is not full is used, not dropped.

    ``validation`` is the share of the training images that the harness holds out, and ``evaluate_every`` the number of
    batches after which it looks at them (0: after each epoch only); an implementation never sees either. ``dtype`` is
    what to compute in: ``float64`` is asked for by the equivalence gate alone, of those that declare it. With
    ``precision`` ``tf32`` a GPU may round what enters float32 products to TF32; ``float32`` forbids it.
    """

    name: str
    document: int
    layers: tuple[Layer, ...]
    mean: float
    std: float
    batch_size: int
    test_batch_size: int
    epochs: int
    optimiser: Adam | SGD
    loss: Literal["cross-entropy", "log-softmax-nll"] = "cross-entropy"
    shuffle: bool = True
    seed: int | None = None
    validation: float = 0.0
    evaluate_every: int = 0
    dtype: Literal["float32", "float64"] = "float32"
    precision: Literal["float32", "tf32"] = "float32"
    note: str = ""

    image: ClassVar[Shape] = (28, 28, 1)
    """Height, width and channels of the input; a network without conv and pool sees it as 784 numbers."""

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """What enters the first layer, and what leaves each: ``((784,), (128,), (10,))``, of images ``(28, 28, 1)``.

        Raises ValueError, naming the layer by its position from 0, where a layer cannot take what the one before gives.
        """
        looks = any(isinstance(layer, Conv | Pool) for layer in self.layers)
        found: list[Shape] = [self.image if looks else (math.prod(self.image),)]
        for position, layer in enumerate(self.layers):
            try:
                found.append(shape_after(layer, found[-1]))
            except ValueError as error:
                raise ValueError(f"{position}: {error}") from error
        return tuple(found)

    @property
    def inputs(self) -> tuple[Shape, ...]:
        """What enters each layer that has a kernel, in the order of :data:`Weights`."""
        pairs = zip(self.layers, self.shapes, strict=False)
        return tuple(before for layer, before in pairs if isinstance(layer, Dense | Conv))

    @property
    def kernels(self) -> tuple[Shape, ...]:
        """The shape of each kernel, in the order of :data:`Weights`."""
        return tuple(kernel for kernel, _ in self.products())

    @property
    def parameters(self) -> int:
        """Kernel and bias entries of all layers."""
        return sum(math.prod(kernel) + kernel[-1] for kernel in self.kernels)

    @property
    def flops(self) -> int:
        """Floating-point operations of the products with the kernels for one training image, forward and backward.

        An entry of a kernel that is used at ``p`` places costs ``2 p`` forward (multiply and add), as much for its own
        gradient, and as much to pass the error on, which the first layer need not do. For dense layers that is
        ``6 sum(n_i n_{i+1}) - 2 n_0 n_1``. Biases, activations and the optimiser are not counted.
        """
        forward = [2 * places * math.prod(kernel) for kernel, places in self.products()]
        return 3 * sum(forward) - forward[0]

    def products(self) -> Iterator[tuple[Shape, int]]:
        """Each layer's kernel, and at how many places of an image it is used."""
        shapes = self.shapes
        for layer, before, after in zip(self.layers, shapes[:-1], shapes[1:], strict=True):
            if isinstance(layer, Dense):
                yield (math.prod(before), layer.units), 1
            if isinstance(layer, Conv):
                yield (layer.size, layer.size, before[-1], layer.filters), math.prod(after[:2])

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Workload":
        """The inverse of ``dataclasses.asdict``, for values that were validated before."""
        kinds = {"dense": Dense, "conv": Conv, "pool": Pool, "dropout": Dropout}
        layers = tuple(kinds[layer.get("kind", "dense")](**layer) for layer in values["layers"])
        optimiser = {"adam": Adam, "sgd": SGD}[values["optimiser"]["kind"]](**values["optimiser"])
        return cls(**{**values, "layers": layers, "optimiser": optimiser})

    def scale(self, images: NDArray[np.uint8]) -> Float32:
        """Bytes ``[n, 28, 28]`` to the network's input ``[n, *shapes[0]]``, in its ``dtype``.

        Each byte value is scaled once and then looked up: one pass, one copy, and bit for bit what torchvision's
        ``ToTensor`` and ``Normalize`` give, since the arithmetic is the same float32 arithmetic in the same order;
        float64 has the same values.
        """
        levels = np.arange(256, dtype=np.float32) / np.float32(255)
        table = (levels - np.float32(self.mean)) / np.float32(self.std)
        return table.astype(self.dtype)[images.reshape(len(images), *self.shapes[0])]


def shape_after(layer: Layer, before: Shape) -> Shape:
    """What a layer makes of one sample of shape ``before``: ``(units,)`` or ``(height, width, channels)``.

    Raises ValueError, with what arrives and what is wrong, where the layer cannot take it.
    """
    if isinstance(layer, Dense):
        return (layer.units,)
    if isinstance(layer, Dropout):
        return before
    if len(before) == 1:
        raise ValueError(f"{layer.kind} needs an image, but {before[0]} numbers arrive; put it before the dense layers")
    height, width, channels = before
    if isinstance(layer, Conv) and layer.padding >= layer.size:
        raise ValueError(f"conv of size {layer.size} has padding {layer.padding}, expected at most {layer.size - 1}")
    pad = 2 * layer.padding if isinstance(layer, Conv) else 0
    if layer.size > min(height, width) + pad:
        raise ValueError(f"{layer.kind} of size {layer.size} is larger than the {height}x{width} image that arrives")
    if isinstance(layer, Pool):
        return height // layer.size, width // layer.size, channels
    return height + pad - layer.size + 1, width + pad - layer.size + 1, layer.filters


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
    * ``dtypes`` (("float32",)): what it can compute in; with "float64" the gate tells rounding from other
      equations.

    and on the instance, after ``load``:

    * ``switches`` ({}): what was in force in the framework, by name, read from the running program where it can be. The
      report's fairness table shows ``initialiser``, ``adam_epsilon``, ``last_batch``, ``precision``, ``tf32``,
      ``threads``, ``compile`` and ``data``.
    """

    def __init__(self, workload: Workload, device: str, seed: int) -> None:
        """Build the model, the loss and the optimiser on ``device`` (``cpu``, ``cuda`` or ``mps``).

        A process sees one GPU at most, so that ``cuda`` is the right one also where the user has asked for ``cuda:1``.

        Raises :class:`Unavailable` where the framework cannot use the device, or for a layer, loss or optimiser that
        the implementation does not have. The equivalence gate builds each with SGD too, to see its gradients, and with
        dropout at rate 0.
        """

    def load(self, data: Data) -> None:
        """Take the data into the framework's own form, on its device.

        May be called again with other data, to go on with that: the equivalence gate trains on it, and a cell, once all
        else of it has been measured, predicts a test set of one image and one of one batch, from ``data`` or ``root``.
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
        """``{"peak_bytes": ..., "reserved_bytes": ...}`` of the device, or None where it has no memory of its own.

        By the framework's own counters, since the last ``load`` where it can begin anew; what has none is left out.
        """
        ...

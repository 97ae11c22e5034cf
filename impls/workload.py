"""A network and how it is trained: layers, optimisers, shapes, scaling, and variants of another size."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from impls.fields import check, check_at_least, check_finite, check_names, check_positive

Float32 = NDArray[np.float32]
Activation = Literal["linear", "relu", "sigmoid", "tanh"]
Shape = tuple[int, ...]
STRICT = {"extra": "forbid", "strict": True}
"""How a file that holds these records is read by pydantic: no unknown keys, no values of another type."""


@dataclass(frozen=True)
class Dense:
    """A fully connected layer, ``activation(x @ kernel + bias)``; an image is flattened first."""

    units: int
    activation: Activation = "linear"
    kind: Literal["dense"] = "dense"

    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        """Raise ValueError for a value that means nothing."""
        check_at_least(1, units=self.units)


@dataclass(frozen=True)
class Conv:
    """A convolution over ``size x size`` pixels with stride 1, ``padding`` zeros on every side, and an activation."""

    filters: int
    size: int
    padding: int = 0
    activation: Activation = "linear"
    kind: Literal["conv"] = "conv"

    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        """Raise ValueError for a value that means nothing."""
        check_at_least(1, filters=self.filters, size=self.size)
        check_at_least(0, padding=self.padding)


@dataclass(frozen=True)
class Pool:
    """The largest of every ``size x size`` pixels, side by side; rows and columns that fill no square are dropped."""

    size: int
    kind: Literal["pool"] = "pool"

    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        """Raise ValueError for a value that means nothing."""
        check_at_least(2, size=self.size)


@dataclass(frozen=True)
class Dropout:
    """In training each value is dropped with probability ``rate``, those that stay are divided by ``1 - rate``."""

    rate: float
    kind: Literal["dropout"] = "dropout"

    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        """Raise ValueError for a value that means nothing."""
        check(0 <= self.rate < 1, "rate", self.rate, "a number greater than 0 and less than 1")  # 0: as if not there


Layer = Dense | Conv | Pool | Dropout


@dataclass(frozen=True)
class Adam:
    """Adam with beta 0.9 and 0.999; the epsilon is the framework's own, which the implementation declares."""

    learning_rate: float
    kind: Literal["adam"] = "adam"

    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        """Raise ValueError for a value that means nothing."""
        check_positive(learning_rate=self.learning_rate)


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent: ``v <- momentum * v + gradient``, ``w <- w - learning_rate * v``."""

    learning_rate: float
    momentum: float = 0.0
    kind: Literal["sgd"] = "sgd"

    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        """Raise ValueError for a value that means nothing; a rate of 0 trains nothing, and a file may not give it."""
        check(0 <= self.learning_rate < math.inf, "learning_rate", self.learning_rate, "a finite number, 0 or more")
        expected = "a number greater than or equal to 0 and less than 1"
        check(0 <= self.momentum < 1, "momentum", self.momentum, expected)


@dataclass(frozen=True)
class Workload:
    """One network and how it is trained.

    ``mean`` and ``std`` scale the images: ``(byte / 255 - mean) / std``. The loss is the mean softmax cross-entropy of
    the batch, written in one step (``cross-entropy``) or as log-softmax and negative log-likelihood
    (``log-softmax-nll``), which is the same function. A last batch that is not full is used, not dropped.

    ``validation`` is the share of the training images that the harness holds out, and ``evaluate_every`` the number of
    batches after which it looks at them (0: after each epoch only); an implementation never sees either. ``dtype`` is
    what to compute in: only the verification sets ``float64``, for those that declare it. With
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

    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        """Raise ValueError for a value that means nothing."""
        check_names(name=self.name)
        check(bool(self.layers), "layers", list(self.layers), "at least one item")
        check((self.seed or 0) < 2**32, "seed", self.seed, "an integer less than 2^32")
        check_finite(mean=self.mean)
        check_positive(std=self.std)
        check_at_least(1, batch_size=self.batch_size, test_batch_size=self.test_batch_size, epochs=self.epochs)
        check_at_least(0, document=self.document, seed=self.seed, evaluate_every=self.evaluate_every)
        expected = "a number greater than or equal to 0 and less than 1"
        check(0 <= self.validation < 1, "validation", self.validation, expected)
        expected = "0 where no validation images are held out: give validation = 0.1, say"
        check(bool(self.validation or not self.evaluate_every), "evaluate_every", self.evaluate_every, expected)

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
    def width(self) -> int | None:
        """Units of the first hidden layer; None where there is none."""
        dense = [layer.units for layer in self.layers if isinstance(layer, Dense)]
        return dense[0] if len(dense) > 1 else None

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

    def with_batch_size(self, batch_size: int) -> "Workload":
        """The network with another batch size, which its name then says: ``mlp-128-64-b256``."""
        if batch_size == self.batch_size:
            return self
        return replace(self, name=f"{self.name}-b{batch_size}", batch_size=batch_size)

    def with_width(self, units: int) -> "Workload":
        """The network with so many ``units`` in its first hidden layer, the other hidden layers in proportion.

        Its name then says so: ``mlp-128-64-w512``. A network without a hidden layer stays what it is.
        """
        if self.width in (None, units):
            return self
        *hidden, _ = (i for i, layer in enumerate(self.layers) if isinstance(layer, Dense))
        layers = tuple(
            replace(layer, units=max(1, round(layer.units * units / self.width)))
            if isinstance(layer, Dense) and i in hidden
            else layer
            for i, layer in enumerate(self.layers)
        )
        return replace(self, name=f"{self.name}-w{units}", layers=layers)

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

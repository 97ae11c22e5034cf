"""The oracle: what every implementation has to compute, in NumPy and float64, as plain functions.

The same functions also run in float32, which shows how far off a correct float32 program may be.

Written to be checked by eye, not to be fast; the verification compares every implementation with it. Sources: Kingma &
Ba, "Adam", ICLR 2015; the documentation of torch.optim.Adam and torch.nn.Linear; the source of keras.optimizers.Adam.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from impls.contract import AdamForm, Data, Form, Unavailable, Weights
from impls.oracle import layers
from impls.oracle.layers import Back, Float64
from impls.workload import SGD, Dropout, Float32, Pool, Workload

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]
Weights64 = list[tuple[Float64, Float64]]
AnyWeights = Sequence[tuple[Floats, Floats]]
"""One ``(kernel, bias)`` per layer that has them; float32 values enter the arithmetic as float64, unchanged."""
State = tuple[int, Weights64, Weights64] | None
"""Steps taken, moving mean of ``g``, moving mean of ``g**2``; None before the first step, where all three are 0.

SGD keeps its velocity in place of the first mean, and nothing in place of the second.
"""
BETA_1, BETA_2 = 0.9, 0.999


def log_softmax(logits: Float64) -> Float64:
    """``z - log sum exp z`` along the rows of ``[n, k]``; the largest logit is taken out first, against overflow."""
    shifted: Float64 = logits - logits.max(axis=1, keepdims=True)
    total: Float64 = np.exp(shifted).sum(axis=1, keepdims=True)
    return shifted - np.log(total)


def through(
    workload: Workload, weights: AnyWeights, x: Floats, dtype: type[np.floating], rng: np.random.Generator | None
) -> list[tuple[Float64, Back]]:
    """Each layer's output for ``x``, as ``workload.scale`` makes it, and its way back; float32 products as it asks."""
    arrays, taken = iter(weights), []
    product = layers.in_tf32 if workload.precision == "tf32" and dtype is np.float32 else np.matmul
    out = x.astype(dtype, copy=False)
    for layer in workload.layers:
        if isinstance(layer, Pool):
            out, back = layers.pool(layer, out)
        elif isinstance(layer, Dropout):
            out, back = layers.dropout(layer, out, rng)
        else:
            kernel, bias = (array.astype(dtype, copy=False) for array in next(arrays))
            out, back = layers.weighted(layer, out, kernel, bias, product)
        taken.append((out, back))
    return taken


def forward(
    workload: Workload, weights: AnyWeights, x: Floats, dtype: type[np.floating] = np.float64
) -> tuple[Float64, list[Float64]]:
    """Logits ``[n, 10]`` of ``x [n, ...]`` without dropout, and the activations: ``x``, then each layer's output."""
    activations: list[Float64] = [x.astype(dtype)] + [out for out, _ in through(workload, weights, x, dtype, None)]
    return activations[-1], activations


def loss_and_gradients(
    workload: Workload,
    weights: AnyWeights,
    x: Floats,
    y: Integers,
    dtype: type[np.floating] = np.float64,
    rng: np.random.Generator | None = None,
) -> tuple[float, Weights64]:
    """Mean softmax cross-entropy of ``x [n, ...]`` with labels ``y [n]``, and its gradients, shaped as the weights.

    ``loss = -mean log softmax(z)[y]``, so ``d loss / d z = (softmax(z) - onehot(y)) / n``; from there the chain rule,
    layer by layer. Dropout is on where there is an ``rng`` to draw its masks.
    """
    taken = through(workload, weights, x, dtype, rng)
    logits = taken[-1][0]
    log_probabilities = log_softmax(logits)
    error = (np.exp(log_probabilities) - np.eye(logits.shape[1], dtype=dtype)[y]) / len(y)
    gradients: Weights64 = []
    for position, (_, back) in reversed(list(enumerate(taken))):
        error, kernel, bias = back(error, position > 0)
        if bias.size:
            gradients.append((kernel, bias))
    return -float(log_probabilities[np.arange(len(y)), y].mean()), gradients[::-1]


def each(function: Callable[..., Float64], *weights: AnyWeights) -> Weights64:
    """``function`` of all first kernels, of all first biases, and so on through the layers."""
    return [
        (function(*(kernel for kernel, _ in same)), function(*(bias for _, bias in same)))
        for same in zip(*weights, strict=True)
    ]


def widened(weights: AnyWeights, dtype: type[np.floating] = np.float64) -> Weights64:
    """A copy in ``dtype``."""
    return each(lambda w: w.astype(dtype), weights)


def sgd_step(
    weights: AnyWeights, gradients: Weights64, state: State, learning_rate: float, momentum: float
) -> tuple[Weights64, State]:
    """One step of SGD: ``v = momentum * v + g``, ``w -= learning_rate * v``; ``v`` is 0 before the first step.

    As torch.optim.SGD; keras.optimizers.SGD keeps ``-learning_rate * v`` instead, the same thing at a constant rate.
    """
    taken, velocity, nothing = state or (0, each(np.zeros_like, gradients), [])
    velocity = each(lambda v, g: momentum * v + g, velocity, gradients)
    return each(lambda w, v: w - learning_rate * v, weights, velocity), (taken + 1, velocity, nothing)


def adam_step(
    weights: AnyWeights, gradients: Weights64, state: State, learning_rate: float, form: AdamForm, epsilon: float
) -> tuple[Weights64, State]:
    """One step of Adam: ``m = b1 m + (1 - b1) g``, ``v = b2 v + (1 - b2) g**2``, and at step ``t``, from 1 on,

    * form ``pytorch``: ``w -= lr * m / (1 - b1^t) / (sqrt(v) / sqrt(1 - b2^t) + eps)``: Kingma & Ba, Algorithm 1, and
      torch.optim.Adam, whose eps is 1e-8;
    * form ``keras``: ``w -= lr * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + eps^)``: Kingma & Ba, before section 2.1,
      and keras.optimizers.Adam, whose eps^ is 1e-7. It is the other form with ``eps = eps^ / sqrt(1 - b2^t)``;
    * form ``keras-float32-betas``: the same with ``b^t`` of betas rounded to float32, through which Keras 3 casts them
      there even where it computes in float64 (``ops.cast`` of a Python number).
    """
    zeros = each(np.zeros_like, gradients)
    taken, first, second = state or (0, zeros, zeros)
    t = taken + 1
    betas = [float(np.float32(b)) if form == "keras-float32-betas" else b for b in (BETA_1, BETA_2)]
    unbias_1, unbias_2 = (1 - beta**t for beta in betas)

    def as_pytorch(m: Float64, v: Float64) -> Float64:
        return learning_rate * (m / unbias_1) / (np.sqrt(v) / math.sqrt(unbias_2) + epsilon)

    def as_keras(m: Float64, v: Float64) -> Float64:
        return learning_rate * math.sqrt(unbias_2) / unbias_1 * m / (np.sqrt(v) + epsilon)

    move = {"pytorch": as_pytorch, "keras": as_keras, "keras-float32-betas": as_keras}[form]
    first = each(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, first, gradients)
    second = each(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, second, gradients)
    moved = each(lambda w, m, v: w - move(m, v), weights, first, second)
    return moved, (t, first, second)


def equations(form: Form, workload: Workload) -> Iterator[tuple[Form, Workload]]:
    """The equations that a program of this form may run in float64: as Keras runs its own, and as published.

    Keras casts the betas of the bias correction, and SGD's momentum, through float32 on most of its backends.
    """
    if form[0] == "keras":
        optimiser = workload.optimiser
        if isinstance(optimiser, SGD):
            optimiser = replace(optimiser, momentum=float(np.float32(optimiser.momentum)))
        yield ("keras-float32-betas", form[1]), replace(workload, optimiser=optimiser)
    yield form, workload


def initial_weights(workload: Workload, rng: np.random.Generator) -> Weights:
    """What all implementations start from: uniform in ``+-1 / sqrt(in)``, the default of torch.nn.Linear and Conv2d.

    ``in`` is how many numbers one output is computed from. The values are float32 in whatever ``dtype`` is asked for.
    """
    weights = []
    for kernel in workload.kernels:
        inputs = math.prod(kernel[:-1])
        draw = (
            (rng.uniform(-1, 1, (inputs + 1, kernel[-1])) / np.sqrt(inputs)).astype(np.float32).astype(workload.dtype)
        )
        weights.append((draw[:-1].reshape(kernel), draw[-1]))  # the last row is the bias
    return weights


def train_steps(
    workload: Workload,
    weights: AnyWeights,
    x: Floats,
    y: Integers,
    order: Integers,
    form: AdamForm,
    epsilon: float,
    state: State = None,
    dtype: type[np.floating] = np.float64,
    rng: np.random.Generator | None = None,
) -> tuple[Weights64, float, State]:
    """Train on consecutive batches of ``order``, indices into ``x [n, ...]`` and ``y [n]``; the last may be smaller.

    Returns the weights, the mean loss over the samples, each taken before the step that used it, and the state from
    which the optimiser would go on. ``form`` and ``epsilon`` matter to Adam only. The arrays passed in are never
    written to. Dropout is on where there is an ``rng``.
    """
    trained, total, optimiser = widened(weights, dtype), 0.0, workload.optimiser
    for start in range(0, len(order), workload.batch_size):
        batch = order[start : start + workload.batch_size]
        loss, gradients = loss_and_gradients(workload, trained, x[batch], y[batch], dtype, rng)
        total += loss * len(batch)
        if isinstance(optimiser, SGD):
            trained, state = sgd_step(trained, gradients, state, optimiser.learning_rate, optimiser.momentum)
        else:
            trained, state = adam_step(trained, gradients, state, optimiser.learning_rate, form, epsilon)
    return trained, total / len(order), state


class Implementation:
    """The oracle as an implementation, ``reference-numpy``: float64 in all but the scaled images it is given."""

    takes_order: ClassVar[bool] = True
    adam: ClassVar[tuple[AdamForm, float]] = ("pytorch", 1e-8)
    dtypes: ClassVar[tuple[str, ...]] = ("float32", "float64")

    def __init__(self, workload: Workload, device: str, seed: int) -> None:
        """Start from ``initial_weights`` drawn with ``seed``; raises ``Unavailable`` on any device but the CPU."""
        if device != "cpu":
            raise Unavailable(f"reference-numpy cannot use device {device!r}: NumPy has only 'cpu'")
        self.switches: dict[str, Any] = {"dtype": "float64"}
        self.workload = workload
        self.state: State = None
        self.rng = np.random.default_rng(seed)
        self.set_weights(initial_weights(workload, self.rng))

    def load(self, data: Data) -> None:
        """Scale the images; each batch becomes float64 when it is used."""
        self.x_train, self.y_train = self.workload.scale(data.x_train), data.y_train
        self.x_test = self.workload.scale(data.x_test)

    def set_weights(self, weights: Weights) -> None:
        """Copy ``weights`` to float64, which keeps every float32 value as it is."""
        self.weights = widened(weights)

    def get_weights(self) -> Weights:
        """Copies of the weights, rounded to what the workload computes in."""
        return [(kernel.astype(self.workload.dtype), bias.astype(self.workload.dtype)) for kernel, bias in self.weights]

    def train_epoch(self, order: NDArray[np.int64]) -> float:
        """One pass of ``train_steps``, the optimiser going on from the pass before."""
        self.weights, loss, self.state = train_steps(
            self.workload, self.weights, self.x_train, self.y_train, order, *self.adam, self.state, rng=self.rng
        )
        return loss

    def predict(self) -> Float32:
        """Logits ``[n_test, 10]``, ``test_batch_size`` images at a time, rounded as the weights."""
        size = self.workload.test_batch_size
        slices = [self.x_test[start : start + size] for start in range(0, len(self.x_test), size)]
        logits = [forward(self.workload, self.weights, x)[0] for x in slices]
        return np.concatenate(logits).astype(self.workload.dtype)

    def sync(self) -> None:
        """Nothing to wait for: NumPy has finished when it returns."""

    def device_memory(self) -> None:
        """None: the CPU has no memory of its own."""

"""The oracle: what every implementation has to compute, in NumPy and float64, as plain functions.

The same functions run in float32 where they are asked to: that tells how far off a correct float32 program may be.

Written to be checked by eye, not to be fast; the equivalence gate holds the frameworks to it. Sources: Kingma & Ba,
"Adam", ICLR 2015; the documentation of torch.optim.Adam and torch.nn.Linear; the source of keras.optimizers.Adam.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from impls.contract import Activation, AdamForm, Data, Float32, Unavailable, Weights, Workload

Floats = NDArray[np.floating]
Float64 = NDArray[np.float64]
Integers = NDArray[np.integer]
Weights64 = list[tuple[Float64, Float64]]
AnyWeights = Sequence[tuple[Floats, Floats]]
"""One ``(kernel [in, out], bias [out])`` per layer; float32 values enter the arithmetic as float64, unchanged."""
AdamState = tuple[int, Weights64, Weights64] | None
"""Steps taken, moving mean of ``g``, moving mean of ``g**2``; None before the first step, where all three are 0."""

BETA_1, BETA_2 = 0.9, 0.999


def sigmoid(z: Float64) -> Float64:
    """``1 / (1 + exp(-z))``, any shape; the exponent is never positive, so that nothing overflows."""
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, small) / (1.0 + small)


def log_softmax(logits: Float64) -> Float64:
    """``z - log sum exp z`` along the rows of ``[n, k]``; the largest logit is taken out first, against overflow."""
    shifted: Float64 = logits - logits.max(axis=1, keepdims=True)
    total: Float64 = np.exp(shifted).sum(axis=1, keepdims=True)
    return shifted - np.log(total)


# Each with its derivative, from the activation's own value; relu's at 0 is 0, as in every framework compared here.
ACTIVATIONS: dict[Activation, tuple[Callable[[Float64], Float64], Callable[[Float64], Float64]]] = {
    "linear": (lambda z: z, np.ones_like),
    "relu": (lambda z: np.maximum(z, 0.0), lambda a: (a > 0).astype(a.dtype)),
    "sigmoid": (sigmoid, lambda a: a * (1.0 - a)),
    "tanh": (np.tanh, lambda a: 1.0 - a * a),
}


def forward(
    workload: Workload, weights: AnyWeights, x: Floats, dtype: type[np.floating] = np.float64
) -> tuple[Float64, list[Float64]]:
    """Logits ``[n, 10]`` of ``x [n, 784]``, and the activations: ``x``, each layer's output, the logits last."""
    activations: list[Float64] = [x.astype(dtype)]
    for layer, (kernel, bias) in zip(workload.layers, weights, strict=True):
        activate, _ = ACTIVATIONS[layer.activation]
        activations.append(activate(activations[-1] @ kernel.astype(dtype) + bias.astype(dtype)))
    return activations[-1], activations


def loss_and_gradients(
    workload: Workload, weights: AnyWeights, x: Floats, y: Integers, dtype: type[np.floating] = np.float64
) -> tuple[float, Weights64]:
    """Mean softmax cross-entropy of ``x [n, 784]`` with labels ``y [n]``, and its gradients, shaped as the weights.

    ``loss = -mean log softmax(z)[y]``, so ``d loss / d z = (softmax(z) - onehot(y)) / n``; from there the chain rule,
    layer by layer: ``d kernel = before.T @ error``, ``d bias = sum of error``, ``error before = error @ kernel.T``.
    """
    logits, activations = forward(workload, weights, x, dtype)
    log_probabilities = log_softmax(logits)
    error = (np.exp(log_probabilities) - np.eye(logits.shape[1], dtype=dtype)[y]) / len(y)
    gradients: Weights64 = []
    layers = zip(workload.layers, weights, activations[:-1], activations[1:], strict=True)
    for layer, (kernel, _), before, after in reversed(list(layers)):
        _, slope = ACTIVATIONS[layer.activation]
        error = error * slope(after)
        gradients.append((before.T @ error, error.sum(axis=0)))
        error = error @ kernel.T.astype(dtype)
    return -float(log_probabilities[np.arange(len(y)), y].mean()), gradients[::-1]


def each(function: Callable[..., Float64], *weights: AnyWeights) -> Weights64:
    """``function`` of all first kernels, of all first biases, and so on through the layers."""
    return [
        (function(*(kernel for kernel, _ in layers)), function(*(bias for _, bias in layers)))
        for layers in zip(*weights, strict=True)
    ]


def widened(weights: AnyWeights, dtype: type[np.floating] = np.float64) -> Weights64:
    """A copy, float64 where nothing else is asked for."""
    return each(lambda w: w.astype(dtype), weights)


def sgd_step(weights: AnyWeights, gradients: Weights64, learning_rate: float) -> Weights64:
    """``w - learning_rate * g``: no momentum, no decay."""
    return each(lambda w, g: w - learning_rate * g, weights, gradients)


def adam_step(
    weights: AnyWeights, gradients: Weights64, state: AdamState, learning_rate: float, form: AdamForm, epsilon: float
) -> tuple[Weights64, AdamState]:
    """One step of Adam: ``m = b1 m + (1 - b1) g``, ``v = b2 v + (1 - b2) g**2``, and at step ``t``, from 1 on,

    * form ``pytorch``: ``w -= lr * m / (1 - b1^t) / (sqrt(v) / sqrt(1 - b2^t) + eps)``: Kingma & Ba, Algorithm 1, and
      torch.optim.Adam, whose eps is 1e-8;
    * form ``keras``: ``w -= lr * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + eps^)``: Kingma & Ba, before section 2.1,
      and keras.optimizers.Adam, whose eps^ is 1e-7. It is the other form with ``eps = eps^ / sqrt(1 - b2^t)``.
    """
    zeros = each(np.zeros_like, gradients)
    taken, first, second = state or (0, zeros, zeros)
    t = taken + 1
    unbias_1, unbias_2 = 1 - BETA_1**t, 1 - BETA_2**t
    moves: dict[AdamForm, Callable[[Float64, Float64], Float64]] = {
        "pytorch": lambda m, v: learning_rate * (m / unbias_1) / (np.sqrt(v) / math.sqrt(unbias_2) + epsilon),
        "keras": lambda m, v: learning_rate * math.sqrt(unbias_2) / unbias_1 * m / (np.sqrt(v) + epsilon),
    }
    first = each(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, first, gradients)
    second = each(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, second, gradients)
    moved = each(lambda w, m, v: w - moves[form](m, v), weights, first, second)
    return moved, (t, first, second)


def initial_weights(workload: Workload, rng: np.random.Generator) -> Weights:
    """What all implementations start from, float32: uniform in ``+-1 / sqrt(in)``, as torch.nn.Linear by default."""
    pairs = zip(workload.sizes[:-1], workload.sizes[1:], strict=True)
    draws = [rng.uniform(-1, 1, (inputs + 1, outputs)) / np.sqrt(inputs) for inputs, outputs in pairs]
    return [(draw[:-1].astype(np.float32), draw[-1].astype(np.float32)) for draw in draws]  # the last row is the bias


def train_steps(
    workload: Workload,
    weights: AnyWeights,
    x: Floats,
    y: Integers,
    order: Integers,
    form: AdamForm,
    epsilon: float,
    state: AdamState = None,
    dtype: type[np.floating] = np.float64,
) -> tuple[Weights64, float, AdamState]:
    """Train on consecutive batches of ``order``, indices into ``x [n, 784]`` and ``y [n]``; the last may be smaller.

    Returns the weights, the mean loss over the samples, each taken before the step that used it, and the state from
    which Adam would go on. ``form`` and ``epsilon`` matter to Adam only. The arrays passed in are never written to.
    """
    trained, total = widened(weights, dtype), 0.0
    for start in range(0, len(order), workload.batch_size):
        batch, rate = order[start : start + workload.batch_size], workload.optimiser.learning_rate
        loss, gradients = loss_and_gradients(workload, trained, x[batch], y[batch], dtype)
        total += loss * len(batch)
        if workload.optimiser.kind == "adam":
            trained, state = adam_step(trained, gradients, state, rate, form, epsilon)
        else:
            trained = sgd_step(trained, gradients, rate)
    return trained, total / len(order), state


class Implementation:
    """The oracle as an implementation, ``reference-numpy``: float64 in all but the scaled images it is given."""

    takes_order: ClassVar[bool] = True
    adam: ClassVar[tuple[AdamForm, float]] = ("pytorch", 1e-8)

    def __init__(self, workload: Workload, device: str, seed: int) -> None:
        """Start from ``initial_weights`` drawn with ``seed``; raises ``Unavailable`` on any device but the CPU."""
        if device != "cpu":
            raise Unavailable(f"reference-numpy cannot use device {device!r}: NumPy has only 'cpu'")
        self.switches: dict[str, Any] = {"dtype": "float64"}
        self.workload = workload
        self.state: AdamState = None
        self.set_weights(initial_weights(workload, np.random.default_rng(seed)))

    def load(self, data: Data) -> None:
        """Scale the images to float32 ``[n, 784]``; each batch becomes float64 when it is used."""
        self.x_train, self.y_train = self.workload.scale(data.x_train), data.y_train
        self.x_test = self.workload.scale(data.x_test)

    def set_weights(self, weights: Weights) -> None:
        """Copy ``weights`` to float64, which keeps every float32 value as it is."""
        self.weights = widened(weights)

    def get_weights(self) -> Weights:
        """Copies of the weights, rounded to float32."""
        return [(kernel.astype(np.float32), bias.astype(np.float32)) for kernel, bias in self.weights]

    def train_epoch(self, order: NDArray[np.int64]) -> float:
        """One pass of ``train_steps``, Adam going on from the pass before."""
        self.weights, loss, self.state = train_steps(
            self.workload, self.weights, self.x_train, self.y_train, order, *self.adam, self.state
        )
        return loss

    def predict(self) -> Float32:
        """Logits ``[n_test, 10]``, ``test_batch_size`` images at a time, rounded to float32."""
        size = self.workload.test_batch_size
        slices = [self.x_test[start : start + size] for start in range(0, len(self.x_test), size)]
        logits = [forward(self.workload, self.weights, x)[0] for x in slices]
        return np.concatenate(logits).astype(np.float32)

    def sync(self) -> None:
        """Nothing to wait for: NumPy has finished when it returns."""

    def device_memory(self) -> None:
        """None: the CPU has no memory of its own."""

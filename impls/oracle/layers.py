"""The oracle's layers, in NumPy: what each makes of its input, and how an error comes back through it."""

import math
from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from impls.workload import Activation, Conv, Dense, Dropout, Pool

Float64 = NDArray[np.float64]
Back = Callable[[Float64, bool], tuple[Float64, Float64, Float64]]
"""From d loss / d output of a layer to those of its input, kernel and bias; the latter are empty where it has none.

The input's is empty too where it is not wanted, as for the layer that sees the images.
"""
NOTHING: Float64 = np.empty(0)
Product = Callable[[Float64, Float64], Float64]
"""How matrices are multiplied: ``np.matmul``, or :func:`in_tf32`."""


def to_tf32(a: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 rounded to the 10 bits of TF32's mantissa, to nearest, ties to even; the range is float32's.

    NVIDIA, "Accelerating AI Training with NVIDIA TF32 Tensor Cores", 2021.
    """
    bits = np.ascontiguousarray(a, np.float32).view(np.uint32)
    rounded: NDArray[np.uint32] = (bits + np.uint32(0xFFF) + ((bits >> 13) & 1)) & np.uint32(0xFFFFE000)
    return rounded.view(np.float32)


def in_tf32(a: Float64, b: Float64) -> Float64:
    """``a @ b`` of float32 matrices as tensor cores do it: what enters is rounded to TF32, sums stay float32."""
    product: Float64 = np.matmul(to_tf32(a), to_tf32(b))  # type: ignore[arg-type]  # these types say float64 for both
    return product


def sigmoid(z: Float64) -> Float64:
    """``1 / (1 + exp(-z))``, any shape; the exponent is never positive, so that nothing overflows."""
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, small) / (1.0 + small)


# Each with its derivative, from the activation's own value; relu's at 0 is 0, as in every framework compared here.
ACTIVATIONS: dict[Activation, tuple[Callable[[Float64], Float64], Callable[[Float64], Float64]]] = {
    "linear": (lambda z: z, np.ones_like),
    "relu": (lambda z: np.maximum(z, 0.0), lambda a: (a > 0).astype(a.dtype)),
    "sigmoid": (sigmoid, lambda a: a * (1.0 - a)),
    "tanh": (np.tanh, lambda a: 1.0 - a * a),
}


def dense(
    layer: Dense, x: Float64, kernel: Float64, bias: Float64, product: Product = np.matmul
) -> tuple[Float64, Back]:
    """``activation(x @ kernel + bias)`` of ``x [n, ...]``, flattened to ``[n, in]``."""
    activate, slope = ACTIVATIONS[layer.activation]
    flat = x.reshape(len(x), -1)
    out = activate(product(flat, kernel) + bias)

    def back(error: Float64, onward: bool) -> tuple[Float64, Float64, Float64]:
        error = error * slope(out)
        before = product(error, kernel.T).reshape(x.shape) if onward else NOTHING
        return before, product(flat.T, error), error.sum(axis=0)

    return out, back


def patches(x: Float64, size: int, padding: int) -> Float64:
    """Every ``size x size`` square of ``x [n, h, w, c]``, zeros around it: ``[n, h', w', size, size, c]``."""
    edge = (padding, padding)
    padded = np.pad(x, ((0, 0), edge, edge, (0, 0)))
    return sliding_window_view(padded, (size, size), axis=(1, 2)).transpose(0, 1, 2, 4, 5, 3)


def conv(layer: Conv, x: Float64, kernel: Float64, bias: Float64, product: Product = np.matmul) -> tuple[Float64, Back]:
    """``activation(z + bias)`` of ``x [n, h, w, in]``: ``[n, h', w', out]``, where

    ``z[n, i, j, out] = sum over a, b, in of x[n, i + a - padding, j + b - padding, in] kernel[a, b, in, out]``:
    a cross-correlation, which is what torch.nn.Conv2d and keras.layers.Conv2D call a convolution. Backward, each square
    adds to the kernel's gradient what it gave rise to, and the error goes back to the pixels by the same operation with
    the kernel turned by 180 degrees, its in and out exchanged.
    """
    activate, slope = ACTIVATIONS[layer.activation]
    around = patches(x, layer.size, layer.padding)
    flat = around.reshape(-1, math.prod(kernel.shape[:3]))
    out = activate((product(flat, kernel.reshape(-1, layer.filters)) + bias).reshape(*around.shape[:3], -1))

    def back(error: Float64, onward: bool) -> tuple[Float64, Float64, Float64]:
        error = error * slope(out)
        pixels = error.reshape(-1, layer.filters)
        before: Float64 = NOTHING
        if onward:
            turned = kernel[::-1, ::-1].transpose(0, 1, 3, 2).reshape(-1, x.shape[3])
            towards = patches(error, layer.size, layer.size - 1 - layer.padding)
            before = product(towards.reshape(-1, len(turned)), turned).reshape(x.shape)
        return before, product(flat.T, pixels).reshape(kernel.shape), pixels.sum(axis=0)

    return out, back


def weighted(
    layer: Dense | Conv, x: Float64, kernel: Float64, bias: Float64, product: Product = np.matmul
) -> tuple[Float64, Back]:
    """A layer that has a kernel, of either kind."""
    if isinstance(layer, Dense):
        return dense(layer, x, kernel, bias, product)
    return conv(layer, x, kernel, bias, product)


def squares(layer: Pool, x: Float64) -> Float64:
    """The ``size x size`` squares of ``x [n, h, w, c]``, side by side: ``[n, h', w', c, size * size]``, row by row."""
    n, height, width, channels = x.shape
    high, wide, size = height // layer.size, width // layer.size, layer.size
    cut = x[:, : high * size, : wide * size].reshape(n, high, size, wide, size, channels)
    return cut.transpose(0, 1, 3, 5, 2, 4).reshape(n, high, wide, channels, size * size)


def pool(layer: Pool, x: Float64) -> tuple[Float64, Back]:
    """The largest of each square of ``x [n, h, w, c]``; of equals the first, row by row, has the error to itself."""
    candidates, size = squares(layer, x), layer.size
    which = candidates.argmax(axis=-1)[..., np.newaxis]
    n, high, wide, channels, _ = candidates.shape

    def back(error: Float64, onward: bool) -> tuple[Float64, Float64, Float64]:
        spread = np.zeros_like(candidates)
        np.put_along_axis(spread, which, error[..., np.newaxis], axis=-1)
        before = np.zeros_like(x)
        pixels = spread.reshape(n, high, wide, channels, size, size).transpose(0, 1, 4, 2, 5, 3)
        before[:, : high * size, : wide * size] = pixels.reshape(n, high * size, wide * size, channels)
        return before, NOTHING, NOTHING

    return np.take_along_axis(candidates, which, axis=-1)[..., 0], back


def dropout(layer: Dropout, x: Float64, rng: np.random.Generator | None) -> tuple[Float64, Back]:
    """Each value 0 with probability ``rate``, else divided by ``1 - rate``; without ``rng``, ``x`` as it is."""
    if rng is None:
        return x, lambda error, onward: (error, NOTHING, NOTHING)
    mask = ((rng.random(x.shape) >= layer.rate) / (1 - layer.rate)).astype(x.dtype)
    return x * mask, lambda error, onward: (error * mask, NOTHING, NOTHING)

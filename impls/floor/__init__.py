"""What a training step cannot do without, by one library each: its matrix products, the optimiser, gathering a batch.

Every module has a class ``Floor(workload, device, x)`` with the same members; ``x`` is the training images, scaled.
``products(steps)`` multiplies, in every step, what each layer's kernel meets: forward from layer to layer, then from
the last layer to the first for the kernel's gradient and, but for the first layer, for what it passes back. There is no
bias, no activation and no loss, and a convolution is its product alone, as if its patches lay in order.
``optimiser(steps)`` updates all parameters as the workload's optimiser does, ``gathering(steps)`` picks batches of
images by index, ``large(times)`` multiplies two matrices that are large enough for the machine's best. Each returns
when the device has finished.
"""

import math

import numpy as np
from numpy.typing import NDArray

from impls.workload import Float32, Workload

LARGE = 2048
"""Rows and columns of the large product's matrices."""


def operands(workload: Workload) -> list[tuple[Float32, Float32, Float32]]:
    """For each layer what enters it ``[rows, in]``, its kernel ``[in, out]``, and what comes back ``[rows, out]``.

    A batch is a row for each image, or in a convolution for each place of each image.
    """
    rng = np.random.default_rng(0)
    found = []
    for kernel, places in workload.products():
        rows, n, out = workload.batch_size * places, math.prod(kernel[:-1]), kernel[-1]
        found.append(tuple(rng.standard_normal(shape, np.float32) for shape in ((rows, n), (n, out), (rows, out))))
    return found  # type: ignore[return-value]  # three each


def matrix() -> Float32:
    """One of the large product's."""
    return np.random.default_rng(1).standard_normal((LARGE, LARGE), np.float32)


def batches(images: int, size: int, steps: int) -> NDArray[np.int64]:
    """The images of each step, int64 ``[steps, size]``: permutations one after the other."""
    rng = np.random.default_rng(2)
    passes = -(-steps * size // images)
    return np.concatenate([rng.permutation(images) for _ in range(passes)])[: steps * size].reshape(steps, size)

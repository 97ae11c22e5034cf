"""Where the contract's kernels and PyTorch's keep the same numbers, in NumPy: channels last there, first here."""

from typing import Any

from numpy.typing import NDArray

from impls.workload import Shape

Array = NDArray[Any]


def to_pytorch(kernel: Array, before: Shape) -> Array:
    """A kernel of the contract as the ``weight`` of ``nn.Linear`` ``[out, in]`` or ``nn.Conv2d`` ``[out, in, h, w]``.

    ``before`` is what enters the layer. Behind an image a dense kernel's rows go from ``[h, w, c]`` to ``[c, h, w]``,
    which is the order in which ``nn.Flatten`` gives PyTorch's images.
    """
    if kernel.ndim == 4:
        return kernel.transpose(3, 2, 0, 1)
    if len(before) == 3:
        kernel = kernel.reshape(*before, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
    return kernel.T


def from_pytorch(weight: Array, before: Shape) -> Array:
    """The inverse of :func:`to_pytorch`, as a copy."""
    if weight.ndim == 4:
        return weight.transpose(2, 3, 1, 0).copy()
    kernel = weight.T
    if len(before) == 3:
        height, width, channels = before
        kernel = kernel.reshape(channels, height, width, -1).transpose(1, 2, 0, 3).reshape(kernel.shape)
    return kernel.copy()

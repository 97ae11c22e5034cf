"""Grey levels as the 28 x 28 bytes that a network takes, in plain NumPy: the same rule stands elsewhere in JavaScript.

Centred, as MNIST was made (LeCun et al., "Gradient-based learning applied to document recognition", 1998, section
III.A): the digit's longer side becomes 20 pixels and its centre of mass the centre of the field. Or plainly resized, as
the tutorials do with a file that the user gives.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float64]
"""Levels ``[height, width]`` from 0 to 1."""
FIELD, DIGIT = 28, 20
"""Pixels on a side of what a network takes, and of the longer side of the digit in it."""
SAME = 1e-6
"""Pixels by which centres of mass may differ and be called the same: sums differ in their last digits."""
FAINTEST = 0.1
"""What is brighter belongs to the digit."""


def ink(grey: Grey) -> Grey:
    """From 0 for the paper to 1 for the ink: a picture whose border is rather bright is dark on bright."""
    levels: Grey = (grey - grey.min()) / (grey.max() - grey.min())
    return 1 - levels if on_bright(levels) else levels


def on_bright(levels: Grey) -> bool:
    """Whether the outermost pixels are nearer to the brightest than to the darkest: the median of them."""
    border = np.concatenate([levels[0], levels[-1], levels[1:-1, 0], levels[1:-1, -1]])
    return bool(2 * np.median(border) > levels.min() + levels.max())


def centred(levels: Grey) -> NDArray[np.uint8]:
    """Ink from 0 to 1 as MNIST's images are: what is brighter than 0.1 fits 20 x 20, its centre of mass the centre.

    The shift is by whole pixels, so that the centre of mass comes to lie at 14 or beyond and before 15, as it does in
    every image of MNIST, and stops where the digit would leave the field. Raises ValueError where
    nothing is brighter.
    """
    if not (levels > FAINTEST).any():
        raise ValueError("there is no ink")
    top, bottom, left, right = extent(levels > FAINTEST)
    box = levels[top : bottom + 1, left : right + 1]
    height, width = (max(1, rounded(DIGIT * side / max(box.shape))) for side in box.shape)
    small = resampled(box, height, width)
    top, left = (
        min(max(math.ceil(FIELD / 2 - centre_of_mass(small.sum(axis=1 - axis)) - SAME), 0), FIELD - side)
        for axis, side in enumerate((height, width))
    )
    field = np.zeros((FIELD, FIELD))
    field[top : top + height, left : left + width] = small
    return in_bytes(field)


def extent(ink: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The first and the last row, the first and the last column in which there is ink."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return np.array([rows[0], rows[-1], columns[0], columns[-1]])


def plain(grey: Grey) -> NDArray[np.uint8]:
    """The whole picture on 28 x 28 pixels, whatever its shape, bright on dark as MNIST is; nothing else is changed."""
    return in_bytes(resampled(1 - grey if on_bright(grey) else grey, FIELD, FIELD))


def rounded(number: float) -> int:
    """To the nearest whole number, halves up."""
    return math.floor(number + 0.5)


def centre_of_mass(masses: Grey) -> float:
    """Of masses in a row, each of which lies in the middle of its pixel: 0.5, 1.5 ..."""
    return float(masses @ (np.arange(len(masses)) + 0.5) / masses.sum())


def resampled(levels: Grey, height: int, width: int) -> Grey:
    """Each new pixel is the mean of the area that it covers, parts of pixels counted as parts."""
    return shares(levels.shape[0], height) @ levels @ shares(levels.shape[1], width).T


def shares(before: int, after: int) -> Grey:
    """``[after, before]``: which part of each new pixel each old one makes up, along one side. Rows add up to 1."""
    edges = np.arange(after + 1) * (before / after)
    old = np.arange(before)
    covered: Any = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
    parts: Grey = np.maximum(covered, 0.0) * (after / before)
    return parts


def in_bytes(levels: Grey) -> NDArray[np.uint8]:
    """Levels as bytes, to the nearest."""
    return np.floor(255 * np.clip(levels, 0.0, 1.0) + 0.5).astype(np.uint8)

"""A photograph's paper taken away from behind the ink: shadows, ruled lines, grain.

A drawing on an even ground is left exactly as it is. Otherwise three textbook steps (Gonzalez & Woods, "Digital Image
Processing", chapters 9 and 10): the white top-hat takes away what is wider than a stroke, Otsu's threshold parts ink
from the rest, and pieces that are small beside the largest are no ink.
"""

import numpy as np
from scipy import ndimage

from bench.models.centring import FAINTEST, Grey, extent, resampled, rounded

SOFT = 0.3
"""The part of an even ground that the soft edges of strokes may cover; in MNIST's own images it is below 0.1."""
BY = 0.04
"""The part of a side by which soft edges may reach beyond the strokes."""
SMALL = 200
"""Pixels of the longer side on which uneven paper is looked at: that averages most of the grain out."""
WIDEST = 0.25
"""Of the shorter side: what is wider than this is no stroke."""
LEAST = 0.1
"""A piece with less than this part of the largest one's area is a speck or a line, and no second stroke."""
CLEAR = 5.0
"""Standard deviations of the grain by which ink stands out from it; the largest clots of grain alone do by less."""


def without(ink: Grey) -> Grey:
    """``ink [h, w]``, 0 for the paper and 1 for the darkest ink, with 0 wherever paper is; maybe on fewer pixels.

    Raises ValueError where nothing stands out from the paper.
    """
    return ink if even(ink) else parted(ink)


def even(ink: Grey) -> bool:
    """Whether the paper is at 0 but for the soft edges of the strokes, and nothing faint lies outside of them."""
    limit = otsu(ink)
    soft = np.mean(ink[ink <= limit] > FAINTEST)
    apart = np.abs(extent(ink > FAINTEST) - extent(ink > limit))
    return bool(soft <= SOFT and (apart <= max(2.0, BY * max(ink.shape))).all())


def parted(ink: Grey) -> Grey:
    """On fewer pixels: the top-hat, the threshold, the large pieces with their soft edges, from 0 to 1 again."""
    scale = min(1.0, SMALL / max(ink.shape))
    shape = [max(1, rounded(side * scale)) for side in ink.shape]
    smooth = ndimage.gaussian_filter(resampled(ink, shape[0], shape[1]), 1.0)
    hat = ndimage.white_tophat(smooth, size=max(3, rounded(WIDEST * min(shape))))
    limit = otsu(hat)
    touching = np.ones((3, 3))
    pieces, _ = ndimage.label(hat > limit, touching)
    areas = np.bincount(pieces.ravel())[1:]
    chosen = 1 + np.flatnonzero(areas >= LEAST * areas.max(initial=0))
    large = np.isin(pieces, chosen)
    near = ndimage.binary_dilation(large, touching)
    grain = hat[~near] if not near.all() else np.zeros(1)
    full = np.median(hat[large]) if len(chosen) else 0.0
    if full <= np.median(grain) + CLEAR * grain.std():
        raise ValueError("nothing stands out from its ground")
    levels = np.clip((hat - limit / 2) / (full - limit / 2), 0.0, 1.0)
    return np.where(near, levels, 0.0)


def otsu(levels: Grey) -> float:
    """The level that parts the pixels into two classes whose means differ the most (Otsu, 1979), on 256 steps."""
    counts, edges = np.histogram(levels, 256)
    sums = np.cumsum(counts * (edges[:-1] + edges[1:]) / 2)[:-1]
    below = np.cumsum(counts)[:-1]
    above = levels.size - below
    total = float((counts * (edges[:-1] + edges[1:]) / 2).sum())
    apart = below * above * (sums / np.maximum(below, 1) - (total - sums) / np.maximum(above, 1)) ** 2.0
    return float(edges[1 + int(np.argmax(apart))])

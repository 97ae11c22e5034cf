"""A digit's picture as the strokes of a pen: how somebody would draw it again with a pen of one width.

The picture is enlarged and made black and white; its middle line is found by thinning (Zhang & Suen, 1984) and followed
from end to end. How wide the line was is lost, unless the inside of what is wider than the pen is gone over again.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Bits = NDArray[np.bool_]
Line = list[tuple[float, float]]
LARGER = 3
NEAR = [(0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)]
SHORTEST = 5
"""Points of the shortest line that is no mere spur."""
DEEPER = 0.7
"""Nobody goes over a line again for less than that, in enlarged pixels."""


def of_images(images: NDArray[np.uint8], side: float, pen: float | None = None) -> list[list[Line]]:
    """Strokes ``[(x, y), ...]`` on a board of ``side`` for each of ``images [n, 28, 28]``.

    Given how wide the ``pen`` is, what is wider is gone over.
    """
    larger = [ndimage.zoom(i / 255, LARGER, order=1, grid_mode=True, mode="grid-constant") for i in images]
    ink = np.stack([ndimage.gaussian_filter(one, LARGER / 3) for one in larger]) > 0.4
    unit = side / (28 * LARGER)
    found = []
    for thin, wide in zip(thinned(ink), ink, strict=True):
        lines = middle(thin) + (over(wide, pen / 2 / unit) if pen else [])
        found.append([[((x + 0.5) * unit, (y + 0.5) * unit) for y, x in line] for line in lines])
    return found


def middle(thin: Bits) -> list[Line]:
    """The middle lines, smoothed, without spurs."""
    followed = traced(thin)
    least = min(SHORTEST, max(map(len, followed)))
    return [smoothed(line) for line in followed if len(line) >= least]


def over(ink: Bits, radius: float) -> list[Line]:
    """To and fro over what lies deeper inside than the pen reaches from the middle line."""
    inside = ndimage.distance_transform_edt(ink) >= radius + DEEPER
    found: list[Line] = []
    for row in range(0, len(ink), 2):
        steps = np.diff(np.pad(inside[row].astype(np.int8), 1))
        for first, last in zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1) - 1, strict=True):
            there = [(float(row), float(first)), (float(row), float(last))]
            back = found[-1][-1] if found else (-9.0, 0.0)
            if row - back[0] <= 2 and first <= back[1] <= last:  # the pen goes on below, without being lifted
                found[-1] += there[::-1]
            else:
                found.append(there)
    return found


def smoothed(line: Line) -> Line:
    """Without the steps of the grid; the ends stay."""
    points = np.array(line, float)
    for _ in range(2):
        points[1:-1] = (points[:-2] + 2 * points[1:-1] + points[2:]) / 4
    return [(float(y), float(x)) for y, x in points]


def thinned(ink: Bits) -> Bits:
    """``[n, h, w]`` down to lines of one pixel, all pictures at once."""
    left = np.pad(ink, ((0, 0), (1, 1), (1, 1))).astype(np.uint8)
    changed = True
    while changed:
        changed = False
        for first in (True, False):
            inner = left[:, 1:-1, 1:-1]
            n, ne, e, se = left[:, :-2, 1:-1], left[:, :-2, 2:], left[:, 1:-1, 2:], left[:, 2:, 2:]
            s, sw, w, nw = left[:, 2:, 1:-1], left[:, 2:, :-2], left[:, 1:-1, :-2], left[:, :-2, :-2]
            ring = [n, ne, e, se, s, sw, w, nw]
            count = np.sum(ring, axis=0)
            turns = np.sum([(a == 0) & (b == 1) for a, b in zip(ring, ring[1:] + ring[:1], strict=True)], axis=0)
            free = (n * e * s == 0) & (e * s * w == 0) if first else (n * e * w == 0) & (n * s * w == 0)
            gone = (inner == 1) & (count >= 2) & (count <= 6) & (turns == 1) & free
            changed = changed or bool(gone.any())
            inner[gone] = 0
    return left[:, 1:-1, 1:-1].astype(bool)


def traced(thin: Bits) -> list[Line]:
    """The lines of one picture, each from an end on, straight ahead where it branches; branches begin at their line."""
    every = {(int(row), int(column)) for row, column in np.argwhere(thin)}
    left, found = set(every), []

    def around(point: tuple[int, int], among: set[tuple[int, int]]) -> list[tuple[int, int]]:
        return [(point[0] + a, point[1] + b) for a, b in NEAR if (point[0] + a, point[1] + b) in among]

    while left:
        start = min(left, key=lambda point: (len(around(point, left)), point))
        line = [*around(start, every - left)[:1], start]
        left.discard(start)
        while ahead := around(line[-1], left):
            back = line[max(-4, -len(line))]
            way = np.subtract(line[-1], back)
            line.append(
                max(ahead, key=lambda to: float(way @ np.subtract(to, line[-1])) / np.hypot(*np.subtract(to, line[-1])))
            )
            left.discard(line[-1])
        line += [point for point in around(line[-1], every) if point not in line[-3:]][:1]
        found.append(line)
    return found

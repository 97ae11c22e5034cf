"""Stored predictions -> Figure: the first test images, those that were mistaken, those on which two disagree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bench.display import naming
from bench.display import numbers as display_numbers
from bench.display.charts import HEAD, WIDTH, Chart, draw, headed
from bench.store.predictions import Configuration, TestSet, taken_for
from bench.store.records.training import TrainingResult

ACROSS = 10
"""Images in a row."""
MOST = 30
"""Images of a chart; the tables count them all."""
SHOWN_FIRST = 4
"""Document 3 shows the predictions for the first four test images."""
LINE = 0.13
"""Inches of a line beneath an image."""
Tile = tuple[int, Sequence[str]]
"""An image's number, and the lines beneath it."""


def grid(test: TestSet, tiles: Sequence[Tile], key: str, title: str) -> Figure | None:
    """Images side by side, each with its lines; None where there are none."""
    if not tiles:
        return None
    side = (WIDTH - 0.1) / ACROSS
    height_of_row = side + LINE * max(len(lines) for _, lines in tiles) + 0.08
    rows = -(-len(tiles) // ACROSS)
    height = HEAD + rows * height_of_row + 0.05
    figure = headed(height, title, key)
    for position, (number, lines) in enumerate(tiles):
        left = 0.05 + position % ACROSS * side
        top = height - HEAD - position // ACROSS * height_of_row
        axes = figure.add_axes(
            ((left + 0.03) / WIDTH, (top - side + 0.06) / height, (side - 0.06) / WIDTH, (side - 0.06) / height)
        )
        drawn(axes, test.images[number])
        for line, text in enumerate(lines):
            y = (top - side - LINE * (line + 0.4)) / height
            figure.text((left + side / 2) / WIDTH, y, text, ha="center", va="center", fontsize=7.5, parse_math=False)
    return figure


def drawn(axes: Axes, image: NDArray[np.uint8]) -> None:
    """One image as it is stored: white strokes on black."""
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_off()


@dataclass(frozen=True)
class Said:
    """What an implementation took the test images for in its first block, uint8 ``[n]``."""

    implementation: str
    tier: str
    digits: NDArray[np.uint8]

    @property
    def name(self) -> str:
        """As people call it."""
        return naming.named(self.implementation, self.tier)


def of_group(
    title: str, key: str, found: Sequence[tuple[Configuration, list[TrainingResult]]], test: TestSet
) -> Iterator[Chart | None]:
    """The charts of one group: the first images, each implementation's mistakes, where two of a tier disagree."""
    said = [Said(place[4], place[3], taken_for(results[0])) for place, results in found]
    if said:
        yield first_images(title, key, said, test)
        yield from (mistaken(title, key, one, test) for one in said)
        yield from (apart(title, key, a, b, test) for a, b in combinations(said, 2) if a.tier == b.tier)


def first_images(title: str, key: str, said: Sequence[Said], test: TestSet) -> Chart | None:
    """The first four test images, their labels, and what the implementations say."""
    numbers = [number for number in range(SHOWN_FIRST) if number in test.images]
    tiles = [(n, [f"label {test.labels[n]}", *sorted({f"said {one.digits[n]}" for one in said})]) for n in numbers]
    told = "; ".join(f"{one.name} says {', '.join(str(one.digits[n]) for n in numbers)}" for one in said)
    labels = ", ".join(str(test.labels[n]) for n in numbers)
    text = f"The first {len(numbers)} test images are {labels}; {told}."
    figure = partial(grid, test, tiles, "the label, and what the implementations say after training")
    return draw(f"first.{key}", f"The first test images: {title}", text, figure)


def mistaken(title: str, key: str, one: Said, test: TestSet) -> Chart | None:
    """The test images that an implementation took for something else."""
    wrong = np.flatnonzero(one.digits != test.labels).tolist()
    tiles = [(n, [f"{test.labels[n]}, not {one.digits[n]}"]) for n in wrong if n in test.images][:MOST]
    count = display_numbers.count(len(wrong), "test image")
    text = f"{one.name} mistook {count} of {len(test.labels):,} in its first block; {told(tiles)}."
    figure = partial(
        grid, test, tiles, f"the first {len(tiles)} of {len(wrong)}: what it is, not what it was taken for"
    )
    return draw(f"mistaken.{key}.{one.implementation}", f"Mistaken by {one.name}: {title}", text, figure)


def apart(title: str, key: str, a: Said, b: Said, test: TestSet) -> Chart | None:
    """The test images on which two implementations disagree."""
    numbers = np.flatnonzero(a.digits != b.digits).tolist()
    kept = [n for n in numbers if n in test.images][:MOST]
    tiles = [(n, [f"is {test.labels[n]}", f"{a.digits[n]} / {b.digits[n]}"]) for n in kept]
    count = display_numbers.count(len(numbers), "test image")
    text = f"{a.name} and {b.name} disagree on {count} in the first block; {told(tiles)}."
    figure = partial(grid, test, tiles, f"the first {len(tiles)} of {len(numbers)}: what it is, what they say")
    name = f"apart.{key}.{a.implementation}.{b.implementation}"
    return draw(name, f"{a.name} and {b.name} disagree: {title}", text, figure)


def told(tiles: Sequence[Tile]) -> str:
    """The images of a chart in words."""
    return "the first: " + "; ".join(f"number {number} {', '.join(lines)}" for number, lines in tiles)

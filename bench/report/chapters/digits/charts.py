"""Stored predictions -> Figure: the first test images, those that were mistaken, those on which two disagree."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bench.display import naming, numbers
from bench.display.charts import HEAD, WIDTH, Chart, draw, headed
from bench.store.predictions import Configuration, TestSet, taken_for
from bench.store.records.training import TrainingResult

APART = "apart"
"""The charts of images on which two programs disagree."""
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


def of_group(
    title: str, key: str, processes: Mapping[Configuration, list[TrainingResult]], test: TestSet
) -> Iterator[Chart | None]:
    """The charts of one group: the first images, each implementation's mistakes, where two of a tier disagree."""
    answers = [Answers(name, tier, taken_for(own[0])) for (*_, tier, name), own in processes.items()]
    if answers:
        yield first_images(title, key, answers, test)
        yield from (mistaken(title, key, one, test) for one in answers)
        yield from (apart(title, key, a, b, test) for a, b in combinations(answers, 2) if a.tier == b.tier)


@dataclass(frozen=True)
class Answers:
    """What an implementation took the test images for in its first block, uint8 ``[n]``."""

    implementation: str
    tier: str
    digits: NDArray[np.uint8]

    @property
    def name(self) -> str:
        """Framework and tier, as tables have them."""
        return naming.named(self.implementation, self.tier)


def first_images(title: str, key: str, answers: Sequence[Answers], test: TestSet) -> Chart | None:
    """The first four test images, their labels, and what the implementations say."""
    first = [n for n in range(SHOWN_FIRST) if n in test.images]
    tiles = [(n, [f"label {test.labels[n]}", *sorted({f"said {one.digits[n]}" for one in answers})]) for n in first]
    said = "; ".join(f"{one.name} says {', '.join(str(one.digits[n]) for n in first)}" for one in answers)
    labels = ", ".join(str(test.labels[n]) for n in first)
    text = f"The first {len(first)} test images are {labels}; {said}."
    figure = partial(grid, test, tiles, "the label, and what the implementations say after training")
    return draw(f"first.{key}", f"The first test images: {title}", text, figure)


def mistaken(title: str, key: str, one: Answers, test: TestSet) -> Chart | None:
    """The test images that an implementation took for something else."""
    wrong = np.flatnonzero(one.digits != test.labels).tolist()
    tiles = [(n, [f"{test.labels[n]}, not {one.digits[n]}"]) for n in wrong if n in test.images][:MOST]
    count = numbers.count(len(wrong), "test image")
    text = f"{one.name} mistook {count} of {len(test.labels):,} in its first block; {in_words(tiles)}."
    how = f"the first {len(tiles)} of {len(wrong)}: what it is, not what it was taken for"
    name = f"mistaken.{key}.{one.implementation}"
    return draw(name, f"Mistaken by {one.name}: {title}", text, partial(grid, test, tiles, how))


def apart(title: str, key: str, a: Answers, b: Answers, test: TestSet) -> Chart | None:
    """The test images on which two implementations disagree."""
    disputed = np.flatnonzero(a.digits != b.digits).tolist()
    tiles = [(n, [f"is {test.labels[n]}", f"{a.digits[n]} / {b.digits[n]}"]) for n in disputed if n in test.images]
    tiles = tiles[:MOST]
    count = numbers.count(len(disputed), "test image")
    text = f"{a.name} and {b.name} disagree on {count} in the first block; {in_words(tiles)}."
    how = f"{title}; the first {len(tiles)} of {len(disputed)}: what it is, what they say"
    name = f"{APART}.{key}.{a.implementation}.{b.implementation}"
    labels = numbers.listed([naming.label(one.implementation, one.tier) for one in (a, b)])
    return draw(name, f"{labels} disagree ({a.tier})", text, partial(grid, test, tiles, how))


def in_words(tiles: Sequence[Tile]) -> str:
    """The images of a chart in words."""
    return "the first: " + "; ".join(f"number {number} {', '.join(lines)}" for number, lines in tiles)


def grid(test: TestSet, tiles: Sequence[Tile], key: str, title: str) -> Figure | None:
    """Images side by side, white strokes on black as stored, each with its lines; None where there are none."""
    if not tiles:
        return None
    side = (WIDTH - 0.1) / ACROSS
    row_height = side + LINE * max(len(lines) for _, lines in tiles) + 0.08
    height = HEAD + -(-len(tiles) // ACROSS) * row_height + 0.05
    figure = headed(height, title, key)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, height), autoscale_on=False)  # in inches
    axes.set_axis_off()
    for position, (number, lines) in enumerate(tiles):
        left, top = 0.05 + position % ACROSS * side, height - HEAD - position // ACROSS * row_height
        extent = (left + 0.03, left + side - 0.03, top - side + 0.06, top)
        axes.imshow(test.images[number], "gray", aspect="auto", vmin=0, vmax=255, interpolation="none", extent=extent)
        for line, text in enumerate(lines):
            y = (top - side - LINE * (line + 0.4)) / height
            figure.text((left + side / 2) / WIDTH, y, text, ha="center", va="center", fontsize=7.5, parse_math=False)
    return figure

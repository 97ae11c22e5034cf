"""Digit by digit: what the test images were taken for, from the stored predictions. Nothing is trained or predicted.

The labels, and those images that somebody took for something else, are kept beside the cells when a run ends, so that
a report needs no data set.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench import mnist, store
from bench.records import Result
from bench.tables import GROUP

DIGITS = range(10)
FIRST = 10
"""So many of the first test images are kept in any case."""
BY_DIGIT = [*GROUP, "tier", "implementation", "digit", "images", "correct", "accuracy", "processes"]
CONFUSION = [*GROUP, "tier", "implementation", "digit", "taken_for", "images", "processes"]
DISAGREEMENT = [*GROUP, "tier", "a", "b", "block", "images", "only_a", "only_b", "neither"]
Bytes = NDArray[np.uint8]
Place = tuple[str, str, int, str, str]
"""Network, device, threads, tier, implementation."""


@dataclass(frozen=True)
class TestSet:
    """The labels of all test images, uint8 ``[n]``, and some of the images, uint8 ``[28, 28]``, by their number."""

    __test__ = False  # pytest looks for classes of that name

    labels: Bytes
    images: Mapping[int, Bytes]


NO_TEST_SET = TestSet(np.zeros(0, np.uint8), {})


def path(directory: Path, data: str) -> Path:
    """Where the test set of a data set is kept, by its digest."""
    return directory / "predictions" / f"test-set.{data}.npz"


def keep(directory: Path, root: Path, results: Sequence[Result], data: str) -> None:
    """Keep the labels of the data set in ``root``, and the images that were mistaken in these results."""
    found = mnist.load(root)
    mistaken = {i for result in own(results, data) for i in np.flatnonzero(taken_for(result) != found.y_test)}
    numbers = np.array(sorted(mistaken | set(range(min(FIRST, len(found.y_test))))), dtype=np.int32)
    content = io.BytesIO()
    np.savez_compressed(content, labels=found.y_test, numbers=numbers, images=found.x_test[numbers])
    target = path(directory, data)
    with store.writing(target):
        target.parent.mkdir(exist_ok=True)
        store.write_bytes(target, content.getvalue())


def read(directory: Path, results: Sequence[Result]) -> TestSet:
    """The test set that belongs to the results; an empty one where none was kept, or they have several."""
    data = {result.cell.data for result in results if result.predicted}
    if len(data) != 1 or not path(directory, min(data)).exists():
        return NO_TEST_SET
    with np.load(path(directory, min(data)), allow_pickle=False) as kept:
        return TestSet(kept["labels"], dict(zip(kept["numbers"].tolist(), kept["images"], strict=True)))


def own(results: Sequence[Result], data: str) -> list[Result]:
    """What was measured on a data set to its end, and whose predictions were kept."""
    return [
        r for r in results if r.status == "ok" and r.cell.role == "measured" and r.predicted and r.cell.data == data
    ]


def taken_for(result: Result) -> Bytes:
    """What each test image was taken for, uint8 ``[n]``."""
    return np.frombuffer(result.predicted.encode(), np.uint8) - ord("0")


def by_place(results: Sequence[Result], test: TestSet) -> Iterator[tuple[Place, list[Result]]]:
    """The results of each implementation whose predictions are of this test set, in the order of their blocks."""
    found: dict[Place, list[Result]] = {}
    for result in sorted(results, key=lambda result: result.cell.block):
        if result.cell.role == "measured" and result.predicted and len(result.predicted) == len(test.labels):
            found.setdefault((*result.cell.place, result.cell.tier, result.cell.implementation), []).append(result)
    yield from found.items()


def by_digit(results: Sequence[Result], test: TestSet) -> pd.DataFrame:
    """How many images of each digit were recognised, as the mean over processes, and which share of them that is."""
    rows = []
    for place, processes in by_place(results, test):
        right = np.mean([taken_for(result) == test.labels for result in processes], axis=0)
        for digit in DIGITS:
            of_digit = right[test.labels == digit]
            share = float(of_digit.mean()) if len(of_digit) else None
            rows.append((*place, digit, len(of_digit), float(of_digit.sum()), share, len(processes)))
    return pd.DataFrame(rows, columns=BY_DIGIT)


def confusion(results: Sequence[Result], test: TestSet) -> pd.DataFrame:
    """How many images of each digit were taken for which, as the mean over processes; what never happened is no row."""
    rows = []
    for place, processes in by_place(results, test):
        counts = np.zeros((10, 10))
        for result in processes:
            np.add.at(counts, (test.labels, taken_for(result)), 1)
        rows += [(*place, *map(int, pair), counts[*pair] / len(processes), len(processes))
                 for pair in np.argwhere(counts)]  # fmt: skip
    return pd.DataFrame(rows, columns=CONFUSION)


def disagreements(results: Sequence[Result], test: TestSet) -> pd.DataFrame:
    """On how many test images two implementations of a tier say different things, block by block, and who is right.

    ``only_a`` and ``only_b`` are images that one of the two recognises, ``neither`` those that both mistake, each for
    something else. Implementations of one block have the same seed.
    """
    rows = []
    for (place_a, a), (place_b, b) in combinations(by_place(results, test), 2):
        if place_a[:4] != place_b[:4]:
            continue
        others = {result.cell.block: result for result in b}
        for block, one in ((result.cell.block, result) for result in a if result.cell.block in others):
            said = taken_for(one), taken_for(others[block])
            apart = said[0] != said[1]
            right = [(digits == test.labels) & apart for digits in said]
            only_a, only_b, images = (int(part.sum()) for part in (*right, apart))
            rows.append((*place_a[:4], place_a[4], place_b[4], block, images, only_a, only_b, images - only_a - only_b))
    return pd.DataFrame(rows, columns=DISAGREEMENT)

"""What the test images were taken for, and the test set itself, as files of a result directory."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import files
from bench.data import mnist
from bench.errors import FcnBenchError
from bench.store import formats
from bench.store.records.training import TrainingResult
from impls import portable

FIRST = 10
"""So many of the first test images are kept in any case."""
Bytes = NDArray[np.uint8]
Configuration = tuple[str, str, int, str, str]
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
    return files.inside(directory / "predictions", f"test-set.{data}.npz")


def keep(directory: Path, root: Path, results: Sequence[TrainingResult], data: str) -> None:
    """Keep the labels of the data set in ``root``, and the images that were mistaken in these results."""
    found = mnist.load(root)
    complete = [result for result in own(results, data) if len(result.predicted) == len(found.y_test)]
    mistaken = {i for result in complete for i in np.flatnonzero(taken_for(result) != found.y_test)}
    numbers = np.array(sorted(mistaken | set(range(min(FIRST, len(found.y_test))))), dtype=np.int32)
    content = io.BytesIO()
    np.savez_compressed(content, labels=found.y_test, numbers=numbers, images=found.x_test[numbers])
    target = path(directory, data)
    with files.writing(target):
        target.parent.mkdir(exist_ok=True)
        files.write_bytes(target, content.getvalue())


def read(directory: Path, results: Sequence[TrainingResult]) -> TestSet:
    """The test set that belongs to the results; an empty one where none was kept, or they have several.

    Raises FcnBenchError for a file that cannot be read, and where predictions are not as many as its labels.
    """
    data = {result.cell.data for result in results if result.predicted}
    if len(data) != 1 or not (source := path(directory, min(data))).exists():
        return NO_TEST_SET
    test = read_file(source)
    for result in results:
        if result.predicted and len(result.predicted) != len(test.labels):
            digits = f"{len(result.predicted)} digits in {result.cell.key}"
            raise FcnBenchError(f"{source}: {len(test.labels)} labels, but {digits}; move one of them away")
    return test


def read_file(source: Path) -> TestSet:
    """The test set in a file. Raises FcnBenchError for one that cannot be read."""
    with formats.reading(source, str(source), "damaged", "move it away, then 'fcnbench run' writes it again"):
        return decoded(source)


def decoded(source: Path) -> TestSet:
    """The test set in a file. Raises what is in :data:`bench.store.formats.DAMAGE` for anything else."""
    with zipfile.ZipFile(source) as archive:
        size = sum(member.file_size for member in archive.infolist())
        if size > files.LARGEST:
            raise ValueError(f"unpacks to {size} bytes")
        labels, numbers, images = (portable.array(archive, name) for name in ("labels", "numbers", "images"))
    if labels.dtype != np.uint8 or labels.ndim != 1 or (labels > 9).any():
        raise ValueError("its labels are no digits")
    if images.dtype != np.uint8 or images.shape != (len(numbers), 28, 28):
        raise ValueError(f"its images are {images.dtype} {images.shape}, expected uint8 {(len(numbers), 28, 28)}")
    if numbers.dtype.kind != "i" or numbers.ndim != 1 or not ((numbers >= 0) & (numbers < len(labels))).all():
        raise ValueError("its images have numbers that no label has")
    return TestSet(labels, dict(zip(numbers.tolist(), images, strict=True)))


def own(results: Sequence[TrainingResult], data: str) -> list[TrainingResult]:
    """What was measured on a data set to its end, and whose predictions were kept."""
    return [
        r for r in results if r.status == "ok" and r.cell.role == "measured" and r.predicted and r.cell.data == data
    ]


def taken_for(result: TrainingResult) -> Bytes:
    """What each test image was taken for, uint8 ``[n]``."""
    return np.frombuffer(result.predicted.encode(), np.uint8) - ord("0")

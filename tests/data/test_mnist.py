"""bench.data.mnist: what it reads, what it refuses, what it says of a set, and what it writes."""

import dataclasses
import os
import time

import numpy as np
import pytest
from images import as_torchvision_reads, error_of, same, small_set

from bench.data import download, mnist

X_TRAIN, Y_TRAIN, X_TEST, Y_TEST = mnist.PUBLISHED


def test_load_copies_nothing_and_cannot_be_written_to(tmp_path):
    """The arrays are views of the mapped files and refuse assignment."""
    mnist.write(tmp_path, *small_set())
    data = mnist.load(tmp_path)
    for array in (data.x_train, data.y_train, data.x_test, data.y_test):
        assert not array.flags.owndata
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    assert data.root == tmp_path


def test_load_names_a_missing_file(tmp_path):
    """``load`` of a directory without the files is an error of one line too."""
    assert f"{tmp_path / 'MNIST/raw' / X_TRAIN}: No such file" in error_of(mnist.load, tmp_path)


def test_load_names_an_unreadable_file(tmp_path):
    """What the system refuses is one line with the file in it."""
    mnist.write(tmp_path, *small_set())
    path = tmp_path / mnist.RAW / Y_TEST
    path.unlink()
    path.mkdir()
    assert f"{path}: Is a directory" in error_of(mnist.load, tmp_path)


@pytest.mark.parametrize(
    ("name", "edit", "fault"),
    [
        (X_TRAIN, lambda content: content[:-1], "truncated: 4719 bytes, expected 4720 for the shape (6, 28, 28)"),
        (X_TRAIN, lambda content: content + b"\0", "too long: 4721 bytes, expected 4720"),
        (X_TRAIN, lambda content: content[:10], "truncated: 10 bytes, expected 16 for the header"),
        (Y_TEST, lambda content: b"", "truncated: 0 bytes, expected 8 for the header"),
        (Y_TEST, lambda content: bytes((0, 0, 9, 1)) + content[4:], "begins with 00000901, expected 00000801"),
        (X_TEST, lambda content: bytes((0, 0, 8, 1)) + content[4:], "begins with 00000801, expected 00000803"),
        (X_TEST, lambda content: content[:11] + bytes((14, 0, 0, 0, 56)) + content[16:], "shape (3, 14, 56)"),
        (X_TEST, lambda content: content[:7] + b"\0" + content[8:16], "shape (0, 28, 28)"),
        (Y_TRAIN, lambda content: content[:-1] + b"\x0a", "label 10 at index 5, expected 0 to 9"),
        (Y_TRAIN, lambda content: content[:7] + b"\5" + content[8:-1], "5 labels, expected 6"),
    ],
    ids=[
        "truncated",
        "too long",
        "half a header",
        "empty",
        "not uint8",
        "labels for images",
        "not 28x28",
        "no images",
        "label out of range",
        "fewer labels than images",
    ],
)
def test_an_unsound_file_is_refused(tmp_path, name, edit, fault):
    """``load`` and ``describe`` refuse the set with the same words: file, what it is, what was expected."""
    mnist.write(tmp_path, *small_set())
    path = tmp_path / mnist.RAW / name
    path.write_bytes(edit(path.read_bytes()))
    text = error_of(mnist.load, tmp_path)
    assert f"{path}: {fault}" in text
    assert error_of(mnist.describe, tmp_path) == text


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A root with ``small_set()``, which passes for the published MNIST."""
    root = tmp_path / "published"
    mnist.write(root, *small_set())
    monkeypatch.setattr(mnist, "PUBLISHED", mnist.describe(root).md5)
    return root


def test_describe_tells_the_published_set_from_others(published, tmp_path):
    """Another set is named so, with the files that differ; its digest differs, and the published one has no note."""
    mnist.write(tmp_path / "other", *small_set(seed=5))
    theirs, other = mnist.describe(published), mnist.describe(tmp_path / "other")
    assert (theirs.root, theirs.name, theirs.note, theirs.n_train, theirs.n_test) == (published, "MNIST", "", 6, 3)
    assert other.name == "other IDX set"
    assert other.note.startswith("not the published MNIST")
    assert all(name in other.note for name in mnist.PUBLISHED)
    assert theirs.digest != other.digest
    with pytest.raises(dataclasses.FrozenInstanceError):
        other.name = "MNIST"


def test_describe_names_the_one_damaged_file(published):
    """Sound in form but with one byte changed: the note names that file alone."""
    path = published / mnist.RAW / X_TEST
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    note = mnist.describe(published).note
    assert X_TEST in note
    assert X_TRAIN not in note


@pytest.mark.process
def test_torchvision_reads_what_write_wrote(tmp_path):
    """Bit for bit, training and test set."""
    mnist.write(tmp_path, *small_set())
    theirs = [*as_torchvision_reads(tmp_path, train=True), *as_torchvision_reads(tmp_path, train=False)]
    assert all(np.array_equal(read, written) for read, written in zip(theirs, small_set(), strict=True))


def test_write_refuses_what_load_would_refuse(tmp_path):
    """Labels out of range and arrays of another type are refused before anything is written."""
    x_train, y_train, x_test, y_test = small_set()
    assert "label 99" in error_of(mnist.write, tmp_path, x_train, y_train, x_test, y_test + np.uint8(99 - y_test[0]))
    with pytest.raises(TypeError):
        mnist.write(tmp_path, x_train.astype(np.float32), y_train, x_test, y_test)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    """A disk that is full is one line, and neither half a file nor a temporary one remains."""

    def full(_):
        raise OSError(28, "No space left on device")

    mnist.write(tmp_path, *small_set())
    monkeypatch.setattr(os, "fsync", full)
    assert f"{tmp_path}: No space left on device" in error_of(mnist.write, tmp_path, *small_set(seed=5))
    assert same(mnist.load(tmp_path), small_set())
    assert len(list((tmp_path / "MNIST/raw").iterdir())) == 4


@pytest.fixture(scope="module")
def real_root():
    """The published MNIST in the user's own cache, so that it is fetched once per machine."""
    return download.find()


def test_the_real_set_is_the_published_one(real_root):
    """All four MD5s, the sizes, and a mean that MNIST is known by."""
    description = mnist.describe(real_root)
    assert (description.name, description.note) == ("MNIST", "")
    assert (description.n_train, description.n_test) == (60_000, 10_000)
    assert mnist.load(real_root).x_train.mean() / 255 == pytest.approx(0.1307, abs=1e-4)


@pytest.mark.process
def test_torchvision_reads_the_real_set_bit_equal(real_root):
    """``torchvision.datasets.MNIST(root, download=False)`` and ``load`` give the same images and labels."""
    data = mnist.load(real_root)
    for train, x, y in ((True, data.x_train, data.y_train), (False, data.x_test, data.y_test)):
        images, labels = as_torchvision_reads(real_root, train)
        assert np.array_equal(images, x)
        assert np.array_equal(labels, y)


def test_the_real_set_loads_at_once(real_root):
    """Mapping takes a millisecond or so; 0.3 s would mean that the images are read or copied."""
    start = time.perf_counter()
    mnist.load(real_root)
    assert time.perf_counter() - start < 0.3

"""What is held out of training: how much, which, and where it is found again."""

from pathlib import Path

import numpy as np
import pytest

from bench.data import holdout, mnist
from bench.data.holdout import Parts
from bench.errors import FcnBenchError
from impls.contract import Data

N, N_TEST = 50, 7


@pytest.fixture
def data() -> Data:
    """Images that can be told apart: the first pixel is the number in the training set, 200 and up in the test set."""
    rng = np.random.default_rng(11)
    images = np.zeros((N + N_TEST, 28, 28), np.uint8)
    images[:, 0, 0] = [*range(N), *range(200, 200 + N_TEST)]
    labels = rng.integers(0, 10, N + N_TEST).astype(np.uint8)
    return Data(images[:N], labels[:N], images[N:], labels[N:], Path())


def numbers(images: np.ndarray) -> list[int]:
    """Which images these are."""
    return images[:, 0, 0].tolist()


@pytest.mark.parametrize(("share", "held"), [(0.1, 5), (0.5, 25), (0.02, 1), (0.98, 49), (0.125, 6), (0.275, 14)])
def test_the_share_is_held_out(data: Data, tmp_path: Path, share: float, held: int) -> None:
    """Rounded to a number of images, which are no longer there to train on."""
    found, parts = holdout.hold_out(data, share, 1, tmp_path)
    assert (parts.n_test, parts.n_validation) == (N_TEST, held)
    assert len(found.x_train) == len(found.y_train) == N - held
    assert len(found.x_test[parts.validation]) == held


def test_every_image_is_either_held_out_or_trained_on(data: Data, tmp_path: Path) -> None:
    """None is both, none is lost."""
    found, parts = holdout.hold_out(data, 0.3, 1, tmp_path)
    assert sorted(numbers(found.x_train) + numbers(found.x_test[parts.validation])) == list(range(N))


def test_what_is_left_keeps_its_order(data: Data, tmp_path: Path) -> None:
    """The training images, those held out and the sample come in the order of the files."""
    found, parts = holdout.hold_out(data, 0.3, 1, tmp_path)
    for images in (found.x_train, found.x_test[parts.validation], found.x_test[parts.training]):
        assert numbers(images) == sorted(numbers(images))


def test_the_test_set_stays_in_front(data: Data, tmp_path: Path) -> None:
    """Unchanged, images and labels."""
    found, parts = holdout.hold_out(data, 0.3, 1, tmp_path)
    np.testing.assert_array_equal(found.x_test[parts.test], data.x_test, strict=True)
    np.testing.assert_array_equal(found.y_test[parts.test], data.y_test, strict=True)


def test_every_image_keeps_its_label(data: Data, tmp_path: Path) -> None:
    """Held out, trained on and sampled alike."""
    found, parts = holdout.hold_out(data, 0.3, 1, tmp_path)
    pairs = [(found.x_train, found.y_train)]
    pairs += [(found.x_test[part], found.y_test[part]) for part in (parts.validation, parts.training)]
    for images, labels in pairs:
        assert labels.tolist() == data.y_train[numbers(images)].tolist()


def test_the_parts_are_all_that_is_predicted(data: Data, tmp_path: Path) -> None:
    """One behind the other: the test set, what is held out, the sample."""
    found, parts = holdout.hold_out(data, 0.3, 1, tmp_path)
    pieces = [found.y_test[part] for part in (parts.test, parts.validation, parts.training)]
    assert np.concatenate(pieces).tolist() == found.y_test.tolist()


def test_without_a_share_the_test_set_is_all_there_is() -> None:
    """Parts of a test set alone has nothing in the other two."""
    parts, labels = Parts(7), np.arange(7)
    assert [labels[part].size for part in (parts.test, parts.validation, parts.training)] == [7, 0, 0]


def test_the_sample_is_of_images_that_are_trained_on(data: Data, tmp_path: Path) -> None:
    """All of them where there are fewer than the sample may have."""
    found, parts = holdout.hold_out(data, 0.3, 1, tmp_path)
    assert numbers(found.x_test[parts.training]) == numbers(found.x_train)


def test_the_sample_is_limited(data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To a number of images, each once, and not simply the first ones."""
    monkeypatch.setattr(holdout, "TRAINING_SAMPLE", 9)
    found, parts = holdout.hold_out(data, 0.3, 1, tmp_path)
    sampled = numbers(found.x_test[parts.training])
    assert len(set(sampled)) == len(sampled) == 9
    assert set(sampled) < set(numbers(found.x_train))
    assert sampled != numbers(found.x_train)[:9]


def test_the_same_seed_holds_the_same_images_out(data: Data, tmp_path: Path) -> None:
    """Another seed holds out others."""
    held = []
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        found, parts = holdout.hold_out(data, 0.3, seed, tmp_path / folder)
        held.append(numbers(found.x_test[parts.validation]))
    assert held[0] == held[1] != held[2]


@pytest.mark.parametrize(("share", "held"), [(0.001, 0), (0.999, 50)])
def test_holding_out_nothing_or_everything_is_refused(data: Data, tmp_path: Path, share: float, held: int) -> None:
    """In one line with the share, the images, what it comes to and what it may come to; nothing is written."""
    with pytest.raises(FcnBenchError) as refused:
        holdout.hold_out(data, share, 1, tmp_path)
    assert str(refused.value) == f"validation {share} of 50 training images is {held}, expected 1 to 49; change it"
    assert list(tmp_path.iterdir()) == []


def test_the_files_hold_what_is_returned(data: Data, tmp_path: Path) -> None:
    """A program that reads the folder itself trains on and predicts the same images."""
    found, _ = holdout.hold_out(data, 0.3, 1, tmp_path)
    read = mnist.load(tmp_path)
    assert found.root == read.root == tmp_path
    for name in ("x_train", "y_train", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(found, name), getattr(read, name), strict=True)


def test_the_data_passed_in_stays_as_it_was(data: Data, tmp_path: Path) -> None:
    """Read-only arrays can be held out of, as those of the files are."""
    for array in (data.x_train, data.y_train, data.x_test, data.y_test):
        array.setflags(write=False)
    holdout.hold_out(data, 0.3, 1, tmp_path)
    assert numbers(data.x_train) == list(range(N))

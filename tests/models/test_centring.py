"""The rule by which grey levels become a network's image, held against slower ways to say the same."""

import math

import numpy as np
import pytest

from bench.models import centring

RANDOM = np.random.default_rng(5)


@pytest.mark.parametrize(("before", "after"), [(7, 20), (20, 20), (33, 28), (3, 1), (1, 5), (280, 28)])
def test_resampling_is_the_mean_over_the_covered_area(before: int, after: int) -> None:
    """As if each pixel were cut into so many parts that every new one is made of whole parts."""
    levels = RANDOM.random((before, before))
    whole = np.kron(levels, np.ones((after, after)))
    expected = whole.reshape(after, before, after, before).mean(axis=(1, 3))
    np.testing.assert_allclose(centring.resampled(levels, after, after), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("height", "width"), [(50, 30), (30, 50), (9, 9), (200, 3), (20, 7)])
def test_the_longer_side_becomes_20_pixels(height: int, width: int) -> None:
    """The other side in proportion, rounded, at least 1; all ink, so that every pixel of it is bright."""
    levels = np.zeros((height + 13, width + 29))
    levels[6 : 6 + height, 22 : 22 + width] = 1
    found = centring.centred(levels) > 127
    sides = [math.floor(20 * side / max(height, width) + 0.5) for side in (height, width)]
    assert [found.any(axis=1).sum(), found.any(axis=0).sum()] == [max(1, side) for side in sides]


def test_the_centre_of_mass_comes_to_the_middle_of_pixel_14() -> None:
    """Rows and columns, from 14 to 15, where it is in every image of MNIST: wherever the digit lay before."""
    for _ in range(20):
        levels = np.zeros((90, 70))
        top, left = RANDOM.integers(0, 50), RANDOM.integers(0, 40)
        levels[top : top + 40, left : left + 30] = 0.2 + 0.8 * RANDOM.random((40, 30))
        image = centring.centred(levels).astype(float)
        for axis in (0, 1):
            masses = image.sum(axis=axis)
            assert 13.99 <= masses @ (np.arange(28) + 0.5) / masses.sum() <= 15.01


def test_what_is_heavy_at_one_end_stays_inside() -> None:
    """The shift ends at the border of the field; no ink is lost."""
    levels = np.full((20, 20), 0.11)
    levels[:2] = 1.0
    image = centring.centred(levels)
    np.testing.assert_array_equal(image[8:, 4:24], np.floor(255 * levels + 0.5))
    assert not image[:8].any()


def test_an_image_that_is_made_so_is_left_as_it_is() -> None:
    """Byte for byte: 20 pixels long, its centre of mass where it belongs."""
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 8:20] = RANDOM.integers(30, 255, (20, 12))
    image[10:18, 10:18] = 255
    once = centring.centred(image / 255)
    assert sorted(once.ravel()) == sorted(image.ravel())
    np.testing.assert_array_equal(centring.centred(once / 255), once)


def test_faint_traces_are_no_part_of_the_digit() -> None:
    """A tenth of the ink and less does not make the box wider."""
    levels = np.zeros((60, 60))
    levels[20:40, 25:35] = 1
    clean = centring.centred(levels)
    levels[3, 3] = 0.1
    np.testing.assert_array_equal(centring.centred(levels), clean)


def test_plain_is_the_whole_picture() -> None:
    """Not centred, not stretched: an image of MNIST's size passes through byte for byte, or inverted on bright."""
    image = np.zeros((28, 28), np.uint8)
    image[2:9, 3:12] = RANDOM.integers(10, 200, (7, 9))
    np.testing.assert_array_equal(centring.plain(image / 255), image)
    np.testing.assert_array_equal(centring.plain(1 - image / 255), image)


def test_the_border_decides_what_is_ink() -> None:
    """Also where the paper is dim: it is nearer to the brightest than to the darkest of the picture."""
    paper = np.full((40, 40), 0.4)
    paper[10:30, 18:22] = 0.1
    ink = centring.ink(paper)
    assert ink[0, 0] == 0 and ink[20, 20] == 1
    np.testing.assert_allclose(centring.ink(1 - paper), ink, atol=1e-12)


def test_halves_are_rounded_up() -> None:
    """Everywhere, as JavaScript's Math.round does and Python's round does not."""
    assert [centring.rounded(x) for x in (0.5, 1.5, 2.5, -0.5)] == [1, 2, 3, 0]
    assert centring.in_bytes(np.array([0.5 / 255, 1.5 / 255, 2.5 / 255])).tolist() == [1, 2, 3]

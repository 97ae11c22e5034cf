"""Paper behind the ink: taken away where it is uneven, left alone where it is not."""

import drawn
import numpy as np
import pytest

from bench.models import centring, paper
from bench.models.centring import Grey


def ink_of(image: object) -> Grey:
    return centring.ink(np.asarray(image, float) / 255)


def likeness(first: np.ndarray, second: np.ndarray) -> float:
    """Correlation of two images' pixels, where they fit best: whether a shift is rounded up or down means nothing."""
    shifts = [np.roll(first, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return max(float(np.corrcoef(one.ravel().astype(float), second.ravel().astype(float))[0, 1]) for one in shifts)


@pytest.mark.parametrize("number", drawn.STROKES)
def test_a_drawing_on_even_ground_is_left_as_it_is(number: int) -> None:
    """The very same levels, at any size: nothing is smoothed that need not be."""
    for size in ((28, 28), (280, 280), (400, 300)):
        ink = ink_of(drawn.digit(number, size))
        assert paper.without(ink) is ink


@pytest.mark.parametrize("number", drawn.STROKES)
def test_shadow_lines_and_grain_are_taken_away(number: int) -> None:
    """What is left is the digit as it would be without them; the rule alone would take the sheet for the digit."""
    wanted = centring.centred(ink_of(drawn.digit(number)))
    ink = ink_of(drawn.photographed(number))
    assert likeness(centring.centred(paper.without(ink)), wanted) > 0.9
    assert likeness(centring.centred(ink), wanted) < 0.6


def test_a_second_stroke_is_kept() -> None:
    """A part that does not touch the others but is no speck belongs to the digit."""
    levels = np.asarray(drawn.photographed(1)).copy()
    levels[60:100, 60:90] = levels[60:100, 60:90] * 0.4
    assert paper.without(ink_of(levels))[35:45, 35:40].min() > 0.5  # on half as many pixels


def test_grain_alone_is_no_digit() -> None:
    """An empty sheet in a shadow shows nothing, and that is said."""
    with pytest.raises(ValueError, match="nothing stands out"):
        paper.without(ink_of(drawn.photographed(strokes=False)))


def test_otsu_parts_two_heaps() -> None:
    """Anywhere between them, however many more there are in one."""
    levels = np.concatenate([np.full(900, 0.1), np.full(100, 0.8)])
    assert 0.1 < paper.otsu(levels) < 0.8

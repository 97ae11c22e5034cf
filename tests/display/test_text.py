"""Text of others: whatever is in it, nothing of it steers a terminal or breaks a file."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.display.text import SHOWN, clean, one_line

ANYTHING = st.text(st.characters(codec=None), max_size=60) | st.text("\x1b\x9b[];0m~\\\x07\n\r\t x", max_size=30)
"""Halves of characters are among it, and much that nearly is an escape sequence."""


@given(ANYTHING)
@example("\x1b\x1b[0m[31m")
@example("\ud800")
def test_what_is_left_can_be_shown(text: str) -> None:
    """Printable characters, line ends, tabs; it can be encoded, and cleaning it again changes nothing."""
    cleaned = clean(text)
    assert all(letter.isprintable() or letter in SHOWN for letter in cleaned)
    assert cleaned.encode().decode() == cleaned == clean(cleaned)


@given(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=60))
def test_text_that_can_be_shown_stays_as_it_is(text: str) -> None:
    """Letters of any language, signs and pictures."""
    assert clean(text) == text


@given(ANYTHING)
def test_one_line_is_one(text: str) -> None:
    """Without blanks at its ends."""
    line = one_line(text)
    assert len(line.splitlines()) <= 1 and line == line.strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;a title\x07rest", "rest"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jgone", "gone"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("bell\x07 back\x08 null\x00", "bell  back  null "),
        ("half \udcff of one", "half   of one"),
        ("left \u202e right", "left   right"),
        ("12\N{NO-BREAK SPACE}MB\tand\nmore", "12\N{NO-BREAK SPACE}MB\tand\nmore"),
    ],
)
def test_what_becomes_of_it(text: str, expected: str) -> None:
    """Escape sequences go, what else cannot be shown leaves a space."""
    assert clean(text) == expected

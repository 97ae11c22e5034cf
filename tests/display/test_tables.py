"""Frames as CSV: what is read back, and what a spreadsheet would make of it."""

import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.display import tables
from bench.display.text import clean


@given(st.text(st.characters(codec=None), max_size=40) | st.text("=+-@' \t\r\n1.e,\"", max_size=10))
def test_no_text_is_a_formula(text: str) -> None:
    """It begins with no sign that a spreadsheet computes, or is a number; but for an apostrophe it is the clean text."""
    cell = tables.in_csv(text)
    first = cell.lstrip()[:1]
    assert first not in ("=", "@") and (first not in ("+", "-") or isinstance(float(cell), float))
    assert cell.removeprefix("'") == clean(text).removeprefix("'")


@pytest.mark.parametrize(
    "text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", " =1", "\t=1", "\x1b[0m=1", "-", "--5"]
)
def test_a_formula_is_defused(text: str) -> None:
    """By an apostrophe, which spreadsheets take for 'this is text'."""
    assert tables.in_csv(text) == f"'{clean(text)}"


@pytest.mark.parametrize("text", ["-5", "+1.5", "-1e-3", "matched-keras", "", "a=b", '{"a": -1}', "'"])
def test_other_text_stays_as_it_is(text: str) -> None:
    """Numbers with a sign too."""
    assert tables.in_csv(text) == text


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1), st.integers())))
def test_only_text_is_changed(rows: list[tuple[str, int]]) -> None:
    """Counts, times and missing values are written as pandas writes them."""
    frame = pd.DataFrame(rows, columns=["text", "count"])
    frame = frame.assign(time=-0.5, missing=None, mixed=[1 if i % 2 else None for i in range(len(frame))], flag=True)
    assert tables.csv(frame) == frame.to_csv(index=False, lineterminator="\n")


def test_a_csv_is_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    """Commas, quotes and line ends within a cell."""
    texts = ['a, "b"', "two\nlines", "=1"]
    frame = pd.DataFrame({"reason": pd.Series(texts, dtype=object), "n": [1, 2, 3]})
    assert list(pd.read_csv(io.StringIO(tables.csv(frame)))["reason"]) == ['a, "b"', "two\nlines", "'=1"]

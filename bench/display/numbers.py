"""How numbers are shown: with their units, rounded to what they are worth."""

import math
import re
from collections.abc import Mapping
from typing import Any

from bench.display.text import one_line


class Absent(str):
    """A cell of a table without a figure. Where a table is sorted by a heading, it comes last."""


class Reason(Absent):
    """A cell that says why it has no figure."""


MISSING: str = Absent("–")
"""What stands where nothing was measured: never 0."""


def count(number: int, noun: str, plural: str = "s") -> str:
    """``1 block``, ``3 blocks``; ``plural`` is what is added."""
    return f"{number:,} {noun}{'' if number == 1 else plural}"


def listed(items: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def missing(value: object) -> bool:
    """Whether nothing was measured: None, or the NaN that pandas makes of it."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def figure(quantity: str, value: float | None) -> str:
    """One measured value with its unit, which the quantity's name decides: ``1.02 s``, ``612 MB``, ``97.12 %``."""
    if value is None or missing(value):
        return MISSING
    factor, name, decimals = unit(quantity, value)
    return f"{value * factor:.{decimals}f} {name}".rstrip()


def spread(quantity: str, value: float | None, low: float | None, high: float | None) -> str:
    """A value with its range in one unit: ``1.02 s (1.00-1.04)``; no range where both ends read alike."""
    if value is None or low is None or high is None or any(map(missing, (value, low, high))):
        return figure(quantity, value)
    factor, _, decimals = unit(quantity, value)
    ends = [f"{end * factor:.{decimals}f}" for end in (low, high)]
    return figure(quantity, value) + ("" if ends[0] == ends[1] else f" ({ends[0]}–{ends[1]})")


def unit(quantity: str, value: float) -> tuple[float, str, int]:
    """Factor, name and decimals. Three digits for times and ratios; bytes are decimal: 1 MB is 1,000,000 bytes."""
    if quantity.endswith("_bytes"):
        return (1e-9, "GB", 2) if value >= 999.5e6 else (1e-6, "MB", 0)
    if quantity.endswith("accuracy"):
        return 100.0, "%", 2
    if quantity.endswith("_s"):
        return (1.0, "s", decimals(value)) if value >= 0.0995 or value <= 0 else (1e3, "ms", decimals(value * 1e3))
    return 1.0, "", decimals(value)


def decimals(value: float) -> int:
    """Decimals that give three digits, at most six."""
    return 2 if value == 0 else min(6, max(0, 2 - math.floor(math.log10(abs(value)))))


def duration(seconds: float) -> str:
    """Seconds as a person says them: ``80 s``, ``12 min``, ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def ratio(value: float, like: float | None = None) -> str:
    """A ratio with the decimals that ``like``, by default itself, needs: near 1, differences of 0.1 % must show."""
    if value > 1000:
        return "over 1,000"
    if value < 0.001:
        return "under 0.001"
    like = like or value
    places = 3 if 0.9 < like < 1.1 else min(2, decimals(like))
    return f"{value:,.{min(places, decimals(value)) if value > 10 * like else places}f}"


def share(value: float) -> str:
    """A small share, ``2.0 %``."""
    return f"{value * 100:.1f} %" if value <= 1 else "over 100 %"


def percent(value: float) -> str:
    """A share of something, ``78 %``; a dash where it is missing."""
    return MISSING if missing(value) else f"{value * 100:.0f} %"


def ends(estimate: float, low: float, high: float) -> str:
    """An interval for a table's cell, ``2.08-2.19``; empty where there is none."""
    return "" if low <= 0 or math.isinf(high) else f"{ratio(low, estimate)}–{ratio(high, estimate)}"


def interval(estimate: float, low: float, high: float) -> str:
    """The 95 % interval of a ratio; a single block has none, and none is invented."""
    if low <= 0 or math.isinf(high):
        return "one block: no interval"
    return f"95 % interval {ratio(low, estimate)} to {ratio(high, estimate)}"


def shorten(text: str, letters: int = 72) -> str:
    """Text of others, clean and on one line, cut where it is too long."""
    line = one_line(text)
    return line if len(line) <= letters else f"{line[: letters - 3]}..."


def unbroken(text: str) -> str:
    """Prose whose figures are not parted from their units at the end of a line."""
    return re.sub(r"(?<=\d) (?=%|s\b|ms\b|µs\b|MB\b|GB\b)", "\N{NO-BREAK SPACE}", text)


def after(epochs: int, of: int | None) -> str:
    """How long something was trained: ``after 3 of 5 epochs`` where that is not the document's number."""
    if of is None or epochs == of:
        return f"after {count(epochs, 'epoch')}"
    return f"after {epochs} of {count(of, 'epoch')}" if epochs < of else f"after {epochs} epochs, not {of}"


def probability(p: float) -> str:
    """``0.03``, ``< 0.001``."""
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def p_value(p: float) -> str:
    """``p = 0.03``, ``p < 0.001``."""
    return f"p {'' if p < 0.001 else '= '}{probability(p)}"


def epoch(number: float) -> str:
    """An epoch's number; infinite means that it never comes."""
    return "never" if math.isinf(number) else f"{number:,.0f}"


def cell(column: str, row: Mapping[str, Any]) -> str:
    """One value of a frame for a table of our own making: in the unit of its column, empty where it is missing."""
    value = row[column]
    if missing(value):
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    quantity = str(row["quantity"]) if "quantity" in row and isinstance(value, float) else column
    if quantity.endswith("flops_per_s"):
        return f"{float(value) / 1e9:.3g} GFLOP/s"
    for known in ("accuracy", "_bytes", "_s"):
        if quantity.endswith((known, f"{known}_low", f"{known}_high")):
            return figure(known, float(value))
    return str(value) if isinstance(value, int) else f"{value:.4g}"

"""The things that the report tells, one in each module or folder: frames, columns, charts, parts of the page.

Adding or removing one touches its own file or folder, and its row here. Their order is that of their files in the
guide, and of what they add to the same part of the page.
"""

from bench.report.chapter import Chapter
from bench.report.chapters import (
    accuracy,
    breakdown,
    cells,
    claims,
    comparison,
    conditions,
    cost,
    digits,
    exports,
    floor,
    inference,
    overhead,
)  # fmt: skip
from bench.report.chapters.accuracy import effects
from bench.report.chapters.claims import code
from bench.report.chapters.digits import board

CHAPTERS: tuple[Chapter, ...] = (
    comparison.CHAPTER,
    cost.CHAPTER,
    claims.CHAPTER,
    accuracy.CHAPTER,
    floor.CHAPTER,
    inference.CHAPTER,
    conditions.CHAPTER,
    digits.CHAPTER,
    effects.CHAPTER,
    overhead.CHAPTER,
    board.CHAPTER,
    exports.CHAPTER,
    breakdown.CHAPTER,
    code.CHAPTER,
    cells.CHAPTER,
)

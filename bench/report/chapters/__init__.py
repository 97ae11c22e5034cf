"""The chapters of the report, one in each module or folder: frames, columns, charts, parts of the page.

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
    effects,
    exports,
    floor,
    inference,
    memory,
    overhead,
)  # fmt: skip
from bench.report.chapters.claims import code
from bench.report.chapters.digits import board

CHAPTERS: tuple[Chapter, ...] = tuple(one.CHAPTER for one in (
    comparison, memory, cost, claims, accuracy, floor, inference, conditions, board, digits, effects, overhead, exports,
    breakdown, code, cells,
))  # fmt: skip

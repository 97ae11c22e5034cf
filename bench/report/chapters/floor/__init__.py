"""The machine's own limit for a network, and how many times that a program takes."""

from bench.display.section import shown
from bench.report.chapter import Chapter
from bench.report.chapters.floor import frames, tables

CAPTION = "the machine's own limit: what an epoch cannot do without"
CHAPTER = Chapter(
    tables={"floor_parts": frames.FLOOR_PARTS, "floor": frames.FLOOR, "multiples": frames.MULTIPLES},
    frames=lambda results: frames.derived(results.cells, results.runs),
    evidence=lambda results, group, pictures: shown(tables.sheet(results.part("floor", group), group.title), CAPTION),
)

"""A tree of :mod:`bench.display.section` as Markdown, and tables by themselves."""

from collections.abc import Iterable, Iterator

from bench.display.section import (
    Block,
    Box,
    Definitions,
    Details,
    Failures,
    Forms,
    Marked,
    Picture,
    Section,
    Shown,
    Text,
)  # fmt: skip
from bench.display.tables import in_markdown, markdown


def written(blocks: Iterable[Block], level: int = 2) -> str:
    """Blocks one after the other, an empty line between them; ``level`` is that of a heading among them."""
    return "\n\n".join(within(blocks, level))


def text(words: str) -> str:
    """Text that Markdown shows as it is; our own words have their marks already."""
    return str(words) if isinstance(words, Marked) else in_markdown(words)


def parts(one: Block, level: int) -> Iterator[str]:  # noqa: C901  (a case for each kind of block)
    """The paragraphs of a block."""
    match one:
        case str():
            yield text(one)
        case Text(words, "code"):
            yield f"```python\n{words}\n```"
        case Text(words, style):
            yield text(words) if style == "note" else f"**{text(words)}**"
        case Shown():
            yield from [f"*{text(one.caption)}*"] if one.caption else []
            yield markdown(one.sheet).rstrip("\n")
            yield from [text(one.sheet.note)] if one.sheet.note else []
        case Picture():
            yield f"![{text(one.chart.text)}](charts/{one.chart.name}.svg)"
        case Details(summary, body):
            yield f"*{text(summary)}*"
            yield from within(body, level)
        case Box(_, body):
            yield from within(body, level)
        case Definitions():
            yield "\n".join(f"- {term}: {text(meaning)}" for term, meaning in one.items)
        case Failures():
            yield "\n".join(f"- {text(item if isinstance(item, str) else item.line)}" for item in one.items)
        case Forms(_, body):
            yield from within(body, level)
        case Section(title, body):
            yield from [f"{'#' * level} {text(title)}"] if title else []
            yield from within(body, level + 1)


def within(blocks: Iterable[Block], level: int) -> Iterator[str]:
    """The paragraphs of several blocks."""
    return (part for one in blocks for part in parts(one, level))

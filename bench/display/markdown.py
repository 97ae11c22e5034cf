"""A tree of :mod:`bench.display.section` as Markdown, and tables by themselves."""

from collections.abc import Iterable, Iterator

from bench.display.section import (
    Block,
    Box,
    Code,
    Definitions,
    Details,
    Failures,
    Forms,
    Html,
    Lead,
    Marked,
    Note,
    Picture,
    Section,
    Shown,
)  # fmt: skip
from bench.display.tables import in_markdown, markdown


def written(blocks: Iterable[Block], level: int = 2) -> str:
    """Blocks one after the other, an empty line between them; ``level`` is that of a heading among them."""
    return "\n\n".join(part for one in blocks for part in parts(one, level))


def text(words: str) -> str:
    """Text that Markdown shows as it is; our own words have their marks already."""
    return str(words) if isinstance(words, Marked) else in_markdown(words)


def parts(one: Block, level: int) -> Iterator[str]:
    """The paragraphs of a block."""
    match one:
        case str():
            yield text(one)
        case Lead():
            yield f"**{text(one.text)}**"
        case Note():
            yield text(one.text)
        case Shown():
            yield from [f"*{text(one.caption)}*"] if one.caption else []
            yield markdown(one.sheet).rstrip("\n")
            yield from [text(one.sheet.note)] if one.sheet.note else []
        case Picture():
            yield f"![{text(one.chart.text)}](charts/{one.chart.name}.svg)"
        case Code():
            yield f"```python\n{one.text}\n```"
        case Details():
            yield f"*{text(one.summary)}*"
            yield from (part for inner in one.body for part in parts(inner, level))
        case Box():
            yield from (part for inner in one.body for part in parts(inner, level))
        case Definitions():
            yield "\n".join(f"- {term}: {text(meaning)}" for term, meaning in one.items)
        case Failures():
            yield "\n".join(f"- {text(item if isinstance(item, str) else item.line)}" for item in one.items)
        case Forms():
            yield from (part for inner in one.markdown for part in parts(inner, level))
        case Html():
            pass
        case Section():
            yield from [f"{'#' * level} {text(one.title)}"] if one.title else []
            yield from (part for inner in one.body for part in parts(inner, level + 1))

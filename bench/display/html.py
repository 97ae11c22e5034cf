"""A tree of :mod:`bench.display.section` as HTML. All that it says is escaped; names are not broken at hyphens."""

import html
import re
from collections.abc import Iterable

from bench.display import numbers
from bench.display.numbers import Absent, Reason
from bench.display.section import (
    Block,
    Box,
    Definitions,
    Details,
    Failure,
    Failures,
    Forms,
    Marked,
    Picture,
    Section,
    Shown,
    Text,
)  # fmt: skip
from bench.display.text import clean


def escaped(words: str) -> str:
    """Text of others as a page shows it: clean, and nothing in it is a tag."""
    return html.escape(clean(words))


def text(words: str) -> str:
    """Text for a page: names such as ``mlp-128-64`` are not broken at their hyphens; marks of our own become tags."""
    if isinstance(words, Marked):
        linked = re.sub(r"\[([^]]*)\]\(([^)]*)\)", r'<a href="\2">\1</a>', escaped(words))
        return re.sub("`([^`]*)`", r"<code>\1</code>", linked)
    return re.sub(r"\w+(?:-\w+)+", r'<span class="name">\g<0></span>', escaped(numbers.unbroken(words)))


def written(blocks: Iterable[Block], level: int = 2) -> str:
    """Blocks one after the other; ``level`` is that of a heading among them."""
    return "\n".join(block(one, level) for one in blocks)


def block(one: Block, level: int) -> str:  # noqa: C901  (a case for each kind of block)
    """One block."""
    match one:
        case str():
            return f"<p>{text(one)}</p>"
        case Text(words, "code"):
            return f"<pre>{escaped(words)}</pre>"
        case Text(words, style):
            return f'<p class="{style}">{text(words)}</p>'
        case Shown():
            return table(one)
        case Picture():
            return picture(one)
        case Details():
            opened = " open" * one.open
            return f"<details{opened}><summary>{escaped(one.summary)}</summary>\n{written(one.body, level)}\n</details>"
        case Box():
            return f'<div class="{one.style}">\n{written(one.body, level)}\n</div>'
        case Definitions():
            items = "\n".join(f"<dt>{escaped(term)}</dt>\n<dd>{text(meaning)}</dd>" for term, meaning in one.items)
            return f'<dl class="prose">\n{items}\n</dl>'
        case Failures():
            items = "\n".join(f"<li>{escaped(i) if isinstance(i, str) else failure(i)}</li>" for i in one.items)
            return f'<ul class="lost">\n{items}\n</ul>'
        case Forms():
            return one.html if isinstance(one.html, str) else written(one.html, level)
        case Section():
            return section(one, level)


def section(one: Section, level: int) -> str:
    """A heading and what stands beneath it; those of the second level are sections of the page, and may be folded."""
    anchor = f' id="{one.anchor}"' if one.anchor else ""
    body = written(one.body, level + 1)
    if level == 2:
        heading = f"<h2>{escaped(one.title)}</h2>"
        whole = f"<details>\n<summary>{heading}</summary>\n{body}\n</details>" if one.folded else f"{heading}\n{body}"
        return f"<section{anchor}>\n{whole}\n</section>\n"
    return f"<h{level}{anchor}>{escaped(one.title)}</h{level}>\n{body}" if one.title else body


def failure(one: Failure) -> str:
    """How something ended, with the end of its log."""
    log = f"\n<details><summary>end of the log</summary><pre>{escaped(one.log)}</pre></details>" if one.log else ""
    return f"<b>{one.status}</b>: {text(one.what)}<br>{escaped(one.reason)}{log}"


def picture(one: Picture) -> str:
    """A chart, or a link to its file; beneath it the same in words."""
    title, words = escaped(one.chart.title), escaped(one.chart.text)
    shown = f'<div class="scroll" tabindex="0" role="region" aria-label="{title}">{one.inline}</div>'
    shown = shown if one.inline else f'<p><a href="charts/{one.chart.name}.svg">{title}</a></p>'
    folded = f"<details><summary>The same in words</summary>{words}</details>"
    return f'<figure>\n{shown}\n<figcaption>{folded} <a href="{one.data}">its data</a></figcaption>\n</figure>'


def table(shown: Shown) -> str:
    """A table: figures are right-aligned, a cell's second line is small, headings sort where that means something."""
    sheet, caption = shown.sheet, shown.caption
    first, texts = (1, sheet.texts - 1) if sheet.grouped else (0, sheet.texts)
    kind = "dense " if len(sheet.columns) > 8 else "figures " if sheet.texts == 1 else ""
    sorts = shown.sorts and len(sheet.rows) > 2 and sheet.texts < len(sheet.columns)
    heads = "".join(
        f'<th scope="col"{figure(i >= texts)}>{escaped(column)}</th>' for i, column in enumerate(sheet.columns[first:])
    )
    label = escaped(caption or sheet.title or sheet.columns[0])
    lines = [
        f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">',
        f'<table class="{kind}{"sortable" * sorts}">',
        f"<caption>{escaped(caption)}</caption>" if caption else "",
        f"<thead><tr>{heads}</tr></thead>\n<tbody>",
    ]
    above = None
    for i, row in enumerate(sheet.rows):
        if sheet.grouped and row[0] != above:
            heading = in_lines(numbers.unbroken(row[0]))
            lines.append(f'<tr class="group"><th scope="rowgroup" colspan="{len(row) - 1}">{heading}</th></tr>')
        above = row[0]
        link = sheet.links[i] if sheet.links else ""
        lines.append(f"<tr>{cells(row[first:], sheet.columns[first:], texts, link)}</tr>")
    lines.append("</tbody>\n</table>\n</div>")
    lines.append(f'<p class="note">{text(sheet.note)}</p>' if sheet.note else "")
    return "\n".join(filter(None, lines))


def cells(values: tuple[str, ...], columns: tuple[str, ...], texts: int, link: str) -> str:
    """The cells of a row: its name, words, figures; one reason in place of all figures that are missing for it.

    Each has the name of its column with it, for windows so narrow that the cells of a row stand beneath each other.
    """
    name = in_lines(values[0])
    shown = f'<a href="{link}">{name}</a>' if link else name
    made = [f'<th scope="row"{absent(values[0])}>{shown}</th>']
    one_reason = isinstance(values[-1], Reason) and len(set(values[texts + 1 :])) == 1
    for i, value in enumerate(values[1 : texts + 1] if one_reason else values[1:], 1):
        kind = ' class="why"' if isinstance(value, Reason) else figure(i >= texts)
        made.append(f'<td{kind}{absent(value)} data-column="{escaped(columns[i])}">{in_lines(value)}</td>')
    if one_reason:
        made.append(f'<td class="why" data-absent colspan="{len(values) - texts - 1}">{escaped(values[-1])}</td>')
    return "".join(made)


def absent(value: str) -> str:
    """The mark of a cell that has no figure; where a table is sorted, it comes last."""
    return "" if value and not isinstance(value, Absent) else " data-absent"


def figure(is_figure: bool) -> str:
    """The class of a cell with a figure."""
    return ' class="figure"' if is_figure else ""


def in_lines(value: str) -> str:
    """A cell whose lines after the first are small."""
    first, *others = (escaped(line) for line in value.split("\n"))
    return first + "".join(f"<small>{line}</small>" for line in others)

"""Figure -> SVG, byte for byte the same each time, and the same as a part of a page, light or dark."""

import html
import io
import re
from collections.abc import Callable
from dataclasses import dataclass

import matplotlib.style
from matplotlib.figure import Figure

INK = "#1f2430"
"""Text and axes; in a page this becomes the colour of the page's own text."""
PAPER = "#ffffff"
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fcnbench",
    "font.size": 9.0,
    "axes.facecolor": "none",
    "image.composite_image": False,
}
STYLE |= dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK)
WIDTH, HEAD = 6.6, 0.5
"""Inches: of every figure, and of its title."""


@dataclass(frozen=True)
class Chart:
    """A drawn chart: a file's stem, a title, what it shows in a sentence, and its picture."""

    name: str
    title: str
    text: str
    svg: str


def headed(height: float, title: str, key: str) -> Figure:
    """An empty figure with its title, and beneath it how to read it."""
    figure = Figure(figsize=(WIDTH, height))
    figure.text(0.012, 1 - 0.08 / height, title, va="top", fontsize=10, weight="bold", parse_math=False)
    figure.text(0.012, 1 - 0.28 / height, key, va="top", fontsize=8, alpha=0.7)
    return figure


def draw(name: str, title: str, text: str, figure: Callable[[str], Figure | None]) -> Chart | None:
    """Draw one chart in the project's own style, whatever the reader's matplotlib is set to; None for an empty one."""
    with matplotlib.style.context(["default", STYLE]):
        drawn = figure(title)
        if drawn is None:
            return None
        svg = io.StringIO()
        drawn.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    return Chart(name, title, text, described(svg.getvalue(), name, title, text))


def png(figure: Callable[[], Figure]) -> bytes:
    """A chart as PNG, for where an SVG cannot be shown."""
    with matplotlib.style.context(["default", STYLE]):
        made = io.BytesIO()
        figure().savefig(made, format="png", dpi=200, facecolor=PAPER, metadata={"Software": None})
    return made.getvalue()


def described(svg: str, name: str, title: str, text: str) -> str:
    """The picture with its text alternative, without matplotlib's metadata."""
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;]*;", "font-family: 'DejaVu Sans', Verdana, sans-serif;", svg)
    key = re.sub(r"\W", "-", name)
    about = f'<title id="{key}-title">{html.escape(title)}</title>\n <desc id="{key}-desc">{html.escape(text)}</desc>'
    head = f'<svg role="img" aria-labelledby="{key}-title {key}-desc" '
    return re.sub(r"<svg ([^>]*)>", lambda found: f"{head}{found[1]}>\n {about}", svg, count=1)


def inline(chart: Chart) -> str:
    """The picture as a part of a page: its ids are its own, its ink is the page's, its size is the page's to choose."""
    svg = chart.svg[chart.svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->|<defs>\s*<style.*?</defs>|font-family: [^;]*; ", "", svg, flags=re.DOTALL)
    head, body = svg.split(">", 1)
    head = re.sub(r' (?:xmlns(?::xlink)?|version|width|height)="[^"]*"', "", head).replace("<svg", '<svg class="chart"')
    about, body = body.split("</desc>", 1)
    key = re.sub(r"\W", "-", chart.name)
    body = re.sub(r'(?<= id=")|(?<=url\(#)', f"{key}-", body).replace('xlink:href="#', f'href="#{key}-')
    body = body.replace(f"fill: {PAPER}", "fill: none").replace(INK, "currentColor")
    body = re.sub(r"(?<=: )#([0-9a-f]{6})", r"var(--c\1, #\1)", body)
    return f"{head}>{about}</desc>" + re.sub(r"\s*\n\s*", " ", body)

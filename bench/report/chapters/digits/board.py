"""The drawing board of a page: which networks it asks, and their weights in a form that a page can carry."""

import base64
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bench.display import axes, naming, numbers
from bench.display.section import Forms, Marked, Section
from bench.report import scripts
from bench.report.chapter import Chapter, Pictures
from bench.report.chapters.comparison import answer
from bench.report.groups import Group
from bench.report.results import Results
from bench.store import models
from bench.store.models import Model

LIMIT = 2_000_000
"""Bytes that the weights may have in a page, as base64: with all else it has at most 3 MB."""
PEN = 22
"""How wide the pen is on a board of 280: wide enough for strokes as MNIST has them once the digit is 20 pixels high."""


ELSEWHERE = Marked(
    "`report.html` has a drawing board: draw a digit, and the networks that were trained here say what they take it "
    "for."
)


@dataclass(frozen=True)
class Network:
    """A network that the board asks: its name for people, the colour of its framework in all charts, its accuracy."""

    name: str
    colour: str
    accuracy: str


@dataclass(frozen=True)
class Board:
    """What a page needs to draw on. ``data`` is JSON; None where the networks are too large for a page."""

    group: Group
    networks: tuple[Network, ...]
    parameters: int
    files: tuple[str, ...]
    data: dict[str, Any] | None
    pen: int = PEN


def of_results(results: Results) -> Board | None:
    """The board of the first leading group whose trained networks were kept; None where there are none.

    Raises FcnBenchError for a file of ``models/`` that is not what its result says.
    """
    for group in results.leading:
        own = [result for result in results.shown if result.cell.place == group.place_key]
        sound = [model for model in models.of_results(results.directory, own) if is_finite(model)]
        found = pair(sound, {r.cell.implementation: r.cell.tier for r in own})
        if found:
            return of_models(group, found)
    return None


def is_finite(model: Model) -> bool:
    """Whether its training did not diverge: from weights that are no numbers no digit follows."""
    return all(np.isfinite(array).all() for pair in model.weights for array in pair)


def pair(found: Sequence[Model], tiers: dict[str, str]) -> list[Model]:
    """The networks of the two compared frameworks, of the first tier that has both; else at most two of the nearest."""

    def asked(tier: str) -> list[Model]:
        own = [model for model in found if tiers[model.implementation] == tier]
        named = [model for model in own if naming.label(model.implementation, tier) in answer.QUESTION]
        return sorted(named or own, key=lambda model: naming.rank(model.implementation, tier))[:2]

    order = [*answer.SPOKEN_TIERS, *(tier for tier in tiers.values() if tier not in answer.SPOKEN_TIERS)]
    return max((asked(tier) for tier in order), key=len)


def of_models(group: Group, found: Sequence[Model]) -> Board:
    """The board that asks these networks."""
    encoded = [text_of(model) for model in found]
    networks = tuple(
        Network(
            group.named(model.implementation),
            axes.COLOURS.get(model.framework, axes.OTHER_COLOUR),
            numbers.figure("accuracy", model.accuracy),
        )
        for model in found
    )
    small = sum(map(len, encoded)) <= LIMIT
    data = [described(model, text) for model, text in zip(found, encoded, strict=True)]
    return Board(
        group, networks, found[0].workload.parameters, tuple(f"models/{model.name}.npz" for model in found),
        {"networks": data} if small else None,
    )  # fmt: skip


def text_of(model: Model) -> str:
    """Kernel and bias of each layer one after the other, float32 with the low byte first, as base64: bit for bit."""
    arrays = [np.ascontiguousarray(array, "<f4").tobytes() for pair in model.weights for array in pair]
    return base64.b64encode(b"".join(arrays)).decode()


def described(model: Model, weights: str) -> dict[str, Any]:
    """A network as ``templates/networks.js`` takes it: layers, kernels' shapes, the scale of its input, weights."""
    workload = model.workload
    return {
        "layers": [asdict(layer) for layer in workload.layers],
        "kernels": [list(shape) for shape in workload.kernels],
        "mean": workload.mean,
        "std": workload.std,
        "weights": weights,
    }


def section(results: Results, pictures: Pictures) -> Section | None:
    """The board, where networks were kept; its scripts come with it only where there is something to draw on."""
    board = of_results(results)
    if board is None:
        return None
    html = scripts.template("board.html.j2").render(board=board)
    files = ["board.css", *(["networks.js", "board.js"] if board.data else [])]
    return Section("Draw a digit", [Forms(html, [ELSEWHERE])], "draw", files=files)


CHAPTER = Chapter(section=section)

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
        cells = [result for result in results.shown if result.cell.place == group.configuration]
        tiers = {result.cell.implementation: result.cell.tier for result in cells}
        sound = [model for model in models.of_results(results.directory, cells) if is_finite(model)]
        trained = pair(sound, tiers)
        if trained:
            data = [described(model) for model in trained]
            small = sum(len(network["weights"]) for network in data) <= LIMIT
            files = tuple(f"models/{model.name}.npz" for model in trained)
            networks = tuple(
                Network(group.named(model.implementation), axes.COLOURS.get(model.framework, axes.OTHER_COLOUR),
                        numbers.figure("accuracy", model.accuracy))
                for model in trained
            )  # fmt: skip
            return Board(group, networks, trained[0].workload.parameters, files, {"networks": data} if small else None)
    return None


def is_finite(model: Model) -> bool:
    """Whether its training did not diverge: from weights that are no numbers no digit follows."""
    return all(np.isfinite(array).all() for pair in model.weights for array in pair)


def pair(every: Sequence[Model], tiers: dict[str, str]) -> list[Model]:
    """The networks of the two compared frameworks, of the first tier that has both; else at most two of the nearest."""

    def first_two(tier: str) -> list[Model]:
        of_tier = [model for model in every if tiers[model.implementation] == tier]
        compared = [model for model in of_tier if naming.label(model.implementation, tier) in answer.QUESTION]
        return sorted(compared or of_tier, key=lambda model: naming.rank(model.implementation, tier))[:2]

    order = [*answer.SPOKEN_TIERS, *(tier for tier in tiers.values() if tier not in answer.SPOKEN_TIERS)]
    return max((first_two(tier) for tier in order), key=len)


def described(model: Model) -> dict[str, Any]:
    """A network as ``templates/networks.js`` takes it: layers, kernels' shapes, the scale of its input, weights.

    The weights are kernel and bias of each layer one after the other, float32 with the low byte first, as base64.
    """
    workload = model.workload
    arrays = [np.ascontiguousarray(array, "<f4").tobytes() for layer in model.weights for array in layer]
    return {
        "layers": [asdict(layer) for layer in workload.layers],
        "kernels": [list(shape) for shape in workload.kernels],
        "mean": workload.mean,
        "std": workload.std,
        "weights": base64.b64encode(b"".join(arrays)).decode(),
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

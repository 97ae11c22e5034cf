"""What networks predict for images, as tables for people and as values for programs."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.display import naming, numbers
from bench.display.tables import Sheet
from bench.display.terminal import wrapped
from bench.models.predict import Images, Prediction

SHADES = " .:-=+*#%@"
"""From background to ink, in letters that any terminal has."""


def sheet(name: str, answers: Sequence[Prediction], image: int, all_ten: bool) -> Sheet:
    """One image: its title says the digit, or who says which; a row for each network in each framework."""
    title = f"{name}: {verdict(answers, image)}"
    if all_ten:
        columns = ("network of", "digit", *map(str, range(10)))
        return Sheet(title, columns, tuple(row_of_ten(answer, image) for answer in answers))
    columns = ("network of", "predicted by", "accuracy", "digit", "probability", "second")
    return Sheet(title, columns, tuple(row(answer, image) for answer in answers), texts=2)


def row(answer: Prediction, image: int) -> tuple[str, ...]:
    """The network and its framework, the digit, how probable it is, and the next one; gaps without a prediction."""
    network = answer.network
    about = (network.label, label(answer.by), numbers.figure("accuracy", network.model.accuracy))
    p = answer.probabilities(image)
    if p is None:
        return (*about, *[numbers.MISSING] * 3)
    first, second = ranked(p)[:2]
    return (*about, str(first), percent(p[first]), f"{second} ({percent(p[second])})")


def row_of_ten(answer: Prediction, image: int) -> tuple[str, ...]:
    """The network, the digit, and the probabilities of all ten in percent."""
    p = answer.probabilities(image)
    if p is None:
        return (answer.network.label, *[numbers.MISSING] * 11)
    return (answer.network.label, str(ranked(p)[0]), *(f"{100 * share:.1f}" for share in p))


def label(by: str) -> str:
    """A framework's name for people."""
    return naming.LABELS.get(by, by)


def verdict(answers: Sequence[Prediction], image: int) -> str:
    """``7, as all 4 say``; where they differ, each digit with those that say it, the one that most say first."""
    digits: dict[int, list[str]] = {}
    for answer in answers:
        p = answer.probabilities(image)
        if p is not None:
            digits.setdefault(ranked(p)[0], []).append(answer.network.label)
    sides = sorted(digits.items(), key=lambda side: -len(side[1]))
    if not sides:
        return "no prediction"
    if len(sides) == 1:
        number = len(sides[0][1])
        return f"{sides[0][0]}{f', as all {number} say' if number > 1 else ''}"
    return "they disagree: " + ", ".join(
        f"{digit} ({numbers.listed(names) if len(names) <= 2 else f'{len(names)} of them'})" for digit, names in sides
    )


def ranked(probabilities: NDArray[np.float64]) -> list[int]:
    """The digits, the most probable first."""
    return [int(digit) for digit in np.argsort(-probabilities, kind="stable")]


def percent(share: float) -> str:
    """``97.31 %``; nothing is called certain or impossible by rounding."""
    if share > 0.9999:
        return "> 99.99 %"
    return f"{100 * share:.2f} %" if share >= 0.0001 else "< 0.01 %"


def failures(answers: Sequence[Prediction]) -> list[str]:
    """Why each network predicted nothing that did not, broken into lines."""
    return [
        wrapped(f"{answer.network.label} by {label(answer.by)}: {answer.status}: {answer.reason}")
        for answer in answers
        if answer.status != "ok"
    ]


def picture(image: Images) -> Iterator[str]:
    """The 28 lines of an image as letters, two for each pixel, without what is empty at their ends."""
    for line in image.astype(int) * len(SHADES) // 256:
        yield "".join(2 * SHADES[level] for level in line).rstrip()


def record(
    names: Sequence[str], images: Images, answers: Sequence[Prediction], refused: Sequence[str]
) -> dict[str, Any]:
    """Plain values for JSON: each image with the bytes that the networks saw, and what each network predicted."""
    return {
        "images": [
            {
                "file": name,
                "pixels": images[number].tolist(),
                "predictions": [prediction(answer, number) for answer in answers],
            }
            for number, name in enumerate(names)
        ],
        "refused": list(refused),
    }


def prediction(answer: Prediction, image: int) -> dict[str, Any]:
    """One network's answer for one image."""
    p, network, model = answer.probabilities(image), answer.network, answer.network.model
    return {
        "model": str(network.path),
        "label": network.label,
        "implementation": model.implementation,
        "workload": model.workload.name,
        "accuracy": model.accuracy,
        "predicted_by": answer.by,
        "status": answer.status,
        "reason": answer.reason,
        "digit": None if p is None else ranked(p)[0],
        "probabilities": None if p is None else p.tolist(),
        "logits": None if answer.logits is None else answer.logits[image].tolist(),
    }

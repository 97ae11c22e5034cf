"""What networks said of images, for people and for programs."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.display import naming, numbers
from bench.display.tables import Sheet
from bench.display.terminal import wrapped
from bench.models.predict import Images, Prediction

SHADES = " .:-=+*#%@"
"""From paper to ink, in letters that any terminal has."""


def sheet(name: str, answers: Sequence[Prediction], image: int, all_ten: bool) -> Sheet:
    """One image: its title says the digit, or who says what; a row for each network in each framework."""
    rows = [row(answer, image, all_ten) for answer in answers]
    figures = [str(digit) for digit in range(10)] if all_ten else ["probability", "second"]
    texts = ["network of", *([] if all_ten else ["predicted by", "accuracy"])]
    title = f"{name}: {verdict(answers, image)}"
    return Sheet(title, (*texts, "digit", *figures), tuple(rows), texts=1 if all_ten else 2)


def row(answer: Prediction, image: int, all_ten: bool) -> tuple[str, ...]:
    """Who says it, the digit, and how sure it is; nothing where nothing was said."""
    about = [answer.kept.label]
    if not all_ten:
        about += [naming.LABELS.get(answer.by, answer.by), numbers.figure("accuracy", answer.kept.model.accuracy)]
    found = answer.probabilities(image)
    if found is None:
        return (*about, *[numbers.MISSING] * (11 if all_ten else 3))
    first, second = ranked(found)[:2]
    if all_ten:
        return (*about, str(first), *(f"{100 * p:.1f}" for p in found))
    return (*about, str(first), percent(found[first]), f"{second} ({percent(found[second])})")


def verdict(answers: Sequence[Prediction], image: int) -> str:
    """``7, as all 4 say``; where they differ, each digit with those that say it, the one that most say first."""
    digits: dict[int, list[str]] = {}
    for answer in answers:
        found = answer.probabilities(image)
        if found is not None:
            digits.setdefault(ranked(found)[0], []).append(answer.kept.label)
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


def lost(answers: Sequence[Prediction]) -> list[str]:
    """For each network that said nothing, why: broken into lines."""
    return [
        wrapped(f"{answer.kept.label} by {naming.LABELS.get(answer.by, answer.by)}: {answer.status}: {answer.reason}")
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
    """All of it as plain values for JSON: each image with the bytes that the networks saw, and what each said."""
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
    """One answer to one image."""
    found, model = answer.probabilities(image), answer.kept.model
    return {
        "model": str(answer.kept.path),
        "label": answer.kept.label,
        "implementation": model.implementation,
        "workload": model.workload.name,
        "accuracy": model.accuracy,
        "predicted_by": answer.by,
        "status": answer.status,
        "reason": answer.reason,
        "digit": None if found is None else ranked(found)[0],
        "probabilities": None if found is None else found.tolist(),
        "logits": None if answer.logits is None else answer.logits[image].tolist(),
    }

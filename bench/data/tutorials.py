"""The tutorials, one file each: what is known of them, their networks, and what they claim.

Times are in seconds, memory in bytes, accuracies shares of 1. Files, CSVs and presets call a tutorial a document.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from bench.data.networks import mistake, network, read_toml
from bench.errors import FcnBenchError
from impls.fields import check_finite, check_names
from impls.workload import STRICT, Workload

FOLDER = Path(__file__).with_name("tutorials")
NAMES = ("workload", "framework", "other", "device")
"""What the fields of a claim are called that are names."""
Quantity = Literal["epoch_s", "memory_bytes", "accuracy"]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claimed quantity: from ``low`` to ``high``; ``says`` is the claim in our words.

    "About x" has ``low = high = x``, "at most about x" has ``low = 0``. ``about`` says how exact the tutorial is taken
    to be: a share of x for times, memory and ratios, points of accuracy in shares of 1.
    """

    __pydantic_config__ = STRICT
    says: str
    low: float
    high: float
    about: float

    def __post_init__(self) -> None:
        """Raise ValueError for a value that means nothing."""
        check_finite(low=self.low, high=self.high, about=self.about)
        check_names(**{name: value for name, value in vars(self).items() if name in NAMES})


@dataclass(frozen=True, kw_only=True)
class FigureClaim(Claim):
    """About one network in one framework."""

    kind: Literal["figure"]
    workload: str
    framework: str
    device: str
    quantity: Quantity


@dataclass(frozen=True, kw_only=True)
class ContrastClaim(Claim):
    """About one network in two frameworks: the ratio of times or of memory, the difference of accuracies."""

    kind: Literal["contrast"]
    workload: str
    framework: str
    other: str
    device: str
    quantity: Quantity


@dataclass(frozen=True, kw_only=True)
class AccuracyClaim(Claim):
    """About the test accuracy of every network of a kind, in whatever framework."""

    kind: Literal["accuracy"]
    networks: Literal["all", "dense", "convolutional"]
    moment: Literal["before training", "at the end"]


@dataclass(frozen=True, kw_only=True)
class SpreadClaim(Claim):
    """About how much the accuracy of one network varies: standard deviation by that of another network."""

    kind: Literal["spread"]
    workload: str
    other: str
    over: Literal["epochs", "seeds"]


AnyClaim = FigureClaim | ContrastClaim | AccuracyClaim | SpreadClaim


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A cell of Table 1: ``claim`` in the tutorial's words, ``says`` as a sentence.

    ``rule`` tells in words when it is taken to hold, ``decided`` names that rule in
    :mod:`bench.report.chapters.claims.rules`. ``other`` is the framework that it is compared with, ``formats`` are the
    exports that it is about.
    """

    __pydantic_config__ = STRICT
    property: str
    framework: str
    claim: str
    says: str
    rule: str
    decided: str
    other: str = ""
    formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Code:
    """Code that a tutorial puts side by side, by framework: a layer and the training loop.

    ``layer_names`` is what the frameworks call such a layer.
    """

    __pydantic_config__ = STRICT
    layer_names: tuple[str, ...]
    layer: Mapping[str, str]
    loop: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Tutorial:
    """One tutorial: its original ``title`` and an English one, where and when it was published, what it claims.

    What is not known of it is said in words, such as ``not preserved``.
    """

    __pydantic_config__ = STRICT
    number: Annotated[int, Field(ge=1, le=999)]
    title: str
    english: str
    published: str
    date: str
    remarks: tuple[str, ...] = ()
    networks: tuple[Workload, ...] = ()
    claims: tuple[Annotated[AnyClaim, Field(discriminator="kind")], ...] = ()
    statements: tuple[Statement, ...] = ()
    code: Code | None = None

    @property
    def name(self) -> str:
        """What it is about, where it was published and when, on a line."""
        published = "source not known" if self.published == "not known" else self.published
        return f"{self.english[0].upper()}{self.english[1:]} ({published}, {self.date})"


TUTORIAL = TypeAdapter(Tutorial)


def load() -> tuple[Tutorial, ...]:
    """The tutorials by number. Raises FcnBenchError, naming file and key, for a file that is no tutorial."""
    return read_all(FOLDER)


def networks() -> dict[str, Workload]:
    """The networks of all tutorials by name, in the tutorials' order."""
    return {workload.name: workload for tutorial in load() for workload in tutorial.networks}


def headline() -> str:
    """The network with which reports begin: the first of the first tutorial."""
    return load()[0].networks[0].name


def figure_claims() -> list[dict[str, Any]]:
    """The claims about one network in one framework, as rows of a frame; ``document`` is the tutorial's number."""
    return [
        {"document": tutorial.number, **asdict(claim)}
        for tutorial in load()
        for claim in tutorial.claims
        if isinstance(claim, FigureClaim)
    ]


def code() -> Code | None:
    """The code that the first of the tutorials to do so puts side by side."""
    return next((tutorial.code for tutorial in load() if tutorial.code), None)


@cache
def read_all(folder: Path) -> tuple[Tutorial, ...]:
    """The tutorials of a folder, one in each TOML file, by number."""
    tutorials = {path: read(path) for path in sorted(folder.glob("*.toml"))}
    owners: dict[str, Path] = {}
    for path, tutorial in tutorials.items():
        for name in (f"number {tutorial.number}", *(f"network {workload.name}" for workload in tutorial.networks)):
            if (owner := owners.setdefault(name, path)) is not path:
                raise FcnBenchError(f"tutorial file {path}: {name} is taken by {owner.name}; give it another")
    return tuple(sorted(tutorials.values(), key=lambda tutorial: tutorial.number))


def read(path: Path) -> Tutorial:
    """One tutorial from its file; its networks carry its number."""
    content = read_toml(path, "tutorial file")
    tables = content.pop("networks", {})
    try:
        tutorial = TUTORIAL.validate_json(json.dumps(content, default=str))
    except ValidationError as error:
        raise FcnBenchError(f"tutorial file {path}: {explain(error)}") from error
    about = {"document": tutorial.number}
    return replace(tutorial, networks=tuple(network(name, about | table, path) for name, table in tables.items()))


def explain(error: ValidationError) -> str:
    """The first mistake that was found, on one line: key, what is wrong with it."""
    first = error.errors()[0]
    kinds = {"figure", "contrast", "accuracy", "spread"}  # the validator names the kind of a claim among its keys
    return mistake(".".join(str(part) for part in first["loc"] if part not in kinds), first)

"""Programs side by side, as tutorial 1 shows them: the same layer, the training loop, and counts."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.data import tutorials
from bench.display import naming
from bench.display.tables import Sheet
from bench.report.chapters.claims.sources import Program
from impls.frameworks import COMPARED


@dataclass(frozen=True)
class Side:
    """One program: its name, what the tutorial writes for its layer and loop, and the program's own."""

    name: str
    layer_claimed: str
    loop_claimed: str
    program: Program


@dataclass(frozen=True)
class Sides:
    """The two programs of a tier, and their counts."""

    tier: str
    sides: tuple[Side, ...]
    counts: Sheet


def sides(programs: Mapping[str, Program]) -> list[Sides]:
    """The tiers of which the programs of both frameworks were kept, in the order of the tiers."""
    code = tutorials.code()
    if code is None:
        return []
    compared = []
    for tier in naming.TIERS:
        names = [f"{tier}-{framework}" for framework in COMPARED]
        if all(name in programs for name in names):
            made = tuple(
                Side(naming.named(name, tier), code.layer[framework], code.loop[framework], programs[name])
                for name, framework in zip(names, COMPARED, strict=True)
            )
            compared.append(Sides(tier, made, counts(made)))
    return compared


def counts(made: tuple[Side, ...]) -> Sheet:
    """How long the programs are, and how much of their framework a reader must know."""
    programs = [side.program for side in made]
    rows = (
        ("lines of code in the file", *(str(program.lines) for program in programs)),
        ("lines in the training loop", *(str(program.loop_lines) for program in programs)),
        ("calls in the training loop", *(str(program.calls) for program in programs)),
        ("names of the framework in the file", *(str(len(program.names)) for program in programs)),
    )
    return Sheet("", ("counted", *(side.name for side in made)), rows)

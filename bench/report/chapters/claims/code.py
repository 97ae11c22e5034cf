"""Programs side by side, as tutorial 1 shows them: the same layer, the training loop, and counts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.data import tutorials
from bench.display import naming
from bench.display.section import Block, Box, Details, Forms, Marked, Section, Shown, Text, note
from bench.display.tables import Sheet
from bench.report.chapter import Chapter, Pictures
from bench.report.chapters.claims import sources
from bench.report.chapters.claims.sources import Program
from bench.report.results import Results
from impls.frameworks import COMPARED

HOW = (
    "The dense layer and the training loop, cut from the files that were run. “Lines” have code on them; the programs "
    "build any of the documents’ networks, so their layers are written for a description, not for a figure."
)


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


def of_claims(results: Results, pictures: Pictures) -> Iterator[Block]:
    """The programs of every tier that has both, the first one open."""
    found = sides(sources.read(results.directory))
    body: list[Block] = [Details(f"the {one.tier} programs", shown(one), open=one is found[0]) for one in found]
    if body:
        yield Section("Document 1’s Tables 2 and 3: the same in code", [HOW, *body], "code")


def shown(made: Sides) -> list[Block]:
    """The layers and loops beside each other, the counts, the names that each uses."""
    written = [
        Box("side", [Section(side.name, [
            note(Marked(f"The layer; the document writes `{side.layer_claimed}`")), Text(side.program.layer, "code"),
            note(f"The training loop; the document: {side.loop_claimed}"), Text(side.program.loop, "code"),
        ])])
        for side in made.sides
    ]  # fmt: skip
    names = [note(f"{side.name}: {', '.join(side.program.names)}") for side in made.sides]
    details = Details("the names of the framework in each file", names)
    return [Box("sides", written), Shown(made.counts, sorts=False), Forms(html=[details])]


CHAPTER = Chapter(parts={"claims": of_claims})

"""Programs side by side, as tutorial 1 shows them: the same layer, the training loop, and counts."""

from collections.abc import Iterator, Mapping

from bench.data import tutorials
from bench.data.tutorials import Code
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


def of_detail(results: Results, pictures: Pictures) -> Iterator[Block]:
    """The programs of every tier that has those of both frameworks, the first one open."""
    code, programs = tutorials.code(), sources.read(results.directory)
    if code is None:
        return
    tiers = [tier for tier in naming.TIERS if all(f"{tier}-{name}" in programs for name in COMPARED)]
    folded = [
        Details(f"the {tier} programs", side_by_side(tier, programs, code), open=tier == tiers[0]) for tier in tiers
    ]
    if folded:
        yield Section("The same in code (Tables 2 and 3)", [HOW, *folded], "code")


def side_by_side(tier: str, programs: Mapping[str, Program], code: Code) -> list[Block]:
    """The layers and loops of a tier beside each other, the counts, the names that each uses."""
    sides = {name: programs[f"{tier}-{name}"] for name in COMPARED}
    titles = {name: naming.named(f"{tier}-{name}", tier) for name in COMPARED}
    boxes = [
        Box("side", [Section(titles[name], [
            note(Marked(f"The layer; the document writes `{code.layer[name]}`")), Text(program.layer, "code"),
            note(f"The training loop; the document: {code.loop[name]}"), Text(program.loop, "code"),
        ])])
        for name, program in sides.items()
    ]  # fmt: skip
    rows = (
        ("lines of code in the file", *(str(program.lines) for program in sides.values())),
        ("lines in the training loop", *(str(program.loop_lines) for program in sides.values())),
        ("calls in the training loop", *(str(program.calls) for program in sides.values())),
        ("names of the framework in the file", *(str(len(program.names)) for program in sides.values())),
    )
    counts = Sheet("", ("counted", *titles.values()), rows)
    names = [note(f"{titles[name]}: {', '.join(program.names)}") for name, program in sides.items()]
    details = Details("the names of the framework in each file", names)
    return [Box("sides", boxes), Shown(counts, sorts=False), Forms(html=[details])]


CHAPTER = Chapter(parts={"detail": of_detail})

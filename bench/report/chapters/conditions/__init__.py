"""The conditions of the measurement: how it is done, the proof of equal work, equal settings, the machine."""

from collections.abc import Iterator

from bench.display import numbers
from bench.display.section import Block, Box, Definitions, Details, Marked, Section, Shown
from bench.report.chapter import Chapter, Pictures
from bench.report.chapters.cells import OPEN
from bench.report.chapters.conditions import checks, method, settings
from bench.report.results import Results

PROOF = Marked(
    "Each implementation is compared with float64 arithmetic: weights, outputs, gradients, single steps and many, and "
    "the masks of a dropout, then two whole epochs where a framework can compute in float64. The limit is what "
    "rounding explains; one that exceeds it gets no speed figure. `fcnbench verify` asks for more."
)
SAME_START = (
    "In float32 rounding grows over a whole epoch until programs part, as do the frameworks’ own forms of Adam; what "
    "is left is of the size that another seed makes. A program that does other work on the full set stands out here. "
    "Dropout draws other masks in each program."
)
SETTINGS = "Read from the running programs as far as they can be asked, else from what they declare."


def method_part(results: Results, pictures: Pictures) -> Iterator[Block]:
    """How the figures were measured, the proof of equal work, and the settings."""
    yield Definitions(list(method.explained(results)))
    proof = checks.gate(results.gates)
    if proof.rows:
        answers = numbers.count(len(proof.rows), "answer")
        yield Section("Proof of equal work", [PROOF, Details(answers, [Shown(proof)], open=len(proof.rows) <= OPEN)])
    near = checks.agreement_table(results.trained)
    if near.rows:
        yield Section("The same start, the same batches, the whole training set", [SAME_START, Shown(near)])
    equal = settings.fairness(results.trained)
    if equal.rows:
        yield Section("What was equal, and what was not", [SETTINGS, Box("fair", [Shown(equal)])])


def machine_part(results: Results, pictures: Pictures) -> Iterator[Block]:
    """The machines, and the switches in force."""
    for machine in results.machines:
        yield Shown(settings.machine(machine))
    folded = [
        Details(f"{sheet.title}: {len(sheet.rows)}", [Box("long", [Shown(sheet)])])
        for sheet in settings.switches(results.trained)
    ]
    if folded:
        yield Section("Switches in force", folded)


CHAPTER = Chapter(
    tables={"gate": checks.GATE},
    frames=lambda results: {"gate": checks.checks_frame(results.gates)},
    parts={"method": method_part, "machine": machine_part},
)

"""How accurate the networks become, how fast they get there, and what one change does to it."""

from bench.display.section import Block, Picture, shown
from bench.report.chapter import Chapter
from bench.report.chapters.accuracy import epochs, reaching
from bench.report.groups import Group
from bench.report.results import Results

CAPTION = "time to accuracy, by the end of epochs, predictions left out; median and range of those that reached it"


def evidence(results: Results, group: Group, pictures: list[Picture]) -> list[Block]:
    """Accuracy by epoch, and how long it takes to reach the documents' own."""
    return [*pictures, *shown(reaching.sheet(results.frames["time_to_accuracy"], group), CAPTION)]


CHAPTER = Chapter(
    tables={"time_to_accuracy": reaching.TIME_TO_ACCURACY},
    frames=lambda results: {"time_to_accuracy": reaching.time_to_accuracy(results.runs, results.frames["epochs"])},
    kinds={"accuracy": "epochs.csv", "curves": "curves.csv"},
    charts=epochs.drawn,
    evidence=evidence,
)

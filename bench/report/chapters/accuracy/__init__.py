"""How accurate the networks become, and how fast they get there."""

from bench.display.section import shown
from bench.report.chapter import Chapter
from bench.report.chapters.accuracy import epochs, reaching

CAPTION = "time to accuracy, by the end of epochs, predictions left out; median and range of those that reached it"
CHAPTER = Chapter(
    tables={"time_to_accuracy": reaching.TIME_TO_ACCURACY},
    frames=lambda results: {"time_to_accuracy": reaching.time_to_accuracy(results.runs, results.epochs)},
    kinds={"accuracy": "epochs.csv", "curves": "curves.csv"},
    charts=epochs.drawn,
    evidence=lambda results, group, pictures: [
        *pictures, *shown(reaching.sheet(results.frames["time_to_accuracy"], group), CAPTION),
    ],
)  # fmt: skip

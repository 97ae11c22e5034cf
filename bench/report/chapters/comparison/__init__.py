"""The comparison: which framework is faster, by how much, how sure."""

import pandas as pd

from bench.report import pairs
from bench.report.chapter import Chapter
from bench.report.chapters.comparison import bars, charts, programs, sections
from bench.report.results import Results


def frames(results: Results) -> dict[str, pd.DataFrame]:
    """The summary of each implementation, the controls, all pairs; and of these what most readers ask."""
    summary, comparison = pairs.summary_frame(results.runs), pairs.comparison(results.runs, results.questions)
    return {
        "results": programs.frame(summary, comparison, results.runs),
        "summary": summary,
        "control": pairs.control(results.runs),
        "comparison": comparison,
    }


CHAPTER = Chapter(
    tables={
        "results": programs.RESULTS,
        "summary": pairs.SUMMARY,
        "control": pairs.CONTROL,
        "comparison": pairs.COMPARISON,
    },
    frames=frames,
    words={"comparison": pairs.in_words},
    kinds={"answer": "tables/summary.csv", "epoch-time": "runs.csv", "ratios": "tables/comparison.csv"},
    charts=lambda results, group: [
        bars.chart(group) if group in results.leading else None,
        charts.times(group.title, group.key, group.runs),
        charts.ratios(group),
    ],
    evidence=sections.evidence,
    parts={"answer": sections.answered, "comparison": sections.compared},
)

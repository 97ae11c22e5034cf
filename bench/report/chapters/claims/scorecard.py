"""The scorecard: one row for each claim of a tutorial, whatever number of programs it is about."""

from collections import Counter

import pandas as pd

from bench.data import tutorials
from bench.display import naming, numbers
from bench.display.tables import Sheet
from bench.report.chapters.claims.tables import link, measured_value
from bench.report.chapters.claims.verdicts import OPEN, cell
from bench.statistics import ClaimVerdict

COUNTED = {
    ClaimVerdict.CONFIRMED: "confirmed",
    ClaimVerdict.REFUTED: "refuted",
    ClaimVerdict.UNDECIDED: "undecided",
    ClaimVerdict.OTHER_HARDWARE: "of other hardware",
    ClaimVerdict.NO_VERDICT: "a matter of taste",
    ClaimVerdict.NOT_TESTED: "not tested",
}
"""What is said of so many claims."""
NAMED = 3
"""Programs that a row names with their figures; of more it has the least and the greatest."""


def scorecard(frame: pd.DataFrame) -> Sheet:
    """The claims for which something was measured, beneath the names of their tutorials."""
    names = {tutorial.number: tutorial.name for tutorial in tutorials.load()}
    rows, links = [], []
    for _, lines in frame.groupby(["document", "says"], sort=False):
        number, says = lines["document"].iloc[0], lines["says"].iloc[0]
        tested = lines[~lines["verdict"].isin(OPEN)]
        if len(tested):
            rows.append((names[int(number)], str(says), verdict(tested), figures(tested)))
            links.append(link(tested.iloc[0]))
    return Sheet(
        "", ("tutorial", "claim", "verdict", "measured"), tuple(rows), texts=3, grouped=True, links=tuple(links)
    )


def verdict(lines: pd.DataFrame) -> str:
    """The verdict of all lines of a claim; how often each was reached, where they differ."""
    words = Counter(cell(row) for _, row in lines.iterrows())
    return (
        next(iter(words)) if len(words) == 1 else numbers.listed([f"{often} {what}" for what, often in words.items()])
    )


def figures(lines: pd.DataFrame) -> str:
    """What was measured of one program with its interval, of a few by their names, of many the range."""
    shown = [(row, measured_value(row)) for _, row in lines.sort_values("value", kind="stable").iterrows()]
    if len(shown) == 1:
        return shown[0][1]
    values = [value.partition("\n")[0] for _, value in shown]
    if len(shown) > NAMED:
        return f"{values[0]} to {values[-1]}\n{len(shown)} programs"
    return "\n".join(
        f"{naming.label(row['implementation'], row['tier'])}: {value}"
        for (row, _), value in zip(shown, values, strict=True)
    )


def summary(frame: pd.DataFrame) -> str:
    """How many claims there are, and what became of them."""
    counts: Counter[str] = Counter()
    for _, lines in frame.groupby(["document", "says"], sort=False):
        reached = {COUNTED.get(one, COUNTED[ClaimVerdict.NOT_TESTED]) for one in lines["verdict"]}
        counts[reached.pop() if len(reached) == 1 else "decided differently by different programs"] += 1
    order = [phrase for phrase in (*COUNTED.values(), *counts) if counts[phrase]]
    phrases = numbers.listed([f"{counts[phrase]} {phrase}" for phrase in dict.fromkeys(order)])
    return f"The tutorials make {numbers.count(sum(counts.values()), 'claim')} that a program can test: {phrases}."

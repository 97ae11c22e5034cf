"""What is compared with each other: a network on a device with a number of threads, and its pairs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from bench.display import naming, numbers
from bench.statistics import Verdict, sure
from impls.environment import slug


@dataclass(frozen=True)
class Pair:
    """Two implementations of a group: ``fast`` took the shorter time, ``estimate`` and interval are of slow / fast.

    ``p`` is corrected for all primary pairs of the session; NaN for a pair that is exploratory.
    """

    fast: str
    slow: str
    estimate: float
    low: float
    high: float
    delta: float
    verdict: Verdict
    blocks: int
    p: float

    def of(self, name: str) -> tuple[float, float, float]:
        """How many times as long one of the two took as the other, and the interval."""
        return (self.estimate, self.low, self.high) if name == self.slow else turned(self.estimate, self.low, self.high)

    @property
    def unsure(self) -> bool:
        """Whether its interval excludes 1 only as long as the other questions are not counted."""
        return self.verdict is Verdict.INCONCLUSIVE and self.low > 1 and not sure(self.p)


@dataclass(frozen=True)
class Group:
    """One network on one device with one number of threads, and what was derived from its cells.

    ``runs`` has all its cells; ``summary`` one row per implementation that was measured, the fastest first.
    ``judged`` has its rows of the comparison, of time, memory and accuracy; ``pairs`` are those of time.
    ``document_epochs`` is the document's own number, None where unknown.
    """

    workload: str
    device: str
    threads: int
    runs: pd.DataFrame
    summary: pd.DataFrame
    control: pd.DataFrame
    judged: pd.DataFrame
    pairs: tuple[Pair, ...]
    document_epochs: int | None

    @property
    def configuration(self) -> tuple[str, str, int]:
        """Network, device, threads."""
        return self.workload, self.device, self.threads

    @property
    def place(self) -> str:
        """``CPU, 2 threads``."""
        return naming.place(self.device, self.threads)

    @property
    def title(self) -> str:
        """``mlp-128-64, CPU, 2 threads``."""
        return naming.title(*self.configuration)

    @property
    def key(self) -> str:
        """Fit for a file name or an anchor."""
        return key(*self.configuration)

    @property
    def after(self) -> str:
        """``after 3 of 5 epochs``: how long the networks whose accuracy is shown were trained."""
        return numbers.after(int(self.runs["epochs"].iloc[0]), self.document_epochs)

    @property
    def timed(self) -> pd.DataFrame:
        """The rows of the summary that have steady epochs."""
        return self.summary.dropna(subset="epoch_s") if len(self.summary) else self.summary

    def part(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of a frame that are about this group."""
        return part(frame, *self.configuration)

    def pair(self, a: str, b: str) -> Pair | None:
        """What was found between two implementations, None where they share no block."""
        return next((pair for pair in self.pairs if {pair.fast, pair.slow} == {a, b}), None)

    def row(self, implementation: str) -> pd.Series:
        """An implementation's row of the summary."""
        return self.summary[self.summary["implementation"] == implementation].iloc[0]

    def tier(self, implementation: str) -> str:
        """An implementation's tier."""
        return str(self.runs.loc[self.runs["implementation"] == implementation, "tier"].iloc[0])

    def named(self, implementation: str) -> str:
        """Framework and tier, as tables have them."""
        return naming.named(implementation, self.tier(implementation))

    def two_lines(self, implementation: str) -> str:
        """The name, and the tier on a line beneath."""
        tier = self.tier(implementation)
        return f"{naming.label(implementation, tier)}\n{tier}"


def key(workload: str, device: str, threads: int) -> str:
    """A configuration, fit for a file name or an anchor."""
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in workload)
    return f"{safe}.{slug(device)}.{threads}t"


def groups(frames: Mapping[str, pd.DataFrame], document_epochs: Mapping[str, int], first: str) -> list[Group]:
    """The groups of a session: the workload ``first`` leads, the CPU comes before others, more threads before fewer."""
    runs = frames["runs"]
    configurations = list(dict.fromkeys(zip(runs["workload"], runs["device"], map(int, runs["threads"]), strict=True)))
    order = list(dict.fromkeys(runs["workload"]))
    configurations.sort(key=lambda key: (key[0] != first, order.index(key[0]), key[1] != "cpu", key[1], -key[2]))
    sorted_groups = []
    for configuration in configurations:
        cells, summary, control, judged = (
            part(frames[name], *configuration) for name in ("runs", "summary", "control", "comparison")
        )
        pairs = tuple(oriented(row) for _, row in judged[judged["compared"] == "epoch_s"].iterrows())
        epochs = document_epochs.get(configuration[0])
        sorted_groups.append(Group(*configuration, cells, summary, control, judged, pairs, epochs))
    return sorted_groups


def part(frame: pd.DataFrame, workload: str, device: str, threads: int) -> pd.DataFrame:
    """The rows of one configuration."""
    if frame.empty:
        return frame
    return frame[(frame["workload"] == workload) & (frame["device"] == device) & (frame["threads"] == threads)]


def oriented(row: pd.Series) -> Pair:
    """A row of the comparison of times, turned so that its ratio is at least 1."""
    fast, slow, estimate, low, high = row["b"], row["a"], float(row["estimate"]), float(row["low"]), float(row["high"])
    if estimate < 1:
        fast, slow, (estimate, low, high) = slow, fast, turned(estimate, low, high)
    delta, blocks, p = float(row["delta"]), int(row["blocks"]), float(row["p_holm"])
    return Pair(fast, slow, estimate, low, high, delta, row["verdict"], blocks, p)


def turned(estimate: float, low: float, high: float) -> tuple[float, float, float]:
    """A ratio and its interval, of b / a instead of a / b."""
    return 1 / estimate, 1 / high, 1 / low if low > 0 else math.inf


def leading(sorted_groups: Sequence[Group]) -> list[Group]:
    """The groups that the opening speaks of: the first workload, on each device with the most threads."""
    first: dict[str, Group] = {}
    for group in sorted_groups:
        if group.workload == sorted_groups[0].workload:
            first.setdefault(group.device, group)
    return list(first.values())

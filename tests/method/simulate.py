"""How often the method errs: sessions of which the truth is known, judged by the very functions that judge real ones.

    python tests/method/simulate.py --sessions 10000

writes results/method/*.csv and puts their tables into docs/method.md. Everything is drawn from fixed seeds: the same
version of NumPy gives the same figures. A few minutes on one core.
"""

import argparse
import math
import re
import zlib
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from noise_models import RECORDED, Float, Noise, machines
from scipy import stats

from bench import statistics
from bench.session import sizing
from bench.statistics import Verdict

ROOT = Path(__file__).parents[2]
OUT, PAGE = ROOT / "results" / "method", ROOT / "docs" / "method.md"
BLOCKS = (3, 5, 10, 20)
PROGRAMS = 4
"""Implementations of a session; the control is one cell more in each block."""
TRUTH = 1.1
RESAMPLES = 1000
Intervals = tuple[Float, Float]


def session(noise: Noise, random: np.random.Generator, sessions: int, blocks: int, in_turn: bool = True) -> Float:
    """Logarithms of times that are all equal but for the noise, ``[sessions, blocks, programs and control]``.

    Every program once in each block, in an order drawn anew; or, not ``in_turn``, all runs of one before the next.
    """
    cells = PROGRAMS + 1
    found = noise(random, sessions, blocks * cells)
    if not in_turn:
        return found.reshape(sessions, cells, blocks).swapaxes(1, 2)
    order = random.permuted(np.broadcast_to(np.arange(cells), (sessions, blocks, cells)), axis=2)
    return np.take_along_axis(found.reshape(sessions, blocks, cells), order, axis=2)


def student(d: Float) -> Intervals:
    """Student's interval on the logarithms: what ``bench.statistics`` does, for many sessions at once."""
    n = d.shape[1]
    half = stats.t.ppf(0.975, n - 1) * d.std(axis=1, ddof=1) / math.sqrt(n)
    return d.mean(axis=1) - half, d.mean(axis=1) + half


def bootstrap(d: Float) -> Intervals:
    """The percentile bootstrap over blocks (Efron 1979), 1,000 resamples."""
    random, n = np.random.default_rng(1), d.shape[1]
    drawn = random.integers(n, size=(RESAMPLES, n))
    means = np.stack([d[:, row].mean(axis=1) for row in drawn], axis=1)
    low, high = np.quantile(means, [0.025, 0.975], axis=1)
    return low, high


def signed_ranks(d: Float) -> Intervals:
    """Wilcoxon's signed ranks, inverted: from the k-th smallest to the k-th greatest mean of two blocks (Tukey 1949).

    With five blocks or fewer no two-sided interval of 95 % exists: it is infinite.
    """
    n = d.shape[1]
    first, second = np.triu_indices(n)
    walsh = np.sort((d[:, first] + d[:, second]) / 2, axis=1)
    counts = np.zeros(n * (n + 1) // 2 + 1)
    counts[0] = 1
    for rank in range(1, n + 1):
        counts[rank:] = counts[rank:] + counts[: len(counts) - rank]
    below = int((counts.cumsum() / 2**n <= 0.025).sum())
    if not below:
        return np.full(len(d), -np.inf), np.full(len(d), np.inf)
    return walsh[:, below - 1], walsh[:, -below]


def welch(a: Float, b: Float) -> Intervals:
    """Welch's interval for the difference of two means that are not paired (Welch 1947)."""
    n = a.shape[1]
    va, vb = a.var(axis=1, ddof=1) / n, b.var(axis=1, ddof=1) / n
    freedom = (va + vb) ** 2 / ((va**2 + vb**2) / (n - 1))
    half = stats.t.ppf(0.975, freedom) * np.sqrt(va + vb)
    centre = a.mean(axis=1) - b.mean(axis=1)
    return centre - half, centre + half


PAIRED: dict[str, Callable[[Float], Intervals]] = {
    "Student's t on logs (chosen)": student,
    "bootstrap over blocks": bootstrap,
    "signed ranks": signed_ranks,
}
UNPAIRED = "one after the other, Welch"


def seed(*what: object) -> np.random.Generator:
    """A generator that depends on nothing but what it is for."""
    return np.random.default_rng(zlib.crc32(repr(what).encode()))


def intervals(sessions: int) -> pd.DataFrame:
    """Coverage of a true ratio of 1.1, how often 1 is missed where it is true, and the half-width, by method."""
    rows = []
    for machine, noise in machines().items():
        for blocks in BLOCKS:
            d = session(noise, seed("intervals", machine, blocks), sessions, blocks)
            a, b = d[:, :, 0] + math.log(TRUTH), d[:, :, 1]
            ends = {name: method(a - b) for name, method in PAIRED.items()}
            turned = session(noise, seed("intervals", machine, blocks), sessions, blocks, in_turn=False)
            ends[UNPAIRED] = welch(turned[:, :, 0] + math.log(TRUTH), turned[:, :, 1])
            for name, (low, high) in ends.items():
                covered = (low <= math.log(TRUTH)) & (math.log(TRUTH) <= high)
                rows.append({
                    "machine": machine, "blocks": blocks, "method": name, "sessions": sessions,
                    "coverage": covered.mean(), "half_width": np.median(np.expm1((high - low) / 2)),
                })  # fmt: skip
    return pd.DataFrame(rows)


def verdicts(sessions: int) -> pd.DataFrame:
    """What ``statistics.verdict`` says of a pair beside a control, by the true ratio; one pair, so nothing to correct."""
    rows = []
    for machine, noise in machines().items():
        for blocks in BLOCKS:
            times = np.exp(session(noise, seed("verdicts", machine, blocks), sessions, blocks))
            for truth in (1.0, 1.02, 1.05, 1.10, 1.50):
                said = [one_verdict(times[i] * [truth, 1, 1, 1, 1]) for i in range(sessions)]
                rows.append({
                    "machine": machine, "blocks": blocks, "ratio": truth, "sessions": sessions,
                    "slower": said.count(Verdict.GREATER) / sessions, "faster": said.count(Verdict.SMALLER) / sessions,
                    "equivalent": said.count(Verdict.EQUIVALENT) / sessions,
                    "unfit": said.count(Verdict.UNFIT) / sessions,
                })  # fmt: skip
    return pd.DataFrame(rows)


def one_verdict(times: Float) -> Verdict:
    """The verdict on program 0 over program 1, of which the last column is the control; ``[blocks, cells]``."""
    control = statistics.paired_ratio(list(times[:, -1]), list(times[:, 1]))
    if control.excludes_one:
        return Verdict.UNFIT
    ratio = statistics.paired_ratio(list(times[:, 0]), list(times[:, 1]))
    return statistics.verdict(ratio, statistics.delta(control))


def families(sessions: int) -> pd.DataFrame:
    """How often at least one of the six pairs of four equal programs is called different: as they are, and by Holm."""
    rows = []
    for machine, noise in machines().items():
        for blocks in BLOCKS:
            d = session(noise, seed("families", machine, blocks), sessions, blocks)
            pairs = [(i, j) for i in range(PROGRAMS) for j in range(i)]
            p = np.array([[statistics.p_value(list(one[:, i] - one[:, j])) for i, j in pairs] for one in d])
            corrected = np.array([statistics.holm(list(row)) for row in p])
            rows.append({
                "machine": machine, "blocks": blocks, "sessions": sessions,
                "uncorrected": (p.min(axis=1) < 0.05).mean(), "holm": (corrected.min(axis=1) < 0.05).mean(),
            })  # fmt: skip
    return pd.DataFrame(rows)


def stages(sessions: int, asked: float = 0.02) -> pd.DataFrame:
    """``--precision 2%``: coverage after a pilot has decided, how often the half-width is reached, how many blocks."""
    rows = []
    for machine, noise in machines().items():
        random = seed("stages", machine)
        covered, reached, taken = 0, 0, []
        for _ in range(sessions):
            pilot = session(noise, random, 1, sizing.PILOT)[0]
            blocks = min(400, statistics.blocks_needed(list(pilot[:, 0] - pilot[:, 1]), asked))
            rest = session(noise, random, 1, max(1, blocks - sizing.PILOT))[0]
            d = np.concatenate([pilot, rest])[:blocks]
            found = statistics.paired_ratio(list(np.exp(d[:, 0]) * TRUTH), list(np.exp(d[:, 1])))
            covered += found.low <= TRUTH <= found.high
            reached += found.half_width <= asked
            taken.append(blocks)
        rows.append({
            "machine": machine, "sessions": sessions, "coverage": covered / sessions, "reached": reached / sessions,
            "blocks": int(np.median(taken)), "blocks_90": int(np.quantile(taken, 0.9)),
        })  # fmt: skip
    return pd.DataFrame(rows)


def sessions(_: int) -> pd.DataFrame:
    """Two real runs of the same programs, as ``fcnbench compare`` judges them: every pair of the recorded runs."""
    rows = []
    for path in sorted(RECORDED.glob("*.csv")):
        frame = pd.read_csv(path)
        frame = frame[frame["role"] == "measured"]
        runs = {
            number: run.pivot(index="block", columns="implementation", values="epoch_s")
            for number, run in frame.groupby("run")
        }
        said = [verdict for a, b in combinations(runs, 2) for verdict in two_sessions(runs[a], runs[b])]
        rows.append({
            "machine": f"recorded: {path.stem}", "runs": len(runs), "comparisons": len(said),
            "different": sum(verdict.is_difference for verdict in said) / len(said),
            "equivalent": said.count(Verdict.EQUIVALENT) / len(said),
        })  # fmt: skip
    return pd.DataFrame(rows)


def two_sessions(base: pd.DataFrame, new: pd.DataFrame) -> list[Verdict]:
    """The verdicts on each program's times in two runs, ``[blocks, programs]``."""
    pairs = [(list(new[name]), list(base[name])) for name in base]
    corrected = statistics.holm([statistics.p_value(statistics.log_ratios(a, b)) for a, b in pairs])
    return [
        statistics.verdict(statistics.paired_ratio(a, b), statistics.SMALLEST_DELTA, p)
        for (a, b), p in zip(pairs, corrected, strict=True)
    ]


def percent(share: float) -> str:
    """``94.9 %``."""
    return f"{share * 100:.1f} %"


def table(frame: pd.DataFrame, rows: list[str], column: str, value: str) -> str:
    """A Markdown table: ``column`` goes across."""
    wide = frame.pivot_table(index=rows, columns=column, values=value, sort=False)
    head = [*rows, *(f"{column} {name}" if column == "blocks" else str(name) for name in wide.columns)]
    lines = [head, ["---"] * len(rows) + ["---:"] * len(wide.columns)]
    for key, values in wide.iterrows():
        named = [str(part) for part in (key if isinstance(key, tuple) else (key,))]
        lines.append([*named, *("–" if not math.isfinite(one) else percent(one) for one in values)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def tables(found: dict[str, pd.DataFrame]) -> dict[str, str]:
    """The page's tables by name."""
    chosen = found["intervals"][found["intervals"]["method"] == next(iter(PAIRED))]
    said = found["verdicts"]
    power = pd.concat([said[said["ratio"] == ratio].assign(truth=f"{ratio:.2f}") for ratio in (1.02, 1.05, 1.1, 1.5)])
    wrong = said[said["ratio"] == 1].assign(wrong=lambda frame: frame["slower"] + frame["faster"])
    two = found["stages"].assign(**{name: found["stages"][name].map(percent) for name in ("coverage", "reached")})
    lines = [f"| {' | '.join(map(str, row))} |" for row in two.drop(columns="sessions").to_numpy()]
    head = "| machine | coverage | half-width reached | blocks, median | nine in ten below |\n|---|---:|---:|---:|---:|"
    return {
        "coverage": table(found["intervals"], ["machine", "method"], "blocks", "coverage"),
        "half-width": table(chosen, ["machine"], "blocks", "half_width"),
        "false": table(wrong, ["machine"], "blocks", "wrong"),
        "unfit": table(wrong, ["machine"], "blocks", "unfit"),
        "equivalent": table(wrong, ["machine"], "blocks", "equivalent"),
        "power": table(power, ["machine", "truth"], "blocks", "slower"),
        "families": table(found["families"].melt(["machine", "blocks"], ["uncorrected", "holm"], "pairs", "share"),
                          ["machine", "pairs"], "blocks", "share"),
        "stages": "\n".join([head, *lines]),
        "sessions": "\n".join([
            "| machine | runs | comparisons | called different | equivalent |", "|---|---:|---:|---:|---:|",
            *(f"| {a} | {b} | {c} | {percent(d)} | {percent(e)} |" for a, b, c, d, e in found["sessions"].to_numpy()),
        ]),
    }  # fmt: skip


def filled(page: str, made: dict[str, str]) -> str:
    """The page with its tables, each between two marks."""
    for name, text in made.items():
        page = re.sub(rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda m, text=text: f"{m[1]}\n{text}\n\n{m[2]}", page,
                      flags=re.DOTALL)  # fmt: skip
    return page


def read() -> dict[str, pd.DataFrame]:
    """What was simulated last."""
    return {path.stem: pd.read_csv(path) for path in sorted(OUT.glob("*.csv"))}


SIMULATIONS = {
    "intervals": intervals, "verdicts": verdicts, "families": families, "stages": stages, "sessions": sessions,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=10_000)
    asked = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    for name, simulation in SIMULATIONS.items():
        frame = simulation(asked.sessions // 5 if name == "stages" else asked.sessions)
        frame.round(4).to_csv(OUT / f"{name}.csv", index=False)
        print(name, flush=True)
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), tables(read())), encoding="utf-8")


if __name__ == "__main__":
    main()

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
from noise_models import RECORDED, Float, Machine, machines
from scipy import stats

from bench import statistics
from bench.data.questions import Contender, primary
from bench.session import sizing
from bench.statistics import Verdict

ROOT = Path(__file__).parents[2]
OUT, PAGE = ROOT / "results" / "method", ROOT / "docs" / "method.md"
BLOCKS = (3, 4, 10, 20)
ROUNDS = 6
"""Steady epochs of each process."""
MATCHED = 3
"""Processes of a block that is simulated alone: two programs and the control, which comes last."""
TRUTH = 1.1
RESAMPLES = 1000
STAGES = (
    (
        Contender("matched-pytorch", "matched", "pytorch", reference=True),
        Contender("matched-keras", "matched", "keras"),
    ),
    tuple(Contender(f"documented-{name}", "documented", name) for name in ("pytorch", "keras")),
    tuple(Contender(f"tuned-{name}", "tuned", name) for name in ("pytorch", "tensorflow", "keras", "jax")),
)
"""Every tier: what is measured in blocks of its own, one stage after the other; the first has the control."""
BY_DEFAULT = len(primary([one for stage in STAGES[:2] for one in stage]))
"""The questions of a run that is given no implementations: it measures the first two of these stages."""
Intervals = tuple[Float, Float]


def session(
    machine: Machine,
    random: np.random.Generator,
    sessions: int,
    blocks: int,
    processes: int = MATCHED,
    turns: bool = True,
) -> Float:
    """Logarithms of processes' values that are all equal but for the noise, ``[sessions, blocks, processes]``.

    A value is the mean of ``ROUNDS`` epochs. In each round every process trains one, in an order drawn anew; or, without
    ``turns``, one process trains all of its epochs before the next one does.
    """
    epochs = machine.epochs(random, (sessions, blocks, ROUNDS * processes))
    if turns:
        epochs = epochs.reshape(sessions, blocks, ROUNDS, processes)
        means = random.permuted(epochs, axis=3).mean(axis=2)
    else:
        means = random.permuted(epochs.reshape(sessions, blocks, processes, ROUNDS).mean(axis=3), axis=2)
    return np.asarray(means + machine.processes(random, (sessions, blocks, processes)))


def one_after_the_other(machine: Machine, random: np.random.Generator, sessions: int, blocks: int) -> Float:
    """The same without blocks: all processes of one program before those of the next.

    A recording must be long enough for all of them: its circle would close, and bring everybody the same.
    """
    epochs = machine.epochs(random, (sessions, 1, MATCHED * blocks * ROUNDS))
    means = epochs.reshape(sessions, MATCHED, blocks, ROUNDS).mean(axis=3).swapaxes(1, 2)
    return np.asarray(means + machine.processes(random, (sessions, blocks, MATCHED)))


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
NO_TURNS = "without turns, Student's t on logs"
UNPAIRED = "one after the other, Welch"


def seed(*what: object) -> np.random.Generator:
    """A generator that depends on nothing but what it is for."""
    return np.random.default_rng(zlib.crc32(repr(what).encode()))


def intervals(sessions: int) -> pd.DataFrame:
    """Coverage of a true ratio of 1.1 and the half-width, by method."""
    rows = []
    for name, machine in machines().items():
        for blocks in BLOCKS:
            drawn = (machine, seed("intervals", name, blocks), sessions, blocks)
            d, alone = session(*drawn), session(*drawn, turns=False)
            truth = math.log(TRUTH)
            ends = {method: interval(d[:, :, 0] + truth - d[:, :, 1]) for method, interval in PAIRED.items()}
            ends[NO_TURNS] = student(alone[:, :, 0] + truth - alone[:, :, 1])
            if MATCHED * blocks * ROUNDS <= machine.length:
                apart = one_after_the_other(*drawn)
                ends[UNPAIRED] = welch(apart[:, :, 0] + truth, apart[:, :, 1])
            for method, (low, high) in ends.items():
                rows.append({
                    "machine": name, "blocks": blocks, "method": method, "sessions": sessions,
                    "coverage": ((low <= truth) & (truth <= high)).mean(),
                    "half_width": np.median(np.expm1((high - low) / 2)),
                })  # fmt: skip
    return pd.DataFrame(rows)


def verdicts(sessions: int) -> pd.DataFrame:
    """What ``statistics.verdict`` says of a pair beside a control, by the true ratio: one of ``BY_DEFAULT`` questions."""
    rows = []
    for name, machine in machines().items():
        for blocks in BLOCKS:
            times = np.exp(session(machine, seed("verdicts", name, blocks), sessions, blocks))
            for truth in (1.0, 1.02, 1.05, 1.10, 1.50):
                said = [one_verdict(times[i] * [truth, 1, 1]) for i in range(sessions)]
                rows.append({
                    "machine": name, "blocks": blocks, "ratio": truth, "sessions": sessions,
                    "slower": said.count(Verdict.GREATER) / sessions, "faster": said.count(Verdict.SMALLER) / sessions,
                    "equivalent": said.count(Verdict.EQUIVALENT) / sessions,
                    "unfit": said.count(Verdict.UNFIT) / sessions,
                })  # fmt: skip
    return pd.DataFrame(rows)


def one_verdict(times: Float) -> Verdict:
    """The verdict on program 0 over program 1, of which the last column is the control; ``[blocks, processes]``.

    The other questions of the run have found nothing, which is where the correction costs most.
    """
    a, b, repeated = (list(column) for column in times.T)
    control = statistics.paired_ratio(repeated, b)
    if control.excludes_one:
        return Verdict.UNFIT
    (p,) = statistics.holm([statistics.p_value(statistics.log_ratios(a, b))], BY_DEFAULT)
    return statistics.verdict(statistics.paired_ratio(a, b), statistics.delta(control), p)


def families(sessions: int) -> pd.DataFrame:
    """How often at least one question of a run of all tiers is answered wrongly where all of its programs are equal.

    By p values as they are, after Holm's correction, and by the whole rule, the control included.
    """
    rows = []
    for name, machine in machines().items():
        for blocks in BLOCKS:
            random = seed("families", name, blocks)
            stages = [
                session(machine, random, sessions, blocks, len(stage) + (not i)) for i, stage in enumerate(STAGES)
            ]
            asked, times = (
                questions(),
                np.concatenate([stages[0][:, :, -1:], stages[0][:, :, :-1], *stages[1:]], axis=2),
            )
            wrong = np.array([answered(one, asked) for one in times])
            rows.append({"machine": name, "blocks": blocks, "sessions": sessions, "questions": len(asked)}
                        | dict(zip(("uncorrected", "holm", "verdicts"), wrong.mean(axis=0), strict=True)))  # fmt: skip
    return pd.DataFrame(rows)


def questions() -> list[tuple[int, int]]:
    """The primary pairs of all tiers, as columns of a session in which the control comes first."""
    names = [one.name for stage in STAGES for one in stage]
    pairs = primary([one for stage in STAGES for one in stage])
    return [(1 + i, 1 + j) for i, j in combinations(range(len(names)), 2) if frozenset((names[i], names[j])) in pairs]


def answered(logs: Float, asked: list[tuple[int, int]]) -> tuple[bool, bool, bool]:
    """Whether any question has p < 5 %, also after the correction, and whether any gets the verdict that two differ."""
    control = statistics.paired_ratio(list(np.exp(logs[:, 0])), list(np.exp(logs[:, 1])))
    p = [statistics.p_value(list(logs[:, i] - logs[:, j])) for i, j in asked]
    corrected = statistics.holm(p)
    found = not control.excludes_one and any(
        statistics.verdict(
            statistics.paired_ratio(list(np.exp(logs[:, i])), list(np.exp(logs[:, j]))), statistics.delta(control), one
        ).is_difference
        for (i, j), one in zip(asked, corrected, strict=True)
        if statistics.sure(one)
    )
    return min(p) < statistics.LEVEL, min(corrected) < statistics.LEVEL, found


def stages(sessions: int, asked: float = 0.02) -> pd.DataFrame:
    """``--precision 2%``: coverage after a pilot has decided, how often the half-width is reached, how many blocks."""
    rows = []
    for name, machine in machines().items():
        random = seed("stages", name)
        covered, reached, taken = 0, 0, []
        for _ in range(sessions):
            pilot = session(machine, random, 1, sizing.PILOT)[0]
            blocks = min(400, statistics.blocks_needed(list(pilot[:, 0] - pilot[:, 1]), asked))
            rest = session(machine, random, 1, max(1, blocks - sizing.PILOT))[0]
            d = np.concatenate([pilot, rest])[:blocks]
            found = statistics.paired_ratio(list(np.exp(d[:, 0]) * TRUTH), list(np.exp(d[:, 1])))
            covered += found.low <= TRUTH <= found.high
            reached += found.half_width <= asked
            taken.append(blocks)
        rows.append({
            "machine": name, "sessions": sessions, "coverage": covered / sessions, "reached": reached / sessions,
            "blocks": int(np.median(taken)), "blocks_90": int(np.quantile(taken, 0.9)),
        })  # fmt: skip
    return pd.DataFrame(rows)


def sessions(_: int) -> pd.DataFrame:
    """Two real runs of the same programs, as ``fcnbench compare`` judges them: every pair of the recorded runs."""
    rows = []
    for path in sorted(RECORDED.glob("pytorch-*.csv")):
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
    intervals = found["intervals"]
    both = intervals[intervals["method"].isin([next(iter(PAIRED)), NO_TURNS])]
    said = found["verdicts"]
    power = pd.concat([said[said["ratio"] == ratio].assign(truth=f"{ratio:.2f}") for ratio in (1.02, 1.05, 1.1, 1.5)])
    wrong = said[said["ratio"] == 1].assign(wrong=lambda frame: frame["slower"] + frame["faster"])
    two = found["stages"].assign(**{name: found["stages"][name].map(percent) for name in ("coverage", "reached")})
    lines = [f"| {' | '.join(map(str, row))} |" for row in two.drop(columns="sessions").to_numpy()]
    head = "| machine | coverage | half-width reached | blocks, median | nine in ten below |\n|---|---:|---:|---:|---:|"
    return {
        "coverage": table(found["intervals"], ["machine", "method"], "blocks", "coverage"),
        "half-width": table(both, ["machine", "method"], "blocks", "half_width"),
        "false": table(wrong, ["machine"], "blocks", "wrong"),
        "unfit": table(wrong, ["machine"], "blocks", "unfit"),
        "equivalent": table(wrong, ["machine"], "blocks", "equivalent"),
        "power": table(power, ["machine", "truth"], "blocks", "slower"),
        "families": table(found["families"].melt(["machine", "blocks"], ["uncorrected", "holm", "verdicts"], "rule", "share"),
                          ["machine", "rule"], "blocks", "share"),
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
    parser.add_argument("--sessions", type=int, default=5_000)
    asked = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    for name, simulation in SIMULATIONS.items():
        frame = simulation(asked.sessions // 5 if name == "stages" else asked.sessions)
        frame.round(4).to_csv(OUT / f"{name}.csv", index=False)
        print(name, flush=True)
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), tables(read())), encoding="utf-8")


if __name__ == "__main__":
    main()

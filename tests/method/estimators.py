"""What sums up the epochs of a process best: candidates on recorded epochs of live processes that took turns.

    python tests/method/estimators.py

writes results/method/estimators.csv and puts its table into docs/method.md. A few seconds; nothing is drawn.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from noise_models import RECORDED, Float
from scipy import stats
from simulate import OUT, PAGE, filled, percent

CANDIDATES: dict[str, Callable[[Float], float]] = {
    "mean of logarithms (chosen)": lambda logs: float(np.mean(logs)),
    "10 % trimmed mean of logarithms": lambda logs: float(stats.trim_mean(logs, 0.1)),
    "20 % trimmed mean of logarithms": lambda logs: float(stats.trim_mean(logs, 0.2)),
    "median": lambda logs: float(np.median(logs)),
    "lower quartile": lambda logs: float(np.quantile(logs, 0.25)),
    "minimum": lambda logs: float(np.min(logs)),
}
"""Each takes the logarithms of a process's epochs in their order, and returns one."""
ROUNDS = (2, 4, 6, 8, 10)
SHOWN, ENOUGH = (4, 8), 4
"""The numbers of rounds that the page has, where so many blocks have them."""
PROGRAM, OTHERS = "matched-pytorch", ("matched-keras", "matched-jax")
SLOWER = math.log(1.3)
"""What a busy neighbour costs: everything takes 30 % longer."""
Block = dict[str, Float]
"""The logarithms of each program's epochs in one block."""


def recorded() -> Iterator[tuple[str, list[Block]]]:
    """The device and the blocks of each recording; first epochs, which compile, are no part of them."""
    for path in sorted(RECORDED.glob("turns-*.csv")):
        frame = pd.read_csv(path).query("round > 0").sort_values(["block", "round"], kind="stable")
        yield frame["device"].iloc[0], [block_of(rows) for _, rows in frame.groupby("block")]


def block_of(rows: pd.DataFrame) -> Block:
    return {str(name): np.log(part["s"].to_numpy(dtype=float)) for name, part in rows.groupby("program")}


def windows(block: Block, a: str, b: str, rounds: int) -> Iterator[tuple[Float, Float]]:
    """The epochs of two programs in every so many rounds of a block that follow each other."""
    if a in block and b in block:
        for start in range(min(len(block[a]), len(block[b])) - rounds + 1):
            yield block[a][start : start + rounds], block[b][start : start + rounds]


def slowed(logs: Float) -> Iterator[Float]:
    """The same epochs with a busy neighbour in the first half of them, and with one in the second."""
    half = len(logs) // 2
    yield logs + SLOWER * (np.arange(len(logs)) < half)
    yield logs + SLOWER * (np.arange(len(logs)) >= len(logs) - half)


def root_mean_square(values: list[float]) -> float:
    return math.sqrt(np.mean(np.square(values))) if values else math.nan


def across(blocks: list[Block], rounds: int, estimator: Callable[[Float], float]) -> tuple[list[float], int]:
    """How far the ratio to another framework is from its mean over the blocks; and how many blocks there are."""
    other = next(name for name in OTHERS if name in blocks[0])
    found = [[estimator(a) - estimator(b) for a, b in windows(block, PROGRAM, other, rounds)] for block in blocks]
    found = [values for values in found if values]
    if len(found) < 2:
        return [], 0
    mean = float(np.mean([np.mean(values) for values in found]))
    return [(value - mean) * math.sqrt(len(found) / (len(found) - 1)) for values in found for value in values], len(
        found
    )


def table_of(device: str, recordings: list[list[Block]], rounds: int) -> list[dict[str, object]]:
    """A row for each candidate that sees so many rounds."""
    control = [list(windows(block, f"{PROGRAM}*", PROGRAM, rounds)) for blocks in recordings for block in blocks]
    pairs = [pair for found in control for pair in found]
    rows: list[dict[str, object]] = []
    if not pairs:
        return rows
    for name, estimator in CANDIDATES.items():
        ratios = [across(blocks, rounds, estimator) for blocks in recordings]
        same = [estimator(a) - estimator(b) for a, b in pairs]
        beside = [estimator(a) - estimator(b) for pair in pairs for a, b in zip(*map(slowed, pair), strict=True)]
        moved = [estimator(late) - estimator(logs) for pair in pairs for logs in pair for late in slowed(logs)]
        rows.append({
            "device": device, "rounds": rounds, "estimator": name, "blocks": sum(map(bool, control)),
            "windows": len(pairs), "control": root_mean_square(same), "control_neighbour": root_mean_square(beside),
            "ratio_blocks": sum(blocks for _, blocks in ratios),
            "ratio": root_mean_square([value for values, _ in ratios for value in values]),
            "bias_neighbour": math.expm1(float(np.mean(moved))),
        })  # fmt: skip
    return rows


def estimators() -> pd.DataFrame:
    """A row for each kind of device, number of rounds and candidate.

    ``control`` is the root mean square of the logarithm of control over program, over all stretches of so many rounds;
    ``ratio`` how the ratio to the other framework scatters over blocks; ``control_neighbour`` is the first of them with
    a busy neighbour in one half of the rounds, ``bias_neighbour`` by what share that moves the value of one process.
    """
    by_device: dict[str, list[list[Block]]] = {}
    for device, blocks in recorded():
        by_device.setdefault(device, []).append(blocks)
    return pd.DataFrame([
        row for device, recordings in by_device.items() for rounds in ROUNDS for row in table_of(device, recordings, rounds)
    ])  # fmt: skip


def tables(frame: pd.DataFrame) -> dict[str, str]:
    """The page's table."""
    lines = [
        "| device | rounds | blocks | estimator | control / program | ratio over blocks | control with a neighbour | "
        "value with a neighbour |", "|---|---:|---:|---|---:|---:|---:|---:|",
    ]  # fmt: skip
    for row in frame[frame["rounds"].isin(SHOWN) & (frame["blocks"] >= ENOUGH)].to_dict("records"):
        figures = [f"{row[name]:.3f}" for name in ("control", "ratio", "control_neighbour")]
        moved = f"+{percent(row['bias_neighbour'])}"
        lines.append(
            f"| {' | '.join(map(str, (row['device'], row['rounds'], row['blocks'], row['estimator'], *figures, moved)))} |"
        )
    return {"estimators": "\n".join(lines)}


def main() -> None:
    frame = estimators().round(4)
    frame.to_csv(OUT / "estimators.csv", index=False)
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), tables(frame)), encoding="utf-8")
    print(frame.to_string())


if __name__ == "__main__":
    main()

"""Machines on which to try a method: what the logarithm of a time is off by.

A machine says two things: by what one process differs from another through all its epochs, and by what epochs are off one
after the other, whoever runs them. Both take a random generator and a shape. Epochs come as ``[sessions, blocks, epochs]``
in the order in which they run: neighbours in time are neighbours in the array, and blocks follow each other.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Float = NDArray[np.float64]
Shape = tuple[int, int, int]
"""Sessions, blocks, and the processes or the epochs of a block."""
Noise = Callable[[np.random.Generator, Shape], Float]
RECORDED = Path(__file__).parents[2] / "results" / "noise"
NEIGHBOUR = 25
"""Epochs that a slow period lasts on average: five rounds of four programs and a control."""


@dataclass(frozen=True)
class Machine:
    """By what processes differ, and by what epochs do; how many epochs were recorded, where they were."""

    processes: Noise
    epochs: Noise
    length: float = math.inf


def normal(deviation: float) -> Noise:
    """Normal, and independent of each other."""
    return lambda random, shape: random.normal(0, deviation, shape)


def heavy_tails(scale: float) -> Noise:
    """Student's t with three degrees of freedom: its variance is finite, its fourth moment is not."""
    return lambda random, shape: scale * random.standard_t(3, shape)


def outliers(random: np.random.Generator, shape: Shape) -> Float:
    """Normal, 0.3 %; one process in ten takes 10 to 60 % longer."""
    late = random.random(shape) < 0.1
    return random.normal(0, 0.003, shape) + late * np.log1p(random.uniform(0.1, 0.6, shape))


def drift(random: np.random.Generator, shape: Shape) -> Float:
    """Slower or faster by up to 20 % through the session, wandering by 1 % from epoch to epoch; and normal, 1 %."""
    sessions, blocks, epochs = shape
    trend = random.uniform(-0.2, 0.2, (sessions, 1)) * np.linspace(0, 1, blocks * epochs)
    wander = random.normal(0, 0.01, (sessions, blocks * epochs)).cumsum(axis=1)
    return (trend + wander).reshape(shape) + random.normal(0, 0.01, shape)


def slow_periods(random: np.random.Generator, shape: Shape) -> Float:
    """Normal, 1 %; a fifth of the time, for ``NEIGHBOUR`` epochs on average, everything takes 30 % longer."""
    sessions, blocks, epochs = shape
    slow = np.zeros((sessions, blocks * epochs), dtype=bool)
    state = random.random(sessions) < 0.2
    for epoch in range(blocks * epochs):
        change = random.random(sessions)
        state = np.where(state, change >= 1 / NEIGHBOUR, change < 0.25 / NEIGHBOUR)
        slow[:, epoch] = state
    return random.normal(0, 0.01, shape) + slow.reshape(shape) * np.log(1.3)


def recorded(series: Float) -> Noise:
    """Stretches of a recorded series, a block each: forwards or backwards, from anywhere in its circle."""

    def stretches(random: np.random.Generator, shape: Shape) -> Float:
        start = random.integers(len(series), size=(*shape[:2], 1))
        step = random.choice([-1, 1], size=(*shape[:2], 1))
        return series[(start + step * np.arange(shape[2])) % len(series)]

    return stretches


def processes_alone(path: Path) -> Float:
    """One and the same program, process after process: by what each is off the median."""
    series = np.log(pd.read_csv(path).sort_values("started")["epoch_s"].dropna().to_numpy(dtype=float))
    return np.asarray(series - np.median(series))


def turns(paths: Sequence[Path]) -> Float:
    """Live processes that took turns, epoch after epoch: by what each is off the mean of its program's in that file."""
    parts = []
    for path in paths:
        frame = pd.read_csv(path).query("round > 0")
        logs = np.log(frame["s"])
        parts.append(logs - logs.groupby(frame["program"].str.rstrip("*")).transform("mean"))
    return pd.concat(parts).to_numpy(dtype=float)


def machines() -> dict[str, Machine]:
    """All of them by name, those that were recorded last: of these what processes differ by is in the epochs."""
    made = {
        "quiet": Machine(normal(0.003), normal(0.01)),
        "normal": Machine(normal(0.02), normal(0.06)),
        "heavy tails": Machine(heavy_tails(0.01), heavy_tails(0.03)),
        "outliers": Machine(outliers, normal(0.01)),
        "drift": Machine(normal(0.003), drift),
        "slow periods": Machine(normal(0.003), slow_periods),
    }
    alone = {path.stem: processes_alone(path) for path in sorted(RECORDED.glob("pytorch-*.csv"))}
    in_turns = {
        f"turns, {device}": turns(sorted(RECORDED.glob(f"turns-*-{pattern}.csv")))
        for device, pattern in (("CPU", "cpu-*"), ("GPU", "h?00"))
    }
    return made | {
        f"recorded: {name}": Machine(normal(0.0), recorded(series), len(series))
        for name, series in (alone | in_turns).items()
    }

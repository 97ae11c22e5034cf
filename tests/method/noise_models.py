"""Machines on which to try a method: what the logarithm of a time is off by, cell after cell.

Each takes a random generator, a number of sessions and of cells, and returns ``[sessions, cells]`` in the order in which
the cells run: neighbours in time are neighbours in the array.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Float = NDArray[np.float64]
Noise = Callable[[np.random.Generator, int, int], Float]
RECORDED = Path(__file__).parents[2] / "results" / "noise"


def quiet(random: np.random.Generator, sessions: int, cells: int) -> Float:
    """Normal, 1 %."""
    return random.normal(0, 0.01, (sessions, cells))


def normal(random: np.random.Generator, sessions: int, cells: int) -> Float:
    """Normal, 4 %."""
    return random.normal(0, 0.04, (sessions, cells))


def heavy_tails(random: np.random.Generator, sessions: int, cells: int) -> Float:
    """Student's t with three degrees of freedom, scale 2 %: its variance is finite, its fourth moment is not."""
    return 0.02 * random.standard_t(3, (sessions, cells))


def outliers(random: np.random.Generator, sessions: int, cells: int) -> Float:
    """Normal, 1 %; one cell in ten takes 10 to 60 % longer."""
    late = random.random((sessions, cells)) < 0.1
    return random.normal(0, 0.01, (sessions, cells)) + late * np.log1p(random.uniform(0.1, 0.6, (sessions, cells)))


def drift(random: np.random.Generator, sessions: int, cells: int) -> Float:
    """A machine that gets slower or faster by up to 20 % through the session and wanders by 1 % from cell to cell."""
    trend = random.uniform(-0.2, 0.2, (sessions, 1)) * np.linspace(0, 1, cells)
    return trend + random.normal(0, 0.01, (sessions, cells)).cumsum(axis=1) + random.normal(0, 0.01, (sessions, cells))


def slow_periods(random: np.random.Generator, sessions: int, cells: int) -> Float:
    """Normal, 1 %; periods of five cells on average, a fifth of the time, in which everything takes 30 % longer."""
    slow = np.zeros((sessions, cells), dtype=bool)
    state = random.random(sessions) < 0.2
    for cell in range(cells):
        change = random.random(sessions)
        state = np.where(state, change >= 0.2, change < 0.05)
        slow[:, cell] = state
    return random.normal(0, 0.01, (sessions, cells)) + slow * np.log(1.3)


def recorded(path: Path) -> Noise:
    """Stretches of a series that was recorded on a real machine, forwards or backwards, from anywhere in its circle."""
    series = np.log(pd.read_csv(path).sort_values("started")["epoch_s"].dropna().to_numpy(dtype=float))
    series = series - np.median(series)

    def stretches(random: np.random.Generator, sessions: int, cells: int) -> Float:
        start = random.integers(len(series), size=(sessions, 1))
        step = random.choice([-1, 1], size=(sessions, 1))
        return series[(start + step * np.arange(cells)) % len(series)]

    return stretches


def machines() -> dict[str, Noise]:
    """All of them by name, those that were recorded last."""
    made: tuple[Noise, ...] = (quiet, normal, heavy_tails, outliers, drift, slow_periods)
    found = {model.__name__.replace("_", " "): model for model in made}
    return found | {f"recorded: {path.stem}": recorded(path) for path in sorted(RECORDED.glob("*.csv"))}

"""How many epochs of each program a block times."""

import itertools

import pytest

from bench.session.blocks.costs import MOST_EPOCHS, Cost, repetitions, takes_part


def test_dear_starts_ask_for_more_epochs_and_dear_epochs_for_fewer() -> None:
    """By the root of their ratio, as long as time is no matter."""
    costs = {"usual": Cost(4.0, 1.0), "slow start": Cost(16.0, 1.0), "slow": Cost(4.0, 4.0), "quick": Cost(20.0, 0.01)}
    numbers = repetitions(costs, dict.fromkeys(costs, 1), 1e9)
    assert numbers == {"usual": 6, "slow start": 12, "slow": 3, "quick": MOST_EPOCHS}


def test_a_short_time_shrinks_all_alike() -> None:
    """The time counts the control too; one epoch is the least."""
    costs, processes = {"a": Cost(4.0, 1.0), "b": Cost(8.0, 2.0)}, {"a": 2, "b": 1}
    numbers = repetitions(costs, processes, 12.0)
    assert numbers == {"a": 3, "b": 3} and sum(numbers[n] * processes[n] * costs[n].epoch_s for n in costs) == 12.0
    assert repetitions(costs, processes, 0.1) == {"a": 1, "b": 1}


def test_a_restless_machine_asks_for_more() -> None:
    """More of the time and three times as much of it; a spread that is usual changes nothing."""
    costs, processes = {"a": Cost(4.0, 1.0), "b": Cost(8.0, 2.0)}, {"a": 2, "b": 1}
    usual = repetitions(costs, processes, 12.0)
    assert repetitions(costs, processes, 12.0, 0.05) == usual
    restless = repetitions(costs, processes, 12.0, 0.2)
    assert restless == {"a": 9, "b": 9} and repetitions(costs, processes, 1e9, 0.2) == {"a": 10, "b": 10}


@pytest.mark.parametrize(("epochs", "turns"), itertools.combinations_with_replacement(range(1, 9), 2))
def test_turns_are_spread_evenly(epochs: int, turns: int) -> None:
    """Each program gets its number, with gaps that differ by one at most."""
    taken = [turn for turn in range(turns) if takes_part(turn, epochs, turns)]
    assert len(taken) == epochs and taken[-1] == turns - 1
    gaps = {later - earlier for earlier, later in itertools.pairwise(taken)}
    assert len(gaps) < 2 or max(gaps) - min(gaps) == 1

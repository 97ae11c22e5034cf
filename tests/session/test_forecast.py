"""How long a run will still take."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from synthetic import WORKLOAD, result

from bench.data import tutorials
from bench.session.blocks import forecast
from bench.session.blocks.forecast import Forecast
from bench.session.plan import Plan
from bench.store.records.cell import Cell
from impls import registry

NAMES = ("matched-pytorch", "matched-keras", "documented-pytorch", "documented-keras")


def default_plan() -> Plan:
    """What the README's command measures."""
    entries = [entry for entry in registry.BUILT_IN if entry.name in NAMES]
    return Plan([tutorials.networks()[tutorials.headline()]], entries, ["cpu"], [1], 4, 2, 1, "d", repeated_s=20.0)


def took(cell: Cell, seconds: float) -> object:
    """The result of a cell whose process took so many seconds."""
    made = result(cell.implementation)
    return replace(made, cell=cell, phases=replace(made.phases, process_s=seconds))


def run(cells: Sequence[Cell], seconds: dict[str, float], verification_s: float) -> list[tuple[float, float]]:
    """The share that is done, and the estimate over the truth, before each cell and each verification."""
    expected = Forecast(cells, (), 20.0, verifications=len(NAMES))
    steps = [verification_s] * len(NAMES) + [seconds[cell.implementation] for cell in cells]
    total, done, seen = sum(steps) + forecast.REPORT_S, 0.0, []
    for position, step in enumerate(steps):
        seen.append((done / total, expected.seconds_left() / (total - done)))
        done += step
        if position < len(NAMES):
            expected.verified(step)
        else:
            expected.add(took(cells[position - len(NAMES)], step))  # type: ignore[arg-type]
    assert expected.seconds_left() == pytest.approx(forecast.REPORT_S)
    return seen


@pytest.mark.parametrize("speed", [0.3, 1.0, 3.0], ids="machine is {} times as slow".format)
def test_a_quarter_of_the_way_it_is_within_a_third(speed: float) -> None:
    """Also at half and at three quarters, on a machine that nobody has measured before; with some noise."""
    noise = random.Random(7)
    seconds = {"matched-pytorch": 12.0, "matched-keras": 22.0, "documented-pytorch": 40.0, "documented-keras": 24.0}
    seconds = {name: speed * value * noise.uniform(0.9, 1.1) for name, value in seconds.items()}
    seen = run(default_plan().cells(), seconds, 12.0 * speed)
    for share in (0.25, 0.5, 0.75):
        _, factor = min(seen, key=lambda one: abs(one[0] - share))
        assert 1 / 1.34 < factor < 1.34


def test_a_kind_takes_what_it_took() -> None:
    """A control is like the program that it repeats; what has not run yet is as much off as the others were."""
    quick, slow, new = (result(name).cell for name in ("matched-quick", "matched-slow", "matched-new"))
    cells = [replace(cell, block=block) for cell in (quick, slow, new) for block in (1, 2)]
    expected = Forecast(cells, (), 0.0)
    before = expected.seconds_left()
    guess = forecast.guesses(cells, 0.0)[forecast.kind(new)]
    expected.add(took(cells[0], 2 * guess))  # type: ignore[arg-type]
    expected.add(took(cells[2], 4 * guess))  # type: ignore[arg-type]
    assert before == pytest.approx(6 * guess + forecast.REPORT_S)
    assert expected.seconds_left() == pytest.approx((2 + 4 + 2 * 3) * guess + forecast.REPORT_S)
    expected.again(cells[:1])
    assert expected.seconds_left() == pytest.approx((2 + 4 + 2 * 3 + 2) * guess + forecast.REPORT_S)
    assert forecast.kind(replace(quick, role="control")) == forecast.kind(quick)


def test_what_is_kept_takes_no_time() -> None:
    """Only what is missing counts; extras count where they were asked for."""
    cell = result().cell
    assert Forecast([cell], {cell.key}, 20.0).seconds_left() == forecast.REPORT_S
    assert Forecast([cell], {cell.key}, 20.0, extras=True).seconds_left() == forecast.REPORT_S + forecast.EXTRAS_S


def test_what_trains_no_epochs_is_not_guessed_by_them() -> None:
    """A floor or a sweep takes as long whatever the number of epochs."""
    for role in forecast.ROUGHLY_S:
        cell = result("floor-numpy", role=role, workload=WORKLOAD).cell
        few, many = (forecast.guesses([replace(cell, epochs=epochs)], 20.0) for epochs in (1, 100))
        assert few == many == {forecast.kind(cell): forecast.ROUGHLY_S[role]}

"""docs/method.md: that its figures are those that are stored, and that they can be had again."""

import sys
from pathlib import Path

import noise_models
import numpy as np
import pytest
import simulate
from scipy import stats

METHOD = Path(__file__).parent / "method"
sys.path.insert(0, str(METHOD))


def test_the_page_shows_what_is_stored() -> None:
    """Every table of the page is made from results/method, and none is missing."""
    page = simulate.PAGE.read_text(encoding="utf-8")
    made = simulate.tables(simulate.read())
    assert all(f"<!-- {name} -->" in page for name in made)
    assert simulate.filled(page, made) == page


def test_what_is_stored_keeps_what_is_promised() -> None:
    """With five blocks or more: the interval covers 93 % at least, equal programs are called different in 5 % at most."""
    found = simulate.read()
    chosen = found["intervals"][found["intervals"]["method"] == next(iter(simulate.PAIRED))]
    assert chosen.loc[chosen["blocks"] >= 5, "coverage"].min() >= 0.94
    equal = found["verdicts"][(found["verdicts"]["ratio"] == 1) & (found["verdicts"]["blocks"] >= 5)]
    assert (equal["slower"] + equal["faster"]).max() <= 0.05
    many = found["families"][found["families"]["blocks"] >= 5]
    assert many["holm"].max() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / many["sessions"].min())
    assert any(name.startswith("recorded") for name in chosen["machine"])


@pytest.mark.parametrize("machine", ["heavy tails", "slow periods"])
def test_the_figures_can_be_had_again(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A smaller simulation agrees with the stored one within what chance allows both."""
    monkeypatch.setattr(simulate, "machines", lambda: {machine: noise_models.machines()[machine]})
    monkeypatch.setattr(simulate, "BLOCKS", (5,))
    sessions = 2000
    stored = simulate.read()["intervals"]
    for _, row in simulate.intervals(sessions).iterrows():
        same = stored[(stored["machine"] == machine) & (stored["blocks"] == 5) & (stored["method"] == row["method"])]
        expected = float(same["coverage"].item())
        error = np.sqrt(max(expected * (1 - expected), 1e-4) * (1 / sessions + 1 / same["sessions"].item()))
        assert abs(row["coverage"] - expected) < 4 * error + 1e-4


def test_the_other_methods_are_what_they_are_called() -> None:
    """Signed ranks and Welch against SciPy's own."""
    random = np.random.default_rng(1)
    a, b = random.normal(size=(2, 4, 10))
    low, high = simulate.welch(a, b)
    for i in range(4):
        expected = stats.ttest_ind(a[i], b[i], equal_var=False).confidence_interval(0.95)
        assert (low[i], high[i]) == pytest.approx((expected.low, expected.high))
    low, high = simulate.signed_ranks(a)
    for i in range(4):
        for end, inwards in ((low[i], 1e-9), (high[i], -1e-9)):
            assert stats.wilcoxon(a[i] - (end + inwards)).pvalue > 0.05 >= stats.wilcoxon(a[i] - (end - inwards)).pvalue
    assert np.isinf(simulate.signed_ranks(a[:, :5])[1]).all()


def test_slow_periods_are_shared_by_neighbours() -> None:
    """A fifth of the cells, and mostly the same as the cell before."""
    found = noise_models.slow_periods(np.random.default_rng(2), 400, 100) > np.log(1.15)
    assert found.mean() == pytest.approx(0.2, abs=0.03)
    assert (found[:, 1:] == found[:, :-1]).mean() > 0.85

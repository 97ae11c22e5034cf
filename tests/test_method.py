"""docs/method.md: that its figures are those that are stored, and that they can be had again."""

import math
import sys
from pathlib import Path

import attestation
import envelope
import estimators
import noise_models
import numpy as np
import pandas as pd
import pytest
import simulate
from scipy import stats

from bench import statistics
from bench.report import attestation as report_attestation

METHOD = Path(__file__).parent / "method"
sys.path.insert(0, str(METHOD))


def test_the_page_shows_what_is_stored() -> None:
    """Every table of the page is made from results/method, and none is missing."""
    page, stored = simulate.PAGE.read_text(encoding="utf-8"), simulate.read()
    made = simulate.tables(stored) | estimators.tables(stored["estimators"])
    assert all(f"<!-- {name} -->" in page for name in made)
    assert simulate.filled(page, made) == page


def test_what_is_stored_keeps_what_is_promised() -> None:
    """The interval covers 93 % at least, with four blocks of a recorded machine 97 % at most; errors are 5 % at most."""
    found = simulate.read()
    chosen = found["intervals"][found["intervals"]["method"] == next(iter(simulate.PAIRED))]
    assert chosen["coverage"].min() >= 0.93
    real = chosen[chosen["machine"].str.startswith("recorded") & (chosen["blocks"] == 4)]
    assert len(real) == 3 and real["coverage"].max() <= 0.97
    equal = found["verdicts"][found["verdicts"]["ratio"] == 1]
    assert (equal["slower"] + equal["faster"]).max() <= 0.05
    many = found["families"]
    assert many["verdicts"].max() <= 0.05 and (many["questions"] == 8).all()
    assert many["holm"].max() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / many["sessions"].min())
    assert many["uncorrected"].min() > many["holm"].max()


def test_turns_are_worth_something_where_a_machine_changes() -> None:
    """Narrower intervals on what was recorded of live processes, and where a machine drifts or has slow periods."""
    found = (
        simulate.read()["intervals"].query("blocks == 4").pivot(index="machine", columns="method", values="half_width")
    )
    turns, alone = found[next(iter(simulate.PAIRED))], found[simulate.NO_TURNS]
    changing = [name for name in found.index if name.startswith("recorded") or name in ("drift", "slow periods")]
    assert len(changing) == 5 and (turns[changing] < 0.95 * alone[changing]).all()


@pytest.mark.parametrize("machine", ["heavy tails", "slow periods", "recorded: turns, CPU"])
def test_the_figures_can_be_had_again(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A smaller simulation agrees with the stored one within what chance allows both."""
    monkeypatch.setattr(simulate, "machines", lambda: {machine: noise_models.machines()[machine]})
    monkeypatch.setattr(simulate, "BLOCKS", (4,))
    sessions = 2000
    stored = simulate.read()["intervals"]
    for _, row in simulate.intervals(sessions).iterrows():
        same = stored[(stored["machine"] == machine) & (stored["blocks"] == 4) & (stored["method"] == row["method"])]
        expected = float(same["coverage"].item())
        error = np.sqrt(max(expected * (1 - expected), 1e-4) * (1 / sessions + 1 / same["sessions"].item()))
        assert abs(row["coverage"] - expected) < 4 * error + 1e-4


def test_wrong_answers_can_be_had_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """How often at least one of all questions is answered wrongly, on a recorded machine."""
    name = "recorded: turns, GPU"
    monkeypatch.setattr(simulate, "machines", lambda: {name: noise_models.machines()[name]})
    monkeypatch.setattr(simulate, "BLOCKS", (4,))
    stored = simulate.read()["families"].query("machine == @name and blocks == 4")
    (row,) = simulate.families(400).to_dict("records")
    for rule in ("uncorrected", "holm", "verdicts"):
        expected = float(stored[rule].item())
        assert abs(row[rule] - expected) < 4 * np.sqrt(expected * (1 - expected) * (1 / 400 + 1 / 5000)) + 1e-4


def test_estimators_are_compared_again() -> None:
    """Nothing of it is drawn: the stored table is what the recordings give."""
    pd.testing.assert_frame_equal(estimators.estimators().round(4), simulate.read()["estimators"], atol=1.1e-4)


def test_the_chosen_estimator_varies_least_between_a_program_and_itself() -> None:
    """On either device; by more than a tenth less than the median does."""
    shown = simulate.read()["estimators"].query("rounds == 4 or (rounds == 8 and device == 'cpu')")
    control = shown.pivot(index=["device", "rounds"], columns="estimator", values="control")
    chosen = control[next(iter(estimators.CANDIDATES))]
    assert len(chosen) == 3 and (control.min(axis=1) >= chosen).all() and (chosen < 0.9 * control["median"]).all()


def test_the_chosen_estimator_is_the_one_in_use() -> None:
    """What was compared is what a process's value is."""
    chosen = estimators.CANDIDATES[next(iter(estimators.CANDIDATES))]
    seconds = np.random.default_rng(1).lognormal(0, 0.4, 9)
    assert math.exp(chosen(np.log(seconds))) == pytest.approx(statistics.process_value(seconds))


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
    """A fifth of the epochs, and mostly the same as the epoch before."""
    found = noise_models.slow_periods(np.random.default_rng(2), (400, 10, 30)).reshape(400, 300) > np.log(1.15)
    assert found.mean() == pytest.approx(0.2, abs=0.03)
    assert (found[:, 1:] == found[:, :-1]).mean() > 0.95


def test_turns_give_each_program_one_epoch_of_every_round() -> None:
    """A trend through the block is out of the difference but for one round's worth of it; without turns it is not."""
    steps = noise_models.Machine(
        noise_models.normal(0.0), lambda _, shape: np.broadcast_to(np.arange(float(shape[2])), shape).copy()
    )
    inside, apart = (
        np.ptp(simulate.session(steps, np.random.default_rng(4), 50, 3, turns=turns), axis=2) for turns in (True, False)
    )
    assert inside.max() <= simulate.MATCHED - 1 and apart.min() >= simulate.ROUNDS


def test_the_envelope_in_use_is_the_one_that_was_measured() -> None:
    """The copy that is installed is the stored one, and each limit follows from the differences that were seen."""
    assert report_attestation.ENVELOPE.read_bytes() == envelope.FILE.read_bytes()
    found = pd.read_csv(envelope.FILE, keep_default_na=False, na_values=[""])
    losses = found[~found["quantity"].str.startswith("predict")]
    assert (
        losses["limit"] >= 0.999 * np.maximum(envelope.RMS * losses["rms"], envelope.LARGEST * losses["largest"])
    ).all()
    predicting = found[found["quantity"].str.startswith("predict")]
    assert np.allclose(predicting["limit"], envelope.LARGEST * predicting["largest"], rtol=1e-3)
    assert (predicting["limit"] > 1.5).tolist() == [True, False]  # a factor of 1.5 is noise


def test_what_attests_the_timed_work_can_be_had_again() -> None:
    """The page shows the stored shares, and the functions that judge give the same again."""
    stored = pd.read_csv(attestation.FILE)
    page, made = simulate.PAGE.read_text(encoding="utf-8"), attestation.tables(stored)
    assert all(f"<!-- {name} -->" in page for name in made)
    assert simulate.filled(page, made) == page
    template = next(one for _, one in envelope.stored() if one.cell.workload.name == attestation.NETWORK)
    trainings = pd.read_csv(envelope.TRAININGS)
    again = [*attestation.of_gate(pd.read_csv(attestation.WHOLE)), *attestation.of_losses(trainings, template)]
    frame = pd.DataFrame(again, columns=attestation.COLUMNS).round(4)
    pd.testing.assert_frame_equal(frame, stored.head(len(frame)))


def test_what_the_page_says_of_correct_programs_is_stored() -> None:
    """None is refused; how many there are, and how far rounding goes in two whole epochs, stands in the text."""
    page, stored = simulate.PAGE.read_text(encoding="utf-8"), pd.read_csv(attestation.FILE)
    correct = stored[stored["mistake"] == attestation.NOTHING]
    assert (correct["found"] == 0).all()
    given, own = (
        correct.loc[correct["net"] == f"losses, {kind} order, left out", "trials"].item() for kind in ("given", "own")
    )
    text = " ".join(page.split())
    assert f"none of the {given} that take the order and none of the {own} that do not was refused" in text
    whole = pd.read_csv(attestation.WHOLE)
    rounding = whole[(whole["of"] == "rounding") & whole["check"].str.endswith("in float64")]
    assert rounding["workload"].nunique() == 8 and rounding["passed"].all()
    assert f"{rounding['figure'].max():.1e}" in page
    assert whole.loc[whole["of"] == "programs", "passed"].all()

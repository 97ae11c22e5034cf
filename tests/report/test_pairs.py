"""Every pair with its verdict, the control, the break-even epoch: on sessions made by hand whose truth is known."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic import OTHER_WORKLOAD, clear, result, runs, session

from bench.report import pairs as report_pairs
from bench.report import runs as report_runs
from bench.report.chapters import cost
from bench.statistics import Verdict, paired_ratio
from bench.store.records.cell import Phases
from bench.store.records.training import TrainingResult


def compared(frame: pd.DataFrame, quantity: str = "epoch_s") -> pd.DataFrame:
    """The pairs of one quantity."""
    table = report_pairs.in_words(report_pairs.comparison(frame))
    return table[table["compared"] == quantity]


@pytest.mark.parametrize(
    ("verdict", "compared", "words"),
    [
        (Verdict.SMALLER, "epoch_s", "faster"),
        (Verdict.GREATER, "epoch_s", "slower"),
        (Verdict.SMALLER, "process_peak_bytes", "less"),
        (Verdict.GREATER, "process_peak_bytes", "more"),
        (Verdict.SMALLER, "accuracy", "lower"),
        (Verdict.GREATER, "accuracy", "higher"),
        (Verdict.EQUIVALENT, "epoch_s", "equivalent"),
        (Verdict.EQUIVALENT, "accuracy", "equivalent"),
        (Verdict.INCONCLUSIVE, "epoch_s", "inconclusive"),
        (Verdict.TOO_FEW, "epoch_s", "too few blocks"),
        (Verdict.UNFIT, "accuracy", "unfit session"),
        (Verdict.EXPLORATORY, "epoch_s", "exploratory"),
    ],
)
def test_each_quantity_has_its_words_for_a_verdict(verdict: Verdict, compared: str, words: str) -> None:
    """As comparison.csv has them; equivalence says within what."""
    assert report_pairs.verdict_words(verdict, compared) == words


def test_the_control_is_compared_with_what_it_repeats() -> None:
    """Block by block; it gives the session's delta and whether it is fit at all."""
    measured, control = [1.00, 1.10, 1.20], [1.05, 1.06, 1.26]
    (row,) = report_pairs.control(runs(session({"matched-pytorch": measured}, control))).to_dict("records")
    expected = paired_ratio(control, measured)
    assert (row["low"], row["estimate"], row["high"]) == (expected.low, expected.estimate, expected.high)
    assert row["implementation"] == "matched-pytorch"
    assert row["delta"] == pytest.approx(expected.half_width) and row["delta"] > 0.02
    assert row["fit"]


def test_a_session_whose_control_differs_from_itself_is_unfit() -> None:
    """Then no verdict is given on any pair."""
    times = {"matched-pytorch": [1.0, 1.1, 1.2], "matched-keras": [2.0, 2.2, 2.4]}
    frame = runs(session(times, control=[1.5, 1.65, 1.81]))
    assert not report_pairs.control(frame)["fit"].any()
    assert set(compared(frame)["verdict"]) == {"unfit session"}


def test_the_worst_of_two_controls_counts() -> None:
    """Two runs into one directory may have had two references: the larger delta holds, and both must be fit."""
    times = {"matched-pytorch": [1.00, 1.10, 1.20], "documented-keras": [2.0, 2.2, 2.4]}
    noisy, off = [1.94, 2.2, 2.47], [3.0, 3.3, 3.6001]
    for second, fit, larger in ((noisy, True, 0.02), (off, False, 0.0)):
        results = session(times, control=[1.001, 1.099, 1.201])
        results += [result("documented-keras", block, s, role="control") for block, s in enumerate(second, start=1)]
        frame = runs(results)
        controls = report_pairs.control(frame)
        assert len(controls) == 2 and controls["fit"].all() == fit
        (row,) = compared(frame).to_dict("records")
        assert row["delta"] == controls["delta"].max() >= controls["delta"].min() + larger
        assert (row["verdict"] == "unfit session") is not fit


def test_every_pair_is_compared_over_its_blocks() -> None:
    """The slower one stands first, with the ratio, the interval, the delta and the verdict on it."""
    keras, pytorch = [2.0, 2.3, 2.2], [1.0, 1.1, 1.2]
    frame = runs(session({"matched-pytorch": pytorch, "matched-keras": keras}, control=[1.0, 1.1, 1.2001]))
    (row,) = compared(frame).to_dict("records")
    expected = paired_ratio(keras, pytorch)
    assert (row["a"], row["b"]) == ("matched-keras", "matched-pytorch")
    assert (row["low"], row["estimate"], row["high"]) == (expected.low, expected.estimate, expected.high)
    assert (row["delta"], row["verdict"]) == (0.02, "slower")


def test_three_implementations_make_three_pairs() -> None:
    """Each pair once; one that failed the gate is in none."""
    frame = runs(clear(), "documented-pytorch")
    pairs = {tuple(pair) for pair in compared(frame)[["a", "b"]].to_numpy()}
    assert pairs == {
        ("matched-keras", "documented-keras"),
        ("matched-keras", "matched-pytorch"),
        ("documented-keras", "matched-pytorch"),
    }


def test_only_blocks_that_both_finished_count() -> None:
    """A block in which one of the two failed says nothing about the pair."""
    results = session({"matched-pytorch": [1.0, 1.1, 1.2], "matched-keras": [2.0, 2.3, 2.2]})
    results[4] = result("matched-keras", 2, status="failed")
    (row,) = compared(runs(results)).to_dict("records")
    assert row["estimate"] == paired_ratio([2.0, 2.2], [1.0, 1.2]).estimate


def test_two_that_share_no_block_are_not_compared() -> None:
    """There is no ratio to be had."""
    assert compared(runs([result(block=1), result("matched-keras", block=2)])).empty


def test_a_delta_from_a_noisy_control_makes_verdicts_more_careful() -> None:
    """What the machine shows between a thing and itself is not called a difference."""
    times = {"matched-pytorch": [1.00, 1.00, 1.00], "matched-keras": [1.05, 1.05, 1.0501]}
    quiet, noisy = [1.0, 1.0, 1.0001], [0.97, 1.0, 1.03]
    said = [compared(runs(session(times, control)))["verdict"].item() for control in (quiet, noisy)]
    assert said[0] == "slower"
    assert said[1] == "equivalent"


def test_many_pairs_are_corrected_for() -> None:
    """A difference that is sure enough alone is not where it is one of many: it may be there by chance."""
    a, b = [1.00, 1.00, 1.00, 1.00], [1.05, 1.12, 1.06, 1.15]
    alone = compared(runs(session({"matched-pytorch": a, "matched-keras": b})))
    assert list(alone["verdict"]) == ["slower"] and 0.005 < alone["p"].item() < 0.05
    results = session({"matched-pytorch": a, "matched-keras": b})
    for i in range(4):
        equal = {"matched-pytorch": [1.0, 1.2, 1.0, 0.9], "matched-keras": [1.0, 1.0, 1.1, 1.0]}
        results += session(equal, workload=replace(OTHER_WORKLOAD, name=f"n{i}"))
    many = compared(report_runs.runs_frame(results, []))
    row = many[many["workload"] == "mlp-128-64"].iloc[0]
    assert row["p"] == alone["p"].item() and row["p_holm"] > 0.05 and row["verdict"] == "inconclusive"
    assert (many["p_holm"] >= many["p"]).all()


def test_pairs_of_other_networks_count_too() -> None:
    """The page is read as a whole: its pairs are corrected together, whatever their network."""
    one = session({"matched-pytorch": [1.0, 1.0, 1.0], "matched-keras": [1.05, 1.12, 1.08]})
    other = session({"matched-pytorch": [1.0, 1.2, 1.0], "matched-keras": [1.0, 1.0, 1.1]}, workload=OTHER_WORKLOAD)
    alone, both = compared(report_runs.runs_frame(one, [])), compared(report_runs.runs_frame([*one, *other], []))
    assert both["p_holm"].iloc[0] == pytest.approx(2 * alone["p_holm"].iloc[0])


def test_pairs_that_nobody_asked_about_are_exploratory() -> None:
    """An interval and a p value of their own; no verdict, however clear they are, and no corrected p value."""
    table = compared(runs(clear()))
    tiers = table[["a", "b"]].map(lambda name: name.partition("-")[0])
    within = tiers["a"] == tiers["b"]
    assert within.sum() == 2 and list(table["question"]) == ["primary" if one else "exploratory" for one in within]
    assert set(table.loc[~within, "verdict"]) == {"exploratory"} and set(table.loc[within, "verdict"]) == {"slower"}
    assert table.loc[~within, "p_holm"].isna().all() and table[["low", "high", "p"]].notna().all(axis=None)
    assert table.loc[~within, "low"].min() > 1


def test_pairs_that_nobody_asked_about_do_not_count() -> None:
    """Another tier adds one question, and not the four pairs across."""
    found = session({"matched-pytorch": [1.0, 1.0, 1.0], "matched-keras": [1.05, 1.12, 1.08]})
    more = session({"documented-pytorch": [9.0, 9.1, 9.0], "documented-keras": [9.1, 9.0, 8.9]})
    alone, both = compared(runs(found)), compared(runs([*found, *more]))
    row = both[(both["a"] == "matched-keras") & (both["b"] == "matched-pytorch")]
    assert len(both) == 6 and alone["p_holm"].item() == alone["p"].item()
    assert row["p_holm"].item() == pytest.approx(2 * alone["p"].item())


def test_questions_that_are_not_measured_yet_count() -> None:
    """What is answered after the first stage is corrected for all that the run will ask."""
    frame = runs(session({"matched-pytorch": [1.0, 1.0, 1.0], "matched-keras": [1.05, 1.12, 1.08]}))
    now, planned = report_pairs.comparison(frame), report_pairs.comparison(frame, questions=8)
    assert list(planned["p_holm"]) == pytest.approx([min(1.0, 8 * p) for p in now["p"]])


def test_a_plugin_is_asked_about_beside_what_the_control_repeats() -> None:
    """Beside the other programs it is exploratory."""
    times = {"matched-pytorch": [1.0, 1.01, 1.02], "matched-keras": [2.0, 2.1, 2.2], "mine": [0.5, 0.51, 0.5]}
    table = compared(runs(session(times, [1.0, 1.01, 1.0201]))).set_index(["a", "b"])
    assert table["question"].to_dict() == {
        ("matched-keras", "matched-pytorch"): "primary", ("matched-pytorch", "mine"): "primary",
        ("matched-keras", "mine"): "exploratory",
    }  # fmt: skip


def test_one_control_of_many_may_miss_1_by_chance() -> None:
    """A session with many groups is unfit where a control differs from itself beyond what their number explains."""
    workloads = [replace(OTHER_WORKLOAD, name=f"n{i}") for i in range(8)]
    results: list[TrainingResult] = []
    for i, workload in enumerate(workloads):
        control = [1.03, 1.12, 1.02, 1.10] if i == 0 else [1.0, 1.1, 0.9, 1.05]
        results += session({"matched-pytorch": [1.0, 1.01, 0.99, 1.0]}, control, workload=workload)
    table = report_pairs.control(report_runs.runs_frame(results, []))
    first = table.iloc[0]
    assert first["low"] > 1 and first["p"] < 0.05 and table["fit"].all()
    assert not report_pairs.control(report_runs.runs_frame(results[:8], []))["fit"].any()


def test_an_unfit_control_takes_the_verdicts_of_all_networks() -> None:
    """The session is unfit everywhere: what disturbed one network was there for the others too."""
    bad = session({"matched-pytorch": [1.0, 1.1, 1.2], "matched-keras": [2.0, 2.2, 2.4]}, [1.5, 1.65, 1.8001])
    good = session(
        {"matched-pytorch": [1.0, 1.1, 1.2], "matched-keras": [2.0, 2.2, 2.41]},
        [1.0, 1.1, 1.2001],
        workload=OTHER_WORKLOAD,
    )
    assert set(report_pairs.comparison(report_runs.runs_frame([*bad, *good], []))["verdict"]) == {Verdict.UNFIT}


def with_memory(found: Sequence[TrainingResult], sizes: Sequence[int]) -> list[TrainingResult]:
    """The results with these peaks, one after the other."""
    return [replace(one, readings={"process_peak_bytes": size}) for one, size in zip(found, sizes, strict=True)]


def test_memory_is_compared_like_time() -> None:
    """A ratio over blocks; "more" and "less" in place of slower and faster."""
    found = session({"matched-pytorch": [1.0, 1.0, 1.0], "matched-keras": [1.0, 1.0, 1.0]})
    (row,) = compared(runs(with_memory(found, [100, 101, 100, 160, 161, 160])), "process_peak_bytes").to_dict("records")
    assert (row["a"], row["verdict"]) == ("matched-keras", "more")
    assert row["estimate"] == pytest.approx(1.6, rel=0.01)


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [
        ([0.040, 0.041, 0.039, 0.040], "higher"),
        ([0.030, 0.0301, 0.0299, 0.030], "equivalent"),
        ([0.030, 0.050, 0.028, 0.031], "inconclusive"),
        ([0.0315, 0.0316, 0.0314, 0.0315], "equivalent"),  # sure to differ, by less than matters
    ],
)
def test_accuracies_are_compared_by_difference_over_seeds(errors: list[float], verdict: str) -> None:
    """In points, with an interval over blocks, each of which has another seed."""
    found = session({"matched-keras": [1.0] * 4}, accuracy=0.97, data="harder")  # else no correct program is so far off
    found += [
        result("matched-pytorch", block, accuracy=1 - error, data="harder")
        for block, error in enumerate(errors, start=1)
    ]
    (row,) = compared(runs(found), "accuracy").to_dict("records")
    flipped = row["a"] == "matched-pytorch"
    assert row["estimate"] == pytest.approx((1 if flipped else -1) * (0.03 - np.mean(errors)), abs=1e-9)
    assert row["verdict"] == verdict


def test_an_accuracy_of_nothing_is_no_obstacle() -> None:
    """It has a difference, where a ratio would have none."""
    found = session({"matched-pytorch": [1.0, 1.0], "matched-keras": [2.0, 2.0]}, [1.0, 1.0], accuracy=0.0, epochs=1)
    assert list(compared(runs(found), "accuracy")["estimate"]) == [0.0]


def cold(name: str, block: int, start_s: float, epoch_s: float) -> TrainingResult:
    """A process that needs ``start_s`` until the end of its first epoch and ``epoch_s`` for each that follows."""
    found = result(name, block, epoch_s)
    epochs = (found.epochs[0], replace(found.epochs[1], train_s=start_s - 1.0), *found.epochs[2:])
    return replace(found, phases=Phases(0.5, 0.25, 0.25, 10.0), epochs=epochs)


def test_break_even_is_the_epoch_after_which_the_later_starter_is_ahead() -> None:
    """14 s late, 2 s less for each epoch: level after 8 epochs, the first of which is the start."""
    found = [cold("matched-pytorch", b, 6.0, 5.0) for b in (1, 2)] + [cold("tuned-jax", b, 20.0, 3.0) for b in (1, 2)]
    (row,) = cost.break_even_frame(runs(found)).to_dict("records")
    assert (row["starts_first"], row["faster_later"]) == ("matched-pytorch", "tuned-jax")
    assert (row["ahead_s"], row["gain_s"], row["epoch"]) == (14.0, 2.0, 8.0)
    at = [6.0 + 5.0 * (row["epoch"] - 1), 20.0 + 3.0 * (row["epoch"] - 1)]
    assert at[1] <= at[0]


def test_break_even_may_never_come_in_a_block() -> None:
    """Its range is over blocks; where the one that is faster on the whole was slower, it is never ahead."""
    found = [cold("matched-pytorch", b, 6.0, s) for b, s in ((1, 5.0), (2, 5.0), (3, 2.0))]
    found += [cold("tuned-jax", b, 20.0, 3.0) for b in (1, 2, 3)]
    (row,) = cost.break_even_frame(runs(found)).to_dict("records")
    gain_s = stats.gmean([5.0, 5.0, 2.0]) - 3.0
    assert (row["epoch_low"], row["epoch"], row["epoch_high"]) == (8.0, math.ceil(1 + 14.0 / gain_s), math.inf)


@pytest.mark.parametrize(("start_s", "epoch_s"), [(20.0, 5.0), (20.0, 6.0), (4.0, 4.0)])
def test_who_never_overtakes_has_no_break_even(start_s: float, epoch_s: float) -> None:
    """Later and not faster, or ahead from the start: there is nothing to wait for."""
    found = [cold("matched-pytorch", 1, 6.0, 5.0), cold("tuned-jax", 1, start_s, epoch_s)]
    assert cost.break_even_frame(runs(found)).empty


@pytest.fixture
def times_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory and accuracy are not compared, where many sessions are simulated for their times."""
    monkeypatch.setattr(report_pairs, "WORDS", {"epoch_s": report_pairs.WORDS["epoch_s"]})


def outcomes(truth: float, noise: Any, sessions: int = 100) -> list[str]:
    """The verdicts on sessions of two programs and a control, five blocks each; rows are made for all at once."""
    found = []
    for seed in range(sessions):
        times = np.exp(noise(np.random.default_rng(seed), 15)).reshape(5, 3)
        measured = {"matched-pytorch": times[:, 0], "matched-keras": times[:, 1] * truth}
        found += session(measured, times[:, 2], workload=replace(OTHER_WORKLOAD, name=f"session-{seed}"))
    of_each = runs(found).groupby("workload", sort=False)
    return [word for _, frame in of_each for word in compared(frame)["verdict"]]


@pytest.mark.parametrize(
    "noise",
    [
        lambda random, n: random.normal(0, 0.02, n),
        lambda random, n: np.linspace(0, 0.3, n) + random.normal(0, 0.005, n),
        lambda random, n: random.normal(0, 0.01, n) + (random.random(n) < 0.1) * 0.4,
    ],
    ids=["normal", "drift", "outliers"],
)
def test_equal_programs_are_told_apart_no_more_often_than_stated(noise: Any, times_alone: None) -> None:
    """From records to verdicts, through noise, drift and outliers: at most one session in twenty."""
    said = outcomes(1.0, noise)
    assert sum(word in ("faster", "slower") for word in said) / len(said) <= 0.05


def test_a_planted_difference_of_5_percent_is_found(times_alone: None) -> None:
    """Through noise of 1 %, in nearly every session that is fit, and never the wrong way round."""
    said = [word for word in outcomes(1.05, lambda random, n: random.normal(0, 0.01, n)) if word != "unfit session"]
    assert said.count("slower") / len(said) >= 0.8 and "faster" not in said


def test_missing_blocks_and_failed_cells_leave_a_verdict() -> None:
    """What is left decides; the control misses blocks too."""
    found = clear()
    gone = [one for one in found if (one.cell.implementation, one.cell.block) != ("matched-keras", 2)]
    gone[0] = result("matched-pytorch", 1, status="failed")
    table = compared(report_runs.runs_frame(gone, []))
    row = table[(table["a"] == "matched-keras") & (table["b"] == "matched-pytorch")].iloc[0]
    assert (row["blocks"], row["verdict"]) == (1, "too few blocks")
    assert len(table) == 6

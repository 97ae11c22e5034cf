"""Paired ratios against SciPy's own interval, and verdicts against simulated sessions whose truth is known."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.statistics import (
    LARGEST_DELTA,
    SMALLEST_DELTA,
    ClaimVerdict,
    Difference,
    Ratio,
    Verdict,
    claim_verdict,
    delta,
    holm,
    p_value,
    paired_difference,
    paired_ratio,
    process_value,
    program_value,
    value_of,
    verdict,
)

SESSIONS = 1000
"""Simulated sessions; what they are counted for is many standard errors away from the limit that is asserted."""


@pytest.mark.parametrize("blocks", [2, 3, 5, 30])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_the_interval_is_students_on_the_logarithms(blocks: int, confidence: float) -> None:
    """The same figures as SciPy's one-sample t-test gives, taken back from the log scale."""
    random = np.random.default_rng(blocks)
    a, b = random.lognormal(1.0, 0.3, (2, blocks))
    expected = stats.ttest_1samp(np.log(a / b), 0).confidence_interval(confidence)
    found = paired_ratio(list(a), list(b), confidence)
    assert found.estimate == pytest.approx(stats.gmean(a / b), rel=1e-12)
    assert found.low == pytest.approx(np.exp(expected.low), rel=1e-9)
    assert found.high == pytest.approx(np.exp(expected.high), rel=1e-9)


def test_arrays_and_series_will_do() -> None:
    """As lists, NumPy arrays and columns of a frame the same times give the same ratio; so do differences."""
    a, b = [1.3, 1.2, 1.5], [1.0, 1.1, 0.9]
    for given in (np.array, pd.Series):
        assert paired_ratio(given(a), given(b)) == paired_ratio(a, b)
        assert paired_difference(given(a), given(b)) == paired_difference(a, b)
        with pytest.raises(ValueError, match="expected as many"):
            paired_ratio(given([]), given([]))


def test_a_process_and_a_program_have_the_geometric_mean() -> None:
    """Of steady epochs, and of processes; what was not measured does not count, and nothing gives no number."""
    assert process_value([1.0, 9.0, 2.0]) == pytest.approx(stats.gmean([1.0, 9.0, 2.0]))
    assert program_value([1.0, None, math.nan, 4.0]) == pytest.approx(2.0)
    assert math.isnan(process_value([])) and math.isnan(program_value([None]))
    assert program_value([0.0, 4.0]) == 0.0


def test_what_does_not_vary_is_its_own_mean() -> None:
    """To the last digit, so that a count of bytes stays one."""
    assert program_value([760_000_001.0] * 7) == 760_000_001.0


def test_an_accuracy_has_the_arithmetic_mean() -> None:
    """Of accuracies differences are taken; of all else ratios."""
    assert value_of("accuracy", [0.5, None, 1.0]) == 0.75
    assert value_of("epoch_s", [0.5, None, 2.0]) == pytest.approx(1.0)
    assert math.isnan(value_of("accuracy", []))


def test_values_of_complete_blocks_divide_to_the_paired_ratio() -> None:
    """Whatever the times are: the ratio of two programs' values is the estimate."""
    a, b = np.random.default_rng(3).lognormal(0, 0.5, (2, 7))
    assert program_value(a) / program_value(b) == pytest.approx(paired_ratio(a, b).estimate, rel=1e-12)


@pytest.mark.parametrize(
    ("low", "estimate", "high", "expected"),
    [
        (0.95, 1.0, 1.05, ClaimVerdict.CONFIRMED),
        (0.9, 1.0, 1.1, ClaimVerdict.CONFIRMED),  # equality at both ends counts as within
        (0.85, 1.0, 1.1, ClaimVerdict.UNDECIDED),
        (0.5, 0.6, 0.89, ClaimVerdict.REFUTED),
        (1.11, 1.2, 1.3, ClaimVerdict.REFUTED),
        (0.0, 1.0, math.inf, ClaimVerdict.CONFIRMED),  # one process: its value decides
        (0.0, 1.2, math.inf, ClaimVerdict.REFUTED),
    ],
)
def test_a_claim_holds_where_the_whole_interval_does(
    low: float, estimate: float, high: float, expected: ClaimVerdict
) -> None:
    """Of a claim from 0.9 to 1.1; an interval that reaches over an end decides nothing."""
    assert claim_verdict(Ratio(estimate, low, high), 0.9, 1.1) is expected


def test_the_interval_is_that_of_95_percent_unless_told() -> None:
    """A wider one for more confidence, around the same estimate."""
    a, b = [1.0, 1.1, 1.2], [1.0, 1.0, 1.05]
    assert paired_ratio(a, b) == paired_ratio(a, b, confidence=0.95)
    wider = paired_ratio(a, b, confidence=0.99)
    assert wider.low < paired_ratio(a, b).low < wider.estimate < paired_ratio(a, b).high < wider.high


@pytest.mark.parametrize(
    "kind", [list, tuple, np.array, pd.Series, lambda times: pd.Series(times, index=[5, 7, 9]), iter]
)
def test_times_may_come_in_whatever_holds_them(kind: Any) -> None:
    """Lists, arrays, columns of pandas with any index: the same figures."""
    a, b = [1.3, 1.2, 1.5], [1.0, 1.1, 0.9]
    assert paired_ratio(kind(a), kind(b)) == paired_ratio(a, b)
    with pytest.raises(ValueError, match="2 and 3 times"):
        paired_ratio(np.array(a[:2]), np.array(b))
    with pytest.raises(ValueError, match="at least one"):
        paired_ratio(np.array([]), np.array([]))
    with pytest.raises(ValueError, match="positive and finite"):
        paired_ratio(np.array([1.0, math.nan]), np.array([1.0, 1.0]))


def test_pairing_removes_what_blocks_have_in_common() -> None:
    """A machine that is twice as slow in one block does not widen the interval of a ratio that is always the same."""
    found = paired_ratio([1.1, 2.2, 4.4], [1.0, 2.0, 4.0])
    assert (found.low, found.estimate, found.high) == pytest.approx((1.1, 1.1, 1.1))


def test_swapping_the_two_inverts_everything() -> None:
    """``b / a`` says the same as ``a / b``."""
    a, b = [1.3, 1.2, 1.5], [1.0, 1.1, 0.9]
    one, other = paired_ratio(a, b), paired_ratio(b, a)
    assert (1 / other.high, 1 / other.estimate, 1 / other.low) == pytest.approx((one.low, one.estimate, one.high))


def test_the_unit_does_not_matter() -> None:
    """Seconds or milliseconds, the ratio is the same."""
    a, b = [1.3, 1.2, 1.5], [1.0, 1.1, 0.9]
    scaled = paired_ratio([1000 * t for t in a], [1000 * t for t in b])
    assert (scaled.low, scaled.high) == pytest.approx((paired_ratio(a, b).low, paired_ratio(a, b).high))


def test_one_block_has_an_estimate_and_no_interval() -> None:
    """Nothing is known about the spread: anything from 0 to infinity is possible, and no difference is declared."""
    found = paired_ratio([3.0], [1.5])
    assert found == Ratio(pytest.approx(2.0), 0.0, math.inf)  # type: ignore[arg-type]
    assert found.half_width == math.inf
    assert not found.excludes_one
    assert verdict(found, 0.02) == Verdict.TOO_FEW


def test_two_blocks_that_contradict_each_other_do_not_overflow() -> None:
    """At a high confidence, as a correction for many pairs asks for, the interval may have no upper end at all."""
    found = paired_ratio([1.0, 1000.0], [1000.0, 1.0], confidence=0.9995)
    assert (found.estimate, found.low, found.high) == (pytest.approx(1.0), 0.0, math.inf)
    assert verdict(found, delta(found)) == Verdict.TOO_FEW


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([], []),
        ([1.0], []),
        ([1.0, 2.0], [1.0]),
        ([0.0, 1.0], [1.0, 1.0]),
        ([1.0, 1.0], [1.0, -1.0]),
        ([1.0, math.nan], [1.0, 1.0]),
        ([1.0, 1.0], [math.inf, 1.0]),
    ],
)
def test_times_that_are_no_pairs_of_times_are_refused(a: list[float], b: list[float]) -> None:
    """Lists that do not pair up, and values that no clock shows."""
    with pytest.raises(ValueError, match=r"expected as many|positive and finite"):
        paired_ratio(a, b)


def test_the_half_width_is_relative() -> None:
    """An interval of plus and minus 3 % on the log scale has a half-width of 3 %, wherever its centre is."""
    for centre in (0.5, 1.0, 7.0):
        assert Ratio(centre, centre / 1.03, centre * 1.03).half_width == pytest.approx(0.03)


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        (None, 0.02),
        (Ratio(1.0, 0.0, math.inf), 0.02),
        (Ratio(1.0, 1 / 1.001, 1.001), 0.02),
        (Ratio(1.01, 1.01 / 1.05, 1.01 * 1.05), 0.05),
    ],
)
def test_delta_is_2_percent_or_what_the_control_shows(control: Ratio | None, expected: float) -> None:
    """No control, or one without an interval, leaves 2 %; a quiet machine does not make differences of 0.1 % matter."""
    assert delta(control) == pytest.approx(expected)
    assert SMALLEST_DELTA == 0.02


@pytest.mark.parametrize(
    ("low", "estimate", "high", "expected"),
    [
        (0.80, 0.90, 0.95, Verdict.SMALLER),
        (1.05, 1.10, 1.20, Verdict.GREATER),
        (0.99, 1.00, 1.01, Verdict.EQUIVALENT),
        (0.90, 1.00, 1.10, Verdict.INCONCLUSIVE),
        (0.70, 0.95, 1.001, Verdict.INCONCLUSIVE),
        (1.001, 1.010, 1.019, Verdict.EQUIVALENT),  # sure to differ, but by less than matters
        (1.001, 1.015, 1.030, Verdict.INCONCLUSIVE),  # sure to differ, unsure whether it matters
        (1.001, 1.030, 1.060, Verdict.GREATER),
        (1.0, 1.04, 1.08, Verdict.INCONCLUSIVE),  # an interval that touches 1 does not exclude it
        (0.92, 0.96, 1.0, Verdict.INCONCLUSIVE),
        (1 / 1.02, 1.0, 1.02, Verdict.EQUIVALENT),  # equality at both ends counts as within
        (1 / 1.02, 1.0, math.nextafter(1.02, 2), Verdict.INCONCLUSIVE),
        (math.nextafter(1 / 1.02, 0), 1.0, 1.02, Verdict.INCONCLUSIVE),
        (1.005, 1.02, 1.04, Verdict.INCONCLUSIVE),  # an estimate of delta itself is not beyond it
        (1.005, math.nextafter(1.02, 2), 1.04, Verdict.GREATER),
        (0.96, 1 / 1.02, 0.995, Verdict.INCONCLUSIVE),
        (0.96, math.nextafter(1 / 1.02, 0), 0.995, Verdict.SMALLER),
        (0.0, 2.0, math.inf, Verdict.TOO_FEW),
    ],
)
def test_the_verdict_needs_the_interval_and_the_size(
    low: float, estimate: float, high: float, expected: Verdict
) -> None:
    """A difference is declared where the interval excludes 1 and the estimate is beyond delta, and only there."""
    assert verdict(Ratio(estimate, low, high), 0.02) == expected


def test_a_larger_delta_makes_verdicts_more_careful() -> None:
    """What differs by 2 % on a quiet machine is equivalent on a noisy one, which the delta beside the verdict says."""
    ratio = Ratio(1.04, 1.03, 1.05)
    assert verdict(ratio, 0.02) == Verdict.GREATER
    assert verdict(ratio, 0.0412) == Verdict.INCONCLUSIVE
    assert verdict(ratio, 0.06) == Verdict.EQUIVALENT


def test_a_session_that_shows_next_to_nothing_shows_no_equivalence() -> None:
    """With a control less certain than 10 % everything would be equivalent to everything: then it is undecided."""
    ratio = Ratio(1.0, 0.99, 1.01)
    assert verdict(ratio, LARGEST_DELTA) == Verdict.EQUIVALENT
    assert verdict(ratio, math.nextafter(LARGEST_DELTA, 1)) == Verdict.INCONCLUSIVE
    assert verdict(Ratio(2.0, 1.8, 2.2), 0.5) == Verdict.GREATER


@pytest.mark.parametrize("blocks", [2, 5, 30])
def test_p_is_students(blocks: int) -> None:
    """As SciPy's one-sample t-test has it; below 5 % exactly where the interval of 95 % excludes no difference."""
    for seed in range(50):
        d = list(np.random.default_rng([blocks, seed]).normal(0.5, 1.0, blocks))
        assert p_value(d) == pytest.approx(stats.ttest_1samp(d, 0).pvalue, rel=1e-9)
        assert (p_value(d) < 0.05) == paired_ratio(list(np.exp(d)), [1.0] * blocks).excludes_one


@pytest.mark.parametrize(("d", "p"), [([0.7], 1.0), ([], 1.0), ([0.0, 0.0], 1.0), ([0.1, 0.1, 0.1], 0.0)])
def test_p_without_a_spread(d: list[float], p: float) -> None:
    """One block says nothing; blocks that agree to the last digit leave no doubt."""
    assert p_value(d) == pytest.approx(p, abs=1e-9)


@pytest.mark.parametrize(
    ("p", "corrected"),
    [
        ([], []),
        ([0.03], [0.03]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),  # Holm's own way of counting: 3 * 0.01, 2 * 0.03, max(0.06, 0.04)
        ([0.04, 0.01, 0.03, 0.005], [0.06, 0.03, 0.06, 0.02]),
        ([0.5, 0.9, 0.6], [1.0, 1.0, 1.0]),
        ([0.0, 0.0], [0.0, 0.0]),
    ],
)
def test_holm_multiplies_by_what_is_left(p: list[float], corrected: list[float]) -> None:
    """In the order that was given; never smaller than a smaller one's, never above 1."""
    assert holm(p) == pytest.approx(corrected)


def test_holm_rejects_what_its_definition_rejects() -> None:
    """Step by step from the smallest: rejected until one is above 0.05 / (those left), then no more."""
    random = np.random.default_rng(3)
    for _ in range(200):
        p = list(random.uniform(0, 0.1, 6))
        rejected, order = set(), np.argsort(p)
        for step, index in enumerate(order):
            if p[index] >= 0.05 / (6 - step):
                break
            rejected.add(int(index))
        assert {i for i, corrected in enumerate(holm(p)) if corrected < 0.05} == rejected


def test_holm_counts_tests_that_are_not_made_yet() -> None:
    """As if they had found nothing; a number below that of the tests at hand changes nothing."""
    assert holm([0.01, 0.03], tests=5) == pytest.approx(holm([0.01, 0.03, 1.0, 1.0, 1.0])[:2])
    assert holm([0.01, 0.03], tests=1) == pytest.approx(holm([0.01, 0.03]))
    assert holm([], tests=3) == []


def test_what_holm_says_of_a_part_is_never_taken_back() -> None:
    """Tests that follow make no corrected p value greater than it was when their number alone was known."""
    random = np.random.default_rng(5)
    for _ in range(200):
        p = list(random.uniform(0, 1, 8) ** 3)
        for made in range(1, 8):
            early, late = holm(p[:made], tests=8), holm(p)[:made]
            assert all(after <= before + 1e-12 for after, before in zip(late, early, strict=True))


def test_differences_have_students_interval() -> None:
    """Over blocks, as SciPy computes it; one block has none."""
    a, b = [0.971, 0.975, 0.970, 0.973], [0.969, 0.974, 0.971, 0.970]
    expected = stats.ttest_rel(a, b).confidence_interval(0.95)
    found = paired_difference(a, b)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.estimate == pytest.approx(np.mean(a) - np.mean(b))
    assert paired_difference([0.97], [0.96]).high == math.inf
    for wrong in (([], []), ([1.0], []), ([math.nan], [1.0])):
        with pytest.raises(ValueError, match=r"expected as many|finite"):
            paired_difference(*wrong)


@pytest.mark.parametrize(
    ("low", "estimate", "high", "expected"),
    [
        (0.003, 0.005, 0.007, Verdict.GREATER),
        (-0.007, -0.005, -0.003, Verdict.SMALLER),
        (-0.001, 0.0, 0.002, Verdict.EQUIVALENT),
        (0.0001, 0.0015, 0.003, Verdict.INCONCLUSIVE),
        (-0.01, 0.005, 0.02, Verdict.INCONCLUSIVE),
        (-math.inf, 0.5, math.inf, Verdict.TOO_FEW),
    ],
)
def test_differences_are_judged_around_0(low: float, estimate: float, high: float, expected: Verdict) -> None:
    """The same rules as for ratios."""
    assert verdict(Difference(estimate, low, high), 0.002) == expected


def test_a_difference_must_stand_after_the_correction() -> None:
    """An interval that excludes 1 is not enough where it is one of many; equivalence has nothing to do with it."""
    ratio = Ratio(1.10, 1.05, 1.20)
    assert [verdict(ratio, 0.02, p) for p in (None, 0.049, 0.05, 0.9)] == [
        Verdict.GREATER,
        Verdict.GREATER,
        *[Verdict.INCONCLUSIVE] * 2,
    ]
    assert verdict(Ratio(1.0, 0.99, 1.01), 0.02, 0.9) is Verdict.EQUIVALENT


def simulated(true_ratio: float, noise: float, blocks: int, seed: int) -> list[Verdict]:
    """The verdicts of many sessions of two implementations and a control, on a machine that drifts between blocks."""
    random = np.random.default_rng(seed)
    verdicts = []
    for _ in range(SESSIONS):
        level = random.lognormal(0.0, 0.2, blocks)
        a, b, again = (level * random.lognormal(0.0, noise, blocks) for _ in range(3))
        control = paired_ratio(list(again), list(b))
        verdicts.append(verdict(paired_ratio(list(a * true_ratio), list(b)), delta(control)))
    return verdicts


def share(verdicts: list[Verdict], *wanted: Verdict) -> float:
    """The share of the sessions with one of these verdicts."""
    return sum(one in wanted for one in verdicts) / len(verdicts)


@pytest.mark.parametrize(("noise", "blocks"), [(0.001, 3), (0.01, 3), (0.01, 5), (0.05, 5), (0.2, 10)])
def test_equal_implementations_are_declared_different_no_more_often_than_stated(noise: float, blocks: int) -> None:
    """At 95 % confidence at most one session in twenty, whatever the noise."""
    limit = 0.05 + 3 * math.sqrt(0.05 * 0.95 / SESSIONS)
    assert share(simulated(1.0, noise, blocks, seed=blocks), Verdict.SMALLER, Verdict.GREATER) <= limit


def test_a_difference_of_5_percent_is_found_through_noise_of_1_percent() -> None:
    """Five blocks are enough in nearly every session, and the sign is never wrong."""
    for true_ratio, right, wrong in (
        (1.05, Verdict.GREATER, Verdict.SMALLER),
        (1 / 1.05, Verdict.SMALLER, Verdict.GREATER),
    ):
        verdicts = simulated(true_ratio, 0.01, 5, seed=11)
        assert share(verdicts, right) >= 0.95
        assert share(verdicts, wrong) == 0.0


def test_equal_implementations_on_a_quiet_machine_are_called_equivalent() -> None:
    """Not merely undecided: with noise of 0.3 % and five blocks the interval lies within 2 %."""
    verdicts = simulated(1.0, 0.003, 5, seed=12)
    assert sum(one is Verdict.EQUIVALENT for one in verdicts) / len(verdicts) >= 0.95


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """95 of 100, for three blocks as for ten: neither too narrow nor needlessly wide."""
    for blocks in (3, 10):
        random = np.random.default_rng(blocks)
        covered = 0
        for _ in range(SESSIONS):
            a, b = random.lognormal(0.0, 0.02, (2, blocks))
            found: Any = paired_ratio(list(1.3 * a), list(b))
            covered += found.low <= 1.3 <= found.high
        assert abs(covered / SESSIONS - 0.95) < 3 * math.sqrt(0.05 * 0.95 / SESSIONS)

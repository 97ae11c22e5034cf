"""How many blocks a precision or a time asks for."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from synthetic import WORKLOAD, clear, result, session

from bench import statistics
from bench.display import naming
from bench.errors import FcnBenchError
from bench.report import pairs
from bench.report.runs import runs_frame
from bench.session import sizing
from bench.session.choice import Options
from bench.statistics import paired_ratio
from bench.store.records.machine import Size
from bench.store.records.training import Result
from bench.store.records.verification import Verification


def test_the_number_is_steins() -> None:
    """The least n with t(n0 - 1) * s / sqrt(n) within the width, s and n0 being the pilot's."""
    d = [0.01, -0.02, 0.03, 0.00, 0.02]
    blocks = statistics.blocks_needed(d, 0.01)
    reach = [stats.t.ppf(0.975, 4) * np.std(d, ddof=1) / math.sqrt(n) for n in (blocks - 1, blocks)]
    assert reach[0] > math.log(1.01) >= reach[1]
    assert statistics.blocks_needed(d, 10.0) == len(d)


def precision(results: Sequence[Result], blocks: int = 5, half_width: float = 0.02) -> Size:
    """What a pilot of so many blocks asks for."""
    return sizing.decided(results, [], Options(precision=half_width), blocks, 0.0)


def time(results: Sequence[Result], budget_s: float, spent_s: float = 0.0) -> Size:
    """What a pilot of two blocks leaves time for."""
    return sizing.decided(results, [], Options(budget_s=budget_s), 2, spent_s)


def test_the_least_certain_pair_decides() -> None:
    """Of all that are asked about and the control; more noise or a finer width asks for more."""
    steady = {"matched-pytorch": [1.0, 1.01, 1.0, 0.99, 1.0], "matched-keras": [2.0, 2.01, 2.02, 1.99, 2.0]}
    restless = [0.5, 0.6, 0.5, 0.45, 0.55]
    results = session({**steady, "matched-jax": restless})
    size = precision(results)
    assert "matched-jax" in size.pair and size.blocks > 5 and (size.half_width or 1) <= 0.02
    unasked = precision(session({**steady, "tuned-jax": restless}))
    assert unasked.blocks == precision(session(steady)).blocks
    assert precision(results, half_width=0.01).blocks > size.blocks
    assert precision(session(steady)).blocks < size.blocks
    noisy = session(steady, control=[1.0, 1.2, 0.9, 1.1, 1.3])
    assert precision(noisy).pair.startswith("the control and itself")


def test_only_the_pilot_has_a_say() -> None:
    """What was measured after it changes nothing: nobody can stop when the figures please."""
    early = session({"matched-pytorch": [1.0, 1.1, 1.0, 0.9, 1.0], "matched-keras": [2.0, 2.1, 2.3, 1.9, 2.0]})
    rest = [
        result(name, block, s) for block in (6, 7) for name, s in (("matched-pytorch", 9.0), ("matched-keras", 0.1))
    ]
    assert precision(early) == precision([*early, *rest])


def test_the_ratios_are_those_of_the_report() -> None:
    """Name by name and figure by figure, whatever is missing, failed or does other work."""
    noise = np.random.default_rng(3)
    names = ("matched-pytorch", "matched-keras", "documented-keras", "tuned-jax", "matched-jax")
    results = [
        replace(found, cell=replace(found.cell, device=device))
        for device in ("cpu", "cuda")
        for found in session({name: list(noise.lognormal(size=6)) for name in names}, control=list(1 + noise.random(6)))
        if noise.random() > 0.1
    ]
    results = [replace(one, status="failed") if noise.random() < 0.1 else one for one in results]
    gates = [Verification(name, WORKLOAD.name, "cpu", "d", "failed", "") for name in ("tuned-jax", "matched-pytorch")]
    runs = runs_frame(results, gates)
    expected = {
        f"{a} and {b}, {naming.title(*key)}": statistics.log_ratios(both["a"], both["b"])
        for key, a, b, both in pairs.pairs(runs, "epoch_s")
        if len(both) > 1 and frozenset((a, b)) in pairs.primary_pairs(runs)[key]
    }
    for key, _, both in pairs.controls(runs, "epoch_s"):
        name = f"the control and itself, {naming.title(*key)}"
        expected[name] = statistics.log_ratios(both["a"], both["b"])
    found = sizing.log_ratios(results, gates)
    assert {name: sorted(ratios) for name, ratios in found.items()} == {
        name: sorted(ratios) for name, ratios in expected.items()
    }
    assert len(found) == 1 + 3 + 1 and sizing.block_s(results) == pytest.approx(runs["process_s"].sum() / 6)


def test_a_time_is_divided_by_what_a_block_takes() -> None:
    """What went before the first block counts too; the pilot is never undone."""
    results = session({"matched-pytorch": [1.0, 1.0], "matched-keras": [2.0, 2.1]})
    block_s = sizing.block_s(results)
    assert block_s == pytest.approx(sum(one.phases.process_s or 0 for one in results) / 2)
    assert time(results, 10.5 * block_s).blocks == 10
    assert time(results, 10.5 * block_s, spent_s=3 * block_s).blocks == 7
    assert time(results, 0.1).blocks == 2


def test_what_is_expected_is_what_such_blocks_give() -> None:
    """The half-width that is announced is that of an interval over blocks that scatter as the pilot's."""
    d = [0.01, -0.02, 0.03, 0.00, 0.02]
    found = paired_ratio(list(np.exp(d)), [1.0] * 5)
    assert statistics.expected_half_width(d, 5) == pytest.approx(found.half_width)


def test_a_pilot_without_a_pair_asks_for_help() -> None:
    """Everything failed, or there is a single implementation and no control."""
    results = [result(status="failed"), result(block=2)]
    with pytest.raises(FcnBenchError, match="no pair with two blocks"):
        precision(results)
    assert time(results, 60.0).half_width is None


def test_a_default_session_can_be_sized() -> None:
    """Six pairs and a control."""
    size = precision(clear(), 3)
    assert size.pilot == 3 and size.blocks >= 3 and size.block_s > 0 and "2.0 %" in size.asked


@pytest.mark.parametrize(
    ("options", "first"),
    [
        (Options(), 4),
        (Options(blocks=7), 7),
        (Options(precision=0.02), 5),
        (Options(budget_s=60.0), 2),
        (Options(precision=0.02, budget_s=60.0), 5),
        (Options(precision=0.02, blocks=4), 4),
    ],
)
def test_a_precision_needs_a_longer_pilot_than_a_time(options: Options, first: int) -> None:
    """Five blocks for a spread, two for a duration, unless a number is given; four where nothing is to be decided."""
    assert sizing.first_blocks(options) == first
    assert sizing.needed(options) is (options.precision is not None or options.budget_s is not None)

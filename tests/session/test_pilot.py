"""How many blocks a precision or a time asks for."""

import math

import numpy as np
import pytest
from scipy import stats
from synthetic import clear, result, session

from bench import statistics
from bench.errors import FcnBenchError
from bench.report import runs as report_runs
from bench.session import pilot as session_pilot
from bench.statistics import paired_ratio


def test_the_number_is_steins() -> None:
    """The least n with t(n0 - 1) * s / sqrt(n) within the width, s and n0 being the pilot's."""
    d = [0.01, -0.02, 0.03, 0.00, 0.02]
    blocks = statistics.blocks_needed(d, 0.01)
    reach = [stats.t.ppf(0.975, 4) * np.std(d, ddof=1) / math.sqrt(n) for n in (blocks - 1, blocks)]
    assert reach[0] > math.log(1.01) >= reach[1]
    assert statistics.blocks_needed(d, 10.0) == len(d)


def test_the_least_certain_pair_decides() -> None:
    """Of all pairs and the control; more noise or a finer width asks for more."""
    steady = {"matched-pytorch": [1.0, 1.01, 1.0, 0.99, 1.0], "matched-keras": [2.0, 2.01, 2.02, 1.99, 2.0]}
    runs = report_runs.runs_frame(session({**steady, "tuned-jax": [0.5, 0.6, 0.5, 0.45, 0.55]}), [])
    size = session_pilot.for_precision(runs, 5, 0.02)
    assert "tuned-jax" in size.pair and size.blocks > 5 and (size.half_width or 1) <= 0.02
    assert session_pilot.for_precision(runs, 5, 0.01).blocks > size.blocks
    without = session_pilot.for_precision(report_runs.runs_frame(session(steady), []), 5, 0.02)
    assert without.blocks < size.blocks
    noisy = report_runs.runs_frame(session(steady, control=[1.0, 1.2, 0.9, 1.1, 1.3]), [])
    assert session_pilot.for_precision(noisy, 5, 0.02).pair.startswith("the control and itself")


def test_only_the_pilot_has_a_say() -> None:
    """What was measured after it changes nothing: nobody can stop when the figures please."""
    pilot = session({"matched-pytorch": [1.0, 1.1, 1.0, 0.9, 1.0], "matched-keras": [2.0, 2.1, 2.3, 1.9, 2.0]})
    rest = [
        result(name, block, s) for block in (6, 7) for name, s in (("matched-pytorch", 9.0), ("matched-keras", 0.1))
    ]
    sizes = [
        session_pilot.for_precision(report_runs.runs_frame(found, []), 5, 0.02) for found in (pilot, [*pilot, *rest])
    ]
    assert sizes[0] == sizes[1]


def test_a_time_is_divided_by_what_a_block_takes() -> None:
    """What went before the first block counts too; the pilot is never undone."""
    runs = report_runs.runs_frame(session({"matched-pytorch": [1.0, 1.0], "matched-keras": [2.0, 2.1]}), [])
    block_s = runs["process_s"].sum() / 2
    assert session_pilot.for_time(runs, 2, 10.5 * block_s, 0.0).blocks == 10
    assert session_pilot.for_time(runs, 2, 10.5 * block_s, 3 * block_s).blocks == 7
    assert session_pilot.for_time(runs, 2, 0.1, 0.0).blocks == 2


def test_what_is_expected_is_what_such_blocks_give() -> None:
    """The half-width that is announced is that of an interval over blocks that scatter as the pilot's."""
    d = [0.01, -0.02, 0.03, 0.00, 0.02]
    found = paired_ratio(list(np.exp(d)), [1.0] * 5)
    assert statistics.expected_half_width(d, 5) == pytest.approx(found.half_width)


def test_a_pilot_without_a_pair_asks_for_help() -> None:
    """Everything failed, or there is a single implementation and no control."""
    runs = report_runs.runs_frame([result(status="failed"), result(block=2)], [])
    with pytest.raises(FcnBenchError, match="no pair with two blocks"):
        session_pilot.for_precision(runs, 5, 0.02)
    assert session_pilot.for_time(runs, 2, 60.0, 0.0).half_width is None


def test_a_default_session_can_be_sized() -> None:
    """Six pairs and a control."""
    size = session_pilot.for_precision(report_runs.runs_frame(clear(), []), 3, 0.02)
    assert size.pilot == 3 and size.blocks >= 3 and size.block_s > 0 and "2.0 %" in size.asked

"""Networks that differ in one thing, set against each other, from results made by hand."""

from dataclasses import replace
from pathlib import Path

import pytest
from synthetic import WORKLOAD, result, save, session

from bench.report import build
from bench.report import runs as report_runs
from bench.report.chapters.effects import changes
from bench.store.records.training import TrainingResult
from impls.workload import SGD, Adam, Dense, Dropout, Workload

WITH_SGD = replace(WORKLOAD, name="with-sgd", optimiser=SGD(0.1))
SIGMOID = replace(WORKLOAD, name="with-sigmoid", layers=(Dense(128, "sigmoid"), Dense(64, "sigmoid"), Dense(10)))
DROPS = replace(WORKLOAD, name="drops", layers=(WORKLOAD.layers[0], Dropout(0.5), *WORKLOAD.layers[1:]))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (WITH_SGD, "SGD (0.1) for Adam (0.001)"),
        (SIGMOID, "sigmoid for relu"),
        (DROPS, "dropout 0.5"),
        (replace(WITH_SGD, layers=SIGMOID.layers), ""),
        (replace(WITH_SGD, epochs=9), ""),
        (replace(WORKLOAD, name="again"), ""),
        (replace(SIGMOID, layers=(Dense(64, "sigmoid"), Dense(10))), ""),
    ],
)
def test_networks_differ_in_one_thing_or_are_not_compared(other: object, said: str) -> None:
    """What is changed is said in words; two things at once are nothing that could be told apart."""
    assert changes.change(WORKLOAD, other) == said  # type: ignore[arg-type]


def test_the_plain_network_comes_first_whatever_the_order() -> None:
    """Of two learning rates neither is the plain one, so there is no pair."""
    faster = replace(WORKLOAD, name="faster", optimiser=Adam(0.1))
    assert [pair[:2] for pair in changes.pairs(named(WITH_SGD, WORKLOAD))] == [(WORKLOAD.name, "with-sgd")]
    assert not list(changes.pairs(named(faster, WORKLOAD)))


def named(*workloads: Workload) -> dict[str, Workload]:
    return {workload.name: workload for workload in workloads}


def frame(results: list[TrainingResult]) -> list[dict[str, object]]:
    workloads = named(*(one.cell.workload for one in results))
    made = changes.effects(report_runs.runs_frame(results, []), report_runs.epochs_frame(results), workloads)
    return made.to_dict("records")  # type: ignore[return-value]


def test_the_difference_is_paired_by_block() -> None:
    """Block 3 has only one of the two and does not count; the interval is that of the differences."""
    plain = [result(block=block, accuracy=accuracy) for block, accuracy in ((1, 0.96), (2, 0.97), (3, 0.5))]
    other = [result(block=block, accuracy=accuracy, workload=WITH_SGD) for block, accuracy in ((1, 0.97), (2, 0.985))]
    (row,) = frame([*plain, *other])
    assert (row["accuracy"], row["other_accuracy"]) == pytest.approx((0.965, 0.9775))
    assert row["difference"] == pytest.approx(0.0125)
    assert row["low"] < 0.0125 < row["high"] and row["blocks"] == 2
    assert row["first_accuracy"] < row["accuracy"]


def test_a_single_block_has_no_interval() -> None:
    """And none is shown."""
    (row,) = frame([result(), result(workload=SIGMOID)])
    assert row["low"] != row["low"] and row["blocks"] == 1


def test_what_failed_or_was_measured_elsewhere_is_not_compared() -> None:
    """Another implementation, another number of threads, a failed cell: no row."""
    for other in ({"implementation": "matched-keras"}, {"threads": 1}, {"status": "failed"}):
        assert not frame([result(), result(workload=WITH_SGD, **other)])  # type: ignore[arg-type]


def test_a_report_shows_table_and_chart(tmp_path: Path) -> None:
    """With the data one click away; the chart's sentence has the figures."""
    runs = [session({"matched-pytorch": [1.0, 1.1]}, workload=one) for one in (WORKLOAD, WITH_SGD, SIGMOID)]
    page = build.build(save(tmp_path, [found for part in runs for found in part])).html.read_text()
    assert "SGD (0.1) for Adam (0.001)" in page and "sigmoid for relu" in page
    assert (tmp_path / "charts" / "effect.mlp-128-64.cpu.2t.svg").exists()
    assert 'href="tables/effects.csv"' in page

"""Overhead against compute, from sweeps made by hand with the overhead and the throughput planted in them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from synthetic import FLOPS_PER_S, OVERHEAD_S, PARAMETER_S, WORKLOAD, clear, result, save, session, swept

from bench.errors import FcnBenchError
from bench.report import benchmark_json, build, compare
from bench.report.chapters import conditions, overhead
from bench.report.chapters.overhead import fit, tables
from bench.session import progress
from bench.store import archive
from bench.store.records.training import TrainingResult
from bench.store.records.verification import Verification

TIMES = {"matched-pytorch": [1.0, 1.1], "matched-keras": [2.0, 2.1]}
PYTORCH, KERAS = "matched-pytorch", "matched-keras"


def fits(results: Sequence[TrainingResult], **options: Any) -> pd.DataFrame:
    return fit.overhead(fit.sweep(results), {WORKLOAD.name: WORKLOAD}, **options)


def test_what_was_planted_is_found() -> None:
    """Overhead, time per parameter and throughput; each point is a median, which one odd call does not move."""
    (row,) = fits([swept()]).to_dict("records")
    found = (row["overhead_s"], row["parameter_s"], row["flops_per_s"])
    assert found == pytest.approx((OVERHEAD_S, PARAMETER_S, FLOPS_PER_S))
    assert row["residual"] == pytest.approx(0, abs=1e-9)
    assert row["share"] == pytest.approx(OVERHEAD_S / row["step_s"])
    assert row["crossing_batch_size"] == pytest.approx(OVERHEAD_S * FLOPS_PER_S / WORKLOAD.flops)
    assert row["largest_batch_size"] == 4096 and 0.9 * FLOPS_PER_S < row["largest_flops_per_s"] < FLOPS_PER_S


def test_the_point_held_out_has_no_say_in_the_fit() -> None:
    """It stands beside it, and the ratio says how far they are apart."""
    (row,) = fits([swept(apart_s=160e-6)]).to_dict("records")
    assert row["overhead_s"] == pytest.approx(OVERHEAD_S)
    assert (row["held_out_s"], row["held_out_ratio"]) == pytest.approx((160e-6, 0.5))


def test_no_term_is_negative() -> None:
    """A program without overhead has none, and not less."""
    own = swept()
    bare = tuple(replace(p, seconds=(p.flops * p.batch_size / FLOPS_PER_S * p.steps * p.batch_size**0.01,))
                 for p in own.points)  # fmt: skip
    (row,) = fits([replace(own, points=bare)]).to_dict("records")
    assert row["overhead_s"] == 0 and row["parameter_s"] >= 0


def test_processes_are_fitted_each_and_their_median_is_told_with_the_range() -> None:
    """Blocks are the sample."""
    (row,) = fits([swept(block=1), swept(block=2, slower=3.0), swept(block=3, slower=1.5)]).to_dict("records")
    assert row["processes"] == 3
    ends = [row[f"overhead_s{end}"] for end in ("", "_low", "_high")]
    assert ends == pytest.approx([1.5 * OVERHEAD_S, OVERHEAD_S, 3 * OVERHEAD_S])


def test_a_share_of_the_peak_is_told_where_the_peak_is_known() -> None:
    """Else the column is empty, never 0."""
    assert fits([swept()])["of_peak"].isna().all()
    (row,) = fits([swept()], peaks={(WORKLOAD.name, "cpu", 2): 80e9}).to_dict("records")
    assert row["of_peak"] == pytest.approx(row["largest_flops_per_s"] / 80e9)


def test_points_that_could_not_be_trained_are_left_out_of_the_fit_and_told() -> None:
    """With their reason; too few points are no fit."""
    results = [swept(lost=(1, 4096))]
    (row,) = fits(results).to_dict("records")
    assert row["overhead_s"] == pytest.approx(OVERHEAD_S) and row["largest_batch_size"] == 1024
    assert fits([swept(lost=(1, 4, 16, 64, 256))]).empty
    told = tables.lost(fit.sweep(results))
    assert told == [
        "PyTorch (matched) could not be trained at batch 1, width 32, batch 1, width 128, batch 4096, width 128 "
        "and batch 1, width 1: "
        "no memory."
    ]


def test_threads_are_set_against_each_other_block_by_block() -> None:
    """At each point, the most beside the fewest."""
    results = [swept(block=block, threads=number, slower=slower)
               for block in (1, 2) for number, slower in ((1, 3.0), (2, 2.0))]  # fmt: skip
    frame = fit.threads(fit.sweep(results))
    assert len(frame) == len(results[0].points)
    assert frame["estimate"].tolist() == pytest.approx([1.5] * len(frame))
    assert set(frame["fewer"]) == {1} and set(frame["threads"]) == {2} and set(frame["blocks"]) == {2}
    assert fit.threads(fit.sweep([swept()])).empty


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The usual session with sweeps of both frameworks, and a report of it."""
    sweeps = [swept(name, block, slower) for name, slower in ((PYTORCH, 1.0), (KERAS, 6.0)) for block in (1, 2)]
    directory = save(tmp_path_factory.mktemp("usual"), [*session(TIMES), *sweeps])
    build.build(directory)
    return directory


def test_the_report_has_a_section_with_table_and_charts(usual: Path) -> None:
    """In both pages, with the figures in their units."""
    for name in ("report.html", "report.md"):
        text = (usual / name).read_text()
        assert "Overhead against compute" in text
        assert "80.0 µs" in text and "480 µs" in text
    assert {path.name.partition(".")[0] for path in (usual / "charts").glob("sweep-*.svg")} == {
        "sweep-batch", "sweep-width",
    }  # fmt: skip
    assert len(pd.read_csv(usual / "tables" / "sweep.csv")) == 4 * len(swept().points)
    assert len(pd.read_csv(usual / "tables" / "overhead.csv")) == 2


def test_sweeps_change_nothing_else(usual: Path, tmp_path: Path) -> None:
    """All other tables and the answer are those of the session without them."""
    without = save(tmp_path / "without", session(TIMES))
    alone, both = build.read(without), build.read(usual)
    for name, frame in alone.frames.items():
        if name not in ("sweep", "overhead", "sweep_threads"):
            pd.testing.assert_frame_equal(frame, both.frames[name], check_dtype=False)
    assert build.final_table(alone) == build.final_table(both)
    drawn = {group.key: [] for group in both.groups}
    assert overhead.section(alone, drawn) is None
    section = overhead.section(both, drawn)
    assert section is not None and len(section.body) == 1
    for part in conditions.CHAPTER.parts.values():
        assert list(part(alone, drawn)) == list(part(both, drawn))


def test_a_directory_with_nothing_but_sweeps_says_so_in_a_line(tmp_path: Path) -> None:
    """As one that was stopped early: there is nothing to report yet."""
    with pytest.raises(FcnBenchError, match="nothing was trained here"):
        build.build(save(tmp_path / "out", [swept()]))


def test_a_sweep_that_failed_is_told_with_what_else_was_lost(tmp_path: Path) -> None:
    """And what its process had said before has no part in the fits."""
    failed = replace(swept(), status="failed", reason="the process was ended by SIGKILL")
    session = build.read(save(tmp_path / "out", [result(), failed]))
    assert session.frames["sweep"].empty and session.frames["overhead"].empty
    assert "matched-pytorch (sweep), mlp-128-64, CPU, 2 threads, block 1" in build.final_table(session)


def test_a_program_that_the_gate_refuses_has_no_overhead(tmp_path: Path) -> None:
    """Its speed is withheld here too."""
    directory = save(tmp_path / "out", [*clear(), swept(), swept(KERAS)])
    archive.save_record(directory, Verification(PYTORCH, WORKLOAD.name, "cpu", "d", "failed", "other work"))
    frames = build.read(directory).frames
    assert set(frames["overhead"]["implementation"]) == set(frames["sweep"]["implementation"]) == {KERAS}


def test_a_comparison_of_two_sessions_does_not_see_sweeps(tmp_path: Path) -> None:
    """Neither as cells nor as a change of the harness."""
    base = save(tmp_path / "base", clear())
    new = save(tmp_path / "new", [*clear(), swept(digest="0ther0ther")])
    assert compare.compare(base, new, 0.05).text == compare.compare(base, base, 0.05).text.replace("/base", "/new")


def test_sweeps_are_carried_through_pytest_benchmarks_json_but_are_no_benchmark(usual: Path, tmp_path: Path) -> None:
    """There and back without loss."""
    text, number = benchmark_json.export(usual)
    _, without = benchmark_json.export(save(tmp_path / "without", session(TIMES)))
    assert number == without
    path = tmp_path / "all.json"
    benchmark_json.write(path, text)
    benchmark_json.save([path], tmp_path / "back")
    assert archive.everything(tmp_path / "back") == archive.everything(usual)


def test_a_run_says_what_a_sweep_found() -> None:
    """In its line: how many points, and how many could not be trained."""
    number = len(swept().points)
    assert progress.ended(swept()) == f"    matched-pytorch (sweep): {number} points"
    assert (
        progress.ended(swept(lost=(1,))) == f"    matched-pytorch (sweep): {number - 3} points, 3 could not be trained"
    )

"""The machine's own limit, from records made by hand: which library counts, what the floor is, and multiples of it."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from synthetic import EPOCH_STEPS, FAST, WORKLOAD, library, result, save

from bench.errors import FcnBenchError
from bench.report import build, runs
from bench.report.chapters.floor import frames, tables
from bench.store.records.training import TrainingResult


def floor(*results: TrainingResult) -> pd.DataFrame:
    """The floor that they say."""
    return frames.floor(frames.parts(results))


def test_the_floor_adds_up_the_parts_of_an_epoch_with_its_last_batch_as_a_fraction() -> None:
    """Medians of the repetitions, a step's time as often as an epoch has steps; arithmetic at the large product's speed."""
    (row,) = floor(library("numpy", 1)).to_dict("records")
    assert row["products_s"] == pytest.approx(1e-4 * 937.5) and row["floor_s"] == pytest.approx(2e-4 * 937.5)
    assert row["peak_flops_per_s"] == pytest.approx(1e11) and row["arithmetic_s"] == pytest.approx(1e6 * 937.5 / 1e11)


def test_on_a_gpu_the_floor_is_the_longest_part_since_others_can_run_beside_it() -> None:
    """The sum would be more than a step takes there: seen on an H100."""
    made = library("jax", 1)
    found = floor(replace(made, cell=replace(made.cell, device="cuda:1")))
    assert found["floor_s"].tolist() == pytest.approx([1e-4 * 937.5])
    sheet = tables.sheet(found, "title")
    assert [(row[0], row[1], row[-1]) for row in sheet.rows if row[0] == "floor"] == [
        ("floor", "the longest part", "100 %")
    ]


def test_each_part_is_of_the_library_that_is_best_at_it_over_all_blocks() -> None:
    """A library that is lucky in one block is not taken for that block: what counts is the mean of logarithms."""
    other = FAST | {"optimiser": 2e-5, "products": 4e-4}
    lucky = FAST | {"optimiser": 1e-5, "products": 9e-5}
    results = [library("numpy", block) for block in (1, 2, 3)]
    results += [library("jax", 1, lucky), library("jax", 2, other), library("jax", 3, other)]
    found = floor(*results)
    assert set(found["products_by"]) == {"numpy"} and set(found["optimiser_by"]) == {"jax"}
    assert list(found["optimiser_s"]) == pytest.approx([1e-5 * 937.5, 2e-5 * 937.5, 2e-5 * 937.5])
    assert list(found["products_s"]) == pytest.approx([1e-4 * 937.5] * 3)


@pytest.mark.parametrize("missing", FAST)
def test_without_one_of_its_parts_there_is_no_floor(missing: str) -> None:
    """Nothing is added up that was not measured."""
    assert floor(library("numpy", 1, missing=missing)).empty
    assert floor(replace(library("numpy", 1), status="failed")).empty
    assert floor().empty


def test_times_are_multiples_of_the_floor_of_the_same_block() -> None:
    """Paired by block: a machine that is slower in one block is slower in both, and the interval stays narrow."""
    results = [result("matched-pytorch", block, epoch_s=0.375 * slow) for block, slow in ((1, 1.0), (2, 2.0), (3, 3.0))]
    floors = [
        library("numpy", block, {name: slow * seconds for name, seconds in FAST.items()})
        for block, slow in ((1, 1.0), (2, 2.0), (3, 3.0))
    ]
    (row,) = frames.multiples(runs.runs_frame(results, []), floor(*floors)).to_dict("records")
    assert (row["implementation"], row["blocks"]) == ("matched-pytorch", 3)
    assert [row[name] for name in ("estimate", "low", "high")] == pytest.approx([2.0] * 3)
    elsewhere = [replace(one, cell=replace(one.cell, threads=7)) for one in floors]
    assert frames.multiples(runs.runs_frame(results, []), floor(*elsewhere)).empty


def test_the_report_shows_the_floor_and_multiples_and_takes_no_library_for_an_implementation(tmp_path: Path) -> None:
    """In the summary, in a table of its own, in CSVs; the libraries are in no other table, and in no count of cells."""
    results = [result("matched-pytorch", block, epoch_s=0.375) for block in (1, 2)]
    directory = save(tmp_path, [*results, library("numpy", 1), library("numpy", 2)])
    built = build.build(directory)
    assert re.search(r"^matched-pytorch +0\.375 s +1 +2\.00 +97", built.text, re.MULTILINE)
    page = built.html.read_text()
    assert "matrix products" in page and "floor-numpy" not in page and "2 processes" in page
    names = {path.name for path in (directory / "tables").glob("*.csv")}
    assert {"floor.csv", "floor_parts.csv", "multiples.csv"} <= names
    floors = pd.read_csv(directory / "tables" / "floor.csv")
    assert set(zip(floors["peak_flops_per_s"], floors["peak_by"], strict=True)) == {(1e11, "numpy")}
    assert set(pd.read_csv(directory / "runs.csv")["implementation"]) == {"matched-pytorch"}


def test_libraries_alone_are_no_results(tmp_path: Path) -> None:
    """A run that was cut off before the first implementation says so in one line."""
    with pytest.raises(FcnBenchError, match="nothing was trained here"):
        build.read(save(tmp_path, [library("numpy", 1)]))


def test_the_workload_of_the_other_tests_is_one() -> None:
    """The steps above are those of 60,000 images."""
    assert WORKLOAD.batch_size * EPOCH_STEPS == 60_000

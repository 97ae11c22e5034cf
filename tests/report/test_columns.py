"""The guide to the CSVs: every column of every file is explained, and nothing that does not exist."""

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from synthetic import DONE, WORKLOAD, library, result, save, swept

from bench.report import build, columns
from bench.store import archive
from bench.store.records.training import Inference

ROOT = Path(__file__).parents[2]
ENDINGS = {"_s": "s", "_bytes": "bytes", "_j": "J"}
COMMITTED = [ROOT / "results" / name for name in ("reference", "documents", "tuned", "gpu")]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result directory made by hand, with what those that are committed may be too old to have."""
    timed = (Inference(1, 0.5, (0.1,)), Inference(WORKLOAD.test_batch_size, 0.9, (0.3,)))
    found = [result(inference=timed), result("matched-keras"), swept(threads=1), swept(threads=2), library("numpy", 1)]
    directory = save(tmp_path_factory.mktemp("made"), found)
    archive.save_record(directory, replace(DONE, workload=WORKLOAD.name, threads=2))
    build.build(directory)
    return directory


@pytest.fixture(scope="module", params=COMMITTED, ids=lambda path: path.name)
def rebuilt(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A committed result directory, and a copy of it whose report was made again."""
    copy = tmp_path_factory.mktemp("rebuilt") / "copy"
    shutil.copytree(request.param, copy)
    build.build(copy)
    return request.param, copy


def test_the_guide_explains_every_file_column_by_column(rebuilt: tuple[Path, Path]) -> None:
    """In the order of the files and of their columns."""
    _, copy = rebuilt
    text = (copy / "columns.md").read_text()
    for path in [*copy.glob("*.csv"), *copy.glob("tables/*.csv")]:
        if path.name != "bare.csv":  # of tests/bare/beside.py, which is no part of a result directory
            _, _, part = text.partition(f"\n## {path.relative_to(copy)}\n")
            rows = [line.split("`")[1] for line in part.partition("\n## ")[0].splitlines() if line.startswith("| `")]
            assert rows == list(pd.read_csv(path, nrows=0).columns)


def test_committed_csvs_and_guides_are_what_the_code_makes_now(rebuilt: tuple[Path, Path]) -> None:
    """Nobody reads a guide to columns that the next report would not have."""
    was, now = rebuilt
    for name in ("columns.md", "runs.csv", "epochs.csv", "report.md"):
        assert (was / name).read_text() == (now / name).read_text(), f"run: fcnbench report {was}"


@pytest.mark.parametrize("path", sorted(ROOT.glob("results/*/bare.csv")), ids=lambda path: path.parent.name)
def test_committed_pairs_stand_under_their_own_headings(path: Path) -> None:
    """Who went first in a pair is drawn, and so is the order of what a row of `tests/bare/beside.py` tells."""
    found = pd.read_csv(path)
    assert found[["harness_accuracy", "bare_accuracy"]].apply(lambda column: column.between(0.9, 1)).all(axis=None)
    assert found["parent_cpu_per_wall"].lt(0.1).all()


def test_nothing_is_explained_that_is_not_written(made: Path) -> None:
    """A meaning without a column is left over from something."""
    heads: dict[str, list[str]] = {}
    for path in [path for root in (*COMMITTED, made) for path in (*root.glob("*.csv"), *root.glob("tables/*.csv"))]:
        name = path.name if path.parent.name != "tables" else f"tables/{path.name}"
        heads[name] = list(pd.read_csv(path, nrows=0).columns)
    assert {name: table.names for name, table in build.TABLES.items()} == {name: heads[name] for name in build.TABLES}


@pytest.mark.parametrize(
    ("file", "column", "unit"),
    [("runs", "epoch_s", "s"), ("runs", "process_peak_bytes", "bytes"), ("tables/summary", "epoch_s_high", "s"),
     ("runs", "accuracy", "0 to 1"), ("runs", "cell", ""), ("curves", "batches", "count")],
)  # fmt: skip
def test_units_are_declared(file: str, column: str, unit: str) -> None:
    """And those of seconds, bytes and joules stand in the names too."""
    assert {one.name: one.unit for one in build.TABLES[f"{file}.csv"].columns}[column] == unit
    for one in (one for table in build.TABLES.values() for one in table.columns):
        stem = one.name.removesuffix("_low").removesuffix("_high")
        ending = next((unit for unit in ENDINGS if stem.endswith(unit) and not stem.endswith("per_s")), None)
        assert ending is None or one.unit == ENDINGS[ending], one


def test_a_column_that_is_not_explained_is_a_mistake() -> None:
    """Whoever adds a column says what it means."""
    with pytest.raises(KeyError):
        columns.guide({"runs.csv": pd.DataFrame({"cell": [], "new_s": []})}, build.TABLES)

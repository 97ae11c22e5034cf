"""A process whose timed epochs did other work is kept and marked, and has no speed figure anywhere."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from synthetic import UNDRAWN, clear, save, session

from bench.display import axes
from bench.report import benchmark_json, build, compare
from bench.report.runs import SPEED
from bench.store.records.training import Inference, TrainingResult

KERAS = "matched-keras"
TOOK = (Inference(1, 0.9, (0.1,)), Inference(1000, 0.9, (0.2,)))


def half_trained(found: TrainingResult) -> TrainingResult:
    """The result with the losses of half the images, as its first epochs have them."""
    epochs = tuple(replace(epoch, train_loss=epoch.train_loss and 1.35 * epoch.train_loss) for epoch in found.epochs)
    return replace(found, epochs=epochs, inference=TOOK)


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A session in which matched-keras did other work in all its blocks."""
    monkeypatch.setattr(build, "CHAPTERS", UNDRAWN)
    monkeypatch.setattr("bench.report.page.CHAPTERS", UNDRAWN)
    return save(tmp_path / "out", [half_trained(one) if one.cell.implementation == KERAS else one for one in clear()])


def test_its_row_is_kept_without_speeds_and_says_why(directory: Path) -> None:
    """The accuracy stays, and so do the raw times in epochs.csv."""
    build.build(directory)
    runs = pd.read_csv(directory / "runs.csv")
    own, others = runs[runs["implementation"] == KERAS], runs[runs["implementation"] != KERAS]
    assert set(own["attested"]) == {"no"} and set(others["attested"]) == {"not judged"}
    assert own[SPEED].isna().all(axis=None) and others["epoch_s"].notna().all()
    assert (
        own["attested_reason"].str.contains("its mean training loss of epoch 1 is 0.405 nats, that of matched-py").all()
    )
    assert own["accuracy"].notna().all()
    epochs = pd.read_csv(directory / "epochs.csv")
    assert epochs.loc[(epochs["implementation"] == KERAS) & (epochs["epoch"] > 0), "train_s"].notna().all()


def test_no_table_has_a_speed_of_it(directory: Path) -> None:
    """Neither summary nor pairs, neither costs nor inference, nor the time to an accuracy."""
    build.build(directory)
    for path in directory.glob("tables/*.csv"):
        frame = pd.read_csv(path).astype(str)
        if path.stem not in ("table_4", "claims"):
            assert not frame.eq(KERAS).any(axis=None), path.name
    claims = pd.read_csv(directory / "tables/table_4.csv").set_index("tier").loc[["matched"]]
    keras = claims[(claims["framework"] == "keras") & (claims["device"] == "cpu")]
    assert len(keras) and keras["value"].isna().all()
    assert keras["why"].str.contains("withheld").all()


def test_terminal_and_page_name_it_among_what_was_withheld(directory: Path) -> None:
    """With block and figures; its tier has nothing that could be compared."""
    made = build.build(directory)
    said = " ".join(made.text.split())
    assert "withheld: matched-keras, mlp-128-64, CPU, 2 threads, block 1: its mean training loss of epoch 1" in said
    assert "Keras on TensorFlow (matched) has no speed: it does not do the same work" in said
    assert "2.95 s" not in made.text and "matched-keras  " not in made.text
    assert "withheld: matched-keras" in " ".join(made.html.read_text(encoding="utf-8").split())


def test_only_the_block_that_is_off_is_withheld(tmp_path: Path) -> None:
    """The others are compared as if it had not been measured."""
    found = [half_trained(one) if one.cell.block == 2 and one.cell.implementation == KERAS else one for one in clear()]
    directory = save(tmp_path / "out", found)
    runs = build.read(directory).runs
    assert runs.loc[runs["attested"] == "no", ["implementation", "block"]].to_numpy().tolist() == [[KERAS, 2]]
    assert build.read(directory).frames["summary"].set_index("implementation")["processes"][KERAS] == 2


def test_charts_and_other_formats_leave_it_out(directory: Path) -> None:
    """The rows of all charts; the statistics for pytest-benchmark, whose records still hold it."""
    results = build.read(directory)
    assert KERAS not in [name for name, _ in axes.rows(results.runs)]
    content = json.loads(benchmark_json.export(directory)[0])
    assert content["benchmarks"] and not [one for one in content["benchmarks"] if KERAS in one["name"]]
    assert [one for one in content["fcnbench"]["cells"] if one["cell"]["implementation"] == KERAS]


def test_a_comparison_calls_it_lost(directory: Path, tmp_path: Path) -> None:
    """It did the work before, and has no speed now."""
    base = save(tmp_path / "base", clear())
    found = compare.compare(base, directory, 0.05)
    assert "it does not do the same work any more" in " ".join(found.text.split())
    assert any(KERAS in name for name in found.regressions)


def test_every_speed_may_be_withheld(tmp_path: Path) -> None:
    """Where all that is left is nothing to compare, the answer says why."""
    found = session({"matched-pytorch": [1.0, 1.0]}, control=[1.0, 1.0])
    late = [
        replace(one, epochs=tuple(replace(epoch, predict_s=0.9, again_s=0.01) for epoch in one.epochs)) for one in found
    ]
    said = " ".join(build.build(save(tmp_path / "out", late)).text.split())
    assert "work worth 89 % of an epoch's time was put off until then" in said
    assert "1.00 s" not in said

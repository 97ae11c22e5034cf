"""The tutorials' files: what they say, mistakes in them, and that a sixth tutorial is one file."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from synthetic import MACHINE, result

from bench.cli import list as cli_list
from bench.data import tutorials
from bench.errors import FcnBenchError
from bench.report import runs as report_runs
from bench.report.chapters.claims import ledger

SIXTH = """
number = 6
title = "Sixth"
english = "A sixth tutorial"
published = "nowhere"
date = "2026-01-01"

[networks.mlp-7]
layers = [{ units = 7, activation = "relu" }, { units = 10 }]
batch_size = 64
epochs = 5
optimiser = { kind = "sgd", learning_rate = 0.1 }

[[claims]]
kind = "figure"
says = "seven units take a minute"
workload = "mlp-7"
framework = "pytorch"
device = "cpu"
quantity = "epoch_s"
low = 60.0
high = 60.0
about = 0.1
"""
Add = Callable[..., Path]


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Add:
    """``add(old, new)``: the five tutorials and the sixth, in which ``old`` reads ``new``."""

    def add(old: str = "", new: str = "") -> Path:
        folder = tmp_path / "tutorials"
        shutil.copytree(tutorials.FOLDER, folder)
        assert old in SIXTH
        (folder / "six.toml").write_text(SIXTH.replace(old, new) if old else SIXTH, encoding="utf-8")
        monkeypatch.setattr(tutorials, "FOLDER", folder)
        return folder / "six.toml"

    return add


def test_each_tutorial_says_what_is_known_of_it() -> None:
    """Title, place and date, or that they are not known; none is empty."""
    found = tutorials.load()
    assert [tutorial.number for tutorial in found] == [1, 2, 3, 4, 5]
    assert [tutorial.date for tutorial in found] == [*["undated"] * 4, "2025-09-06"]
    assert "PyTorch" in found[0].title and found[0].published == "chinasem.cn"
    assert all((tutorial.title, tutorial.english, tutorial.published, tutorial.remarks) for tutorial in found)
    assert all(network.document == tutorial.number for tutorial in found for network in tutorial.networks)


def test_claims_are_about_networks_that_there_are() -> None:
    """A misspelt name would never be measured."""
    known = tutorials.networks()
    for tutorial in tutorials.load():
        for claim in tutorial.claims:
            if not isinstance(claim, tutorials.AccuracyClaim):
                assert claim.workload in known
            if isinstance(claim, tutorials.SpreadClaim):
                assert claim.other in known
    assert tutorials.headline() == "mlp-128-64" and len(tutorials.figure_claims()) == 6


def test_a_sixth_tutorial_is_one_file(add: Add) -> None:
    """Its network is listed, its claim is a line of the ledger."""
    add()
    listed = next(line for line in cli_list.text(None, 200).splitlines() if line.startswith("mlp-7 "))
    assert listed.split()[1] == "6"
    network = tutorials.networks()["mlp-7"]
    results = [result("documented-pytorch", workload=network, block=block, epoch_s=59.0 + block) for block in (1, 2, 3)]
    frame = ledger.ledger(
        report_runs.runs_frame(results, []), report_runs.epochs_frame(results), results,
        report_runs.machines_frame([MACHINE]),
    )  # fmt: skip
    (line,) = frame[frame["says"] == "seven units take a minute"].to_dict("records")
    assert line["document"] == 6 and line["blocks"] == 3 and line["verdict"].value == "confirmed"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("number = 6", "number = 5", ["number 5 is taken by 5.toml"]),
        ("number = 6", "number = 0", ["number is 0", "greater than or equal to 1"]),
        ("number = 6\n", "", ["number is missing: add it"]),
        ("networks.mlp-7", "networks.mlp-128", ["network mlp-128 is taken by 2.toml"]),
        ("units = 7", "units = 0", ["mlp-7.layers.0.units is 0"]),
        ('published = "nowhere"', 'publisher = "nobody"', ["published is missing"]),
        ('date = "2026-01-01"', 'date = "2026-01-01"\ncolour = 1', ["colour is not a known key"]),
        ('kind = "figure"', 'kind = "guess"', ["claims.0", "'figure', 'contrast', 'accuracy', 'spread'"]),
        ('quantity = "epoch_s"', 'quantity = "height"', ["claims.0.quantity is 'height'", "'epoch_s'"]),
        ("about = 0.1", "", ["claims.0.about is missing"]),
        ("about = 0.1", "about = 0.1\nover = 'seeds'", ["claims.0.over is not a known key"]),
        ("number = 6", "number =", ["not valid TOML", "line 2"]),
    ],
)
def test_a_mistake_is_told_with_file_and_key(add: Add, old: str, new: str, words: list[str]) -> None:
    """On one line."""
    path = add(old, new)
    with pytest.raises(FcnBenchError) as refused:
        tutorials.load()
    line = str(refused.value)
    assert "\n" not in line and str(path) in line
    assert all(word in line for word in words), line

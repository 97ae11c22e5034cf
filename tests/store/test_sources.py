"""The programs that were run, cut into what is shown of them."""

from pathlib import Path

import pytest
from synthetic import clear, save

from bench.report import build
from bench.report.chapters.claims import sources
from bench.store import sources as store_sources
from impls import registry

PROGRAM = '''
"""A program."""

import math  # of Python
import numpy as np
import torch
from torch import nn

from impls.workload import Dense


class Implementation:
    """It trains."""

    def build(self):
        return nn.Sequential(
            nn.Linear(784, 10),
        )

    def train_epoch(self, order):
        """One pass."""
        # every batch
        for batch in torch.from_numpy(order).split(64):

            self.step(batch)
        return math.nan
'''


def test_a_program_is_cut_and_counted() -> None:
    """The layer and the loop as they are written; lines that have code, calls, names of the framework alone."""
    program = sources.cut(PROGRAM, ("Linear", "Dense"))
    assert program.layer == "nn.Linear(784, 10)"
    assert program.loop.startswith("def train_epoch(self, order):") and program.loop.endswith("return math.nan")
    assert program.loop_lines == 4 and program.calls == 3
    assert program.names == ("nn.Linear", "nn.Sequential", "torch.from_numpy")
    assert program.lines == 5 + 1 + 4 + 4


@pytest.mark.parametrize("text", ["def train_epoch(:", "x = 1"], ids=["no Python", "no loop"])
def test_what_cannot_be_cut_is_left_out(tmp_path: Path, text: str) -> None:
    """A report is made all the same."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "mine.py").write_text(text)
    assert sources.read(tmp_path) == {}


def test_the_files_that_were_run_are_kept(tmp_path: Path) -> None:
    """Copies, by the implementations' names; of every built-in program that trains the parts are found."""
    entries = [
        entry
        for entry in registry.BUILT_IN
        if entry.tier in ("documented", "matched") and entry.framework != "jax" and "autotune" not in entry.name
    ]
    store_sources.keep(tmp_path, entries)
    found = sources.read(tmp_path)
    assert set(found) == {entry.name for entry in entries}
    assert all(program.layer and program.loop_lines and program.names for program in found.values())
    assert found["matched-pytorch"].layer == "nn.Linear(math.prod(before), layer.units)"
    kept = (tmp_path / "sources" / "documented-keras.py").read_text()
    assert kept == Path("impls/documented/keras.py").read_text()


def test_the_report_puts_them_side_by_side(tmp_path: Path) -> None:
    """Each tier that has both frameworks, with the document's own words; without sources there is no such part."""
    directory = save(tmp_path / "out", clear())
    assert "The same in code" not in build.build(directory).html.read_text()
    store_sources.keep(directory, [entry for entry in registry.BUILT_IN if entry.tier in ("documented", "matched")])
    page = build.build(directory).html.read_text()
    assert "The same in code" in page and "nn.Linear(in_features=784, out_features=128)" in page
    assert "loss.backward()" in page and "self.model.fit(" in page
    assert "lines in the training loop" in (directory / "report.md").read_text()

"""`import bench`: the names that others build on."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic import clear, save

import bench
from bench.errors import FcnBenchError
from bench.report import build

ROOMS = {path.stem for path in Path(bench.__file__).parent.iterdir()} - {"__init__", "__pycache__"}


@pytest.mark.process
def test_import_bench_imports_nothing_else() -> None:
    """Neither pandas nor NumPy nor a framework, nor any of our own rooms."""
    code = "import sys, bench; bench.run, bench.read; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert modules.isdisjoint({"numpy", "pandas", "pydantic", "typer", "torch", "keras", "tensorflow", "jax"})
    assert {name for name in modules if name.startswith(("bench.", "impls"))} == set()


def test_no_public_name_is_that_of_a_room() -> None:
    """Importing the room would put it in the function's place."""
    assert {"run", "read"}.isdisjoint(ROOMS) and "report" in ROOMS


def test_results_are_read_as_frames(tmp_path: Path) -> None:
    """A row for each process and for each epoch; the path may be a text."""
    save(tmp_path / "out", clear())
    results = bench.read(str(tmp_path / "out"))
    assert isinstance(results.runs, pd.DataFrame) and isinstance(results.epochs, pd.DataFrame)
    assert len(results.runs) == len(clear()) and {"cell", "implementation", "epoch_s"} <= set(results.runs)
    assert set(results.epochs["cell"]) == set(results.runs["cell"])
    with pytest.raises(FcnBenchError, match="no results here"):
        bench.read(tmp_path / "none")


def test_what_was_read_can_be_reported_and_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the commands do; the base is a directory, or what was read from one."""
    for name in ("base", "new"):
        save(tmp_path / name, clear())
    base, new = bench.read(tmp_path / "base"), bench.read(tmp_path / "new")
    monkeypatch.setattr(build, "build", lambda directory: ("built", directory))
    assert new.report() == ("built", tmp_path / "new")
    found = new.compare(base)
    assert found == new.compare(str(tmp_path / "base")) and found.regressions == () and "pytorch" in found.text


@pytest.mark.process
def test_a_run_takes_the_options_by_name(
    tmp_path: Path,
    plugin: Callable[..., Path],
    workload_file: Path,
    tiny_data: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its lines are told where that is asked for; what is measured is read. A second run measures nothing anew."""
    usual = {
        "workloads": workload_file, "data": tiny_data, "implementation": ["null"], "plugin": [plugin()],
        "device": ["cpu"], "threads": [1], "blocks": 1, "epochs": 2,
    }  # fmt: skip
    lines: list[str] = []
    results = bench.run(tmp_path / "out", say=lambda line, **_: lines.append(line), **usual)
    assert set(results.runs["implementation"]) == {"null", "plain"} and len(results.runs) == 3
    assert any("same work? plain" in line for line in lines)
    again = bench.run(str(tmp_path / "out"), **usual)
    assert list(again.runs["started"]) == list(results.runs["started"])
    assert np.isfinite(again.epochs["test_loss"]).all() and capsys.readouterr().out == ""
    with pytest.raises(FcnBenchError, match="unknown workload"):
        bench.run(tmp_path / "out", workload=["zzz"])
    with pytest.raises(TypeError, match="blokcs"):
        bench.run(tmp_path / "out", blokcs=3)

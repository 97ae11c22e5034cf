"""What CONTRIBUTING.md shows is what works."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

PAGE = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.fixture
def example(tmp_path):
    """The page's complete implementation as a plugin file."""
    path = tmp_path / "matched_eager.py"
    path.write_text(re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1], encoding="utf-8")
    return path


def fcnbench(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "bench.cli.main", *map(str, arguments)], capture_output=True, text=True
    )


def test_example_passes_the_gate(example):
    """The page's example does the same work as the oracle."""
    done = fcnbench("verify", "--plugin", example, "--workload", "mlp-128-64")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "matched-eager: mlp-128-64, cpu: passed" in done.stdout


def test_example_is_measured_beside_a_built_in(example, tiny_data, tmp_path):
    """The page's example runs through `run --plugin` and gets its row."""
    done = fcnbench(
        "run", "--plugin", example, "--implementation", "null", "--data", tiny_data, "--blocks", 1,
        "--epochs", 2, "--threads", 1, "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    runs = (tmp_path / "out" / "runs.csv").read_text()
    assert ",matched-eager,matched,eager,mlp-128-64,cpu," in runs

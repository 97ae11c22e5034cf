"""Questions to a framework, each answered in a process of its own, so that no framework is imported beside the tests."""

import importlib.util
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.session.blocks import rounds
from bench.session.session import Session
from bench.store.records.cell import Cell
from bench.store.records.training import TrainingResult


def ask(script: str, folder: Path, given: dict[str, np.ndarray], **environment: str) -> dict[str, np.ndarray]:
    """Run ``script`` in a fresh interpreter; arrays go in and come out as files, apart from what it prints."""
    np.savez(folder / "given.npz", **given)
    command = [sys.executable, "-c", script, str(folder / "given.npz"), str(folder / "answer.npz")]
    done = subprocess.run(command, env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1", **environment}, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return dict(np.load(folder / "answer.npz"))


def needs(*modules: str) -> None:
    """Skip where a framework is missing, without importing it here."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        pytest.skip(f"{missing[0]} is not installed")


def alone(session: Session, cell: Cell) -> TrainingResult:
    """A cell that trains, measured by itself, with no more epochs than it asks for."""
    (result,) = rounds.measured(session, [cell], random.Random(0), lambda costs, spread: dict.fromkeys(costs, 0))
    return result

"""``--python FRAMEWORK=PATH``: an interpreter for each framework, where they cannot share one environment."""

import difflib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.errors import FcnBenchError
from impls.frameworks import EXAMPLE
from impls.registry import Entry

NEEDS = "it needs Python 3.11 or newer with numpy and psutil"
TIMEOUT_S = 120.0
ASK = """
import importlib.metadata, json, platform, sys
found = {"python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        found[name] = "not installed"
print(json.dumps(found))
"""
ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-P", "-m", "bench.worker.main")


def assigned(entries: Sequence[Entry], asked: Sequence[str]) -> list[Entry]:
    """The rows, each with the interpreter that was asked for: by the row's name, what it computes with, or its API.

    Where several fit, the first of these wins. Raises FcnBenchError for what is no such option, for a framework that no
    row runs on, and for a program that does not exist.
    """
    given: dict[str, str] = {}
    names = {name for entry in entries for name in keys(entry)}
    for text in asked:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise FcnBenchError(f"--python {text!r}: expected FRAMEWORK=PATH, such as {EXAMPLE}")
        if name not in names:
            near = difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}=...?" if near else f"choose from {', '.join(sorted(names))}"
            raise FcnBenchError(f"--python {text}: nothing that was asked for runs on {name!r}: {hint}")
        if name in given:
            raise FcnBenchError(f"--python {text}: {name} has {given[name]} already; give it one interpreter")
        if not (Path(path).is_file() and os.access(path, os.X_OK)):
            raise FcnBenchError(f"--python {text}: no such program; give an interpreter, such as /envs/tf/bin/python")
        given[name] = str(Path(path).absolute())  # not resolved: it is by its link that a venv's Python finds the venv
    chosen = [next((given[name] for name in keys(entry) if name in given), "") for entry in entries]
    return [replace(entry, python=python) for entry, python in zip(entries, chosen, strict=True)]


def keys(entry: Entry) -> tuple[str, ...]:
    """By what a row can be named, the most special first."""
    return tuple(dict.fromkeys((entry.name, *entry.engine_names, entry.framework)))


@cache
def foreign_versions(python: str, packages: tuple[str, ...]) -> Mapping[str, str]:
    """The version of that interpreter, and of its packages by its metadata; ``not installed`` for what it lacks."""
    found = {}
    try:
        done = subprocess.run(
            [python, "-P", "-c", ASK, *packages],
            capture_output=True, text=True, check=True, timeout=TIMEOUT_S, env={**os.environ, "PYTHONPATH": ""},
        )  # fmt: skip
        found = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise FcnBenchError(f"--python {python}: does not tell its packages ({error}); {NEEDS}") from error
    return found  # type: ignore[no-any-return]  # as ASK prints it


def command(entry: Entry) -> tuple[str, ...]:
    """What starts a worker for an implementation: with its own interpreter, where it has one."""
    return (entry.python, "-P", str(ROOT / "bench" / "worker" / "bootstrap.py")) if entry.python else COMMAND


def versions(entry: Entry) -> Mapping[str, str]:
    """The versions that a row runs with: those of its own interpreter, where it has one."""
    return foreign_versions(entry.python, entry.packages) if entry.python else package_versions(entry.packages)


def package_versions(packages: Iterable[str]) -> Mapping[str, str]:
    """The installed versions, read from their metadata."""
    return {package: package_version(package) for package in packages}


@cache
def package_version(package: str) -> str:
    """One package's version, or ``not installed``."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"

"""One interpreter for each framework: a comparison across two real environments, and what is said where one is unfit."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path

import pytest

from bench.errors import FcnBenchError
from bench.worker import availability, interpreters, process, requests
from bench.worker.answer import log_tail
from bench.worker.messages import PROTOCOL, Hello
from bench.worker.process import Placement, entry_point
from bench.worker.requests import Start
from impls.registry import BUILT_IN

pytestmark = pytest.mark.process

NEEDED = ("numpy", "psutil")


def environment(folder: Path, package: str) -> Path:
    """A virtual environment of its own with what a worker needs, and one package more, of version 9.1; its Python."""
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = (folder / "lib").glob("python*/site-packages")
    for name in NEEDED:
        found = distribution(name)
        for top in {Path(str(file)).parts[0] for file in found.files or []} - {".."}:
            (site / top).symlink_to(Path(str(found.locate_file(top))))
    (site / f"{package}.py").write_text('"""A framework that only this environment has."""\n')
    (site / f"{package}-9.1.dist-info").mkdir()
    (site / f"{package}-9.1.dist-info" / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package}\nVersion: 9.1\n"
    )
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def pythons(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two environments: ``keras`` is installed in one alone, ``jax`` in the other alone; both are stand-ins."""
    return {name: environment(tmp_path_factory.mktemp("environments") / name, name) for name in ("keras", "jax")}


def fcnbench(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command line, as a user runs it."""
    command = [sys.executable, "-P", "-m", "bench.cli.main", *map(str, arguments)]
    path = os.pathsep.join(map(str, (interpreters.ROOT, *sys.path)))
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})


OWN = """
import {package}

class Implementation(Regression):
    switches = property(lambda self: {{"python": __import__("sys").prefix, "modules": sorted(__import__("sys").modules)}})
"""


def test_two_frameworks_in_two_environments_are_compared(
    pythons: dict[str, Path], plugin: Callable[..., Path], tiny_data: Path, workload_file: Path, tmp_path: Path
) -> None:
    """Each program runs, is proved and has its versions from its own interpreter, which has nothing of the harness's."""
    files = {name: plugin(f"with_{name}", OWN.format(package=name)) for name in pythons}
    out = tmp_path / "out"
    asked = [part for name, file in files.items() for part in ("--plugin", file, "--implementation", f"with-{name}")]
    asked += [part for name, path in pythons.items() for part in ("--python", f"with-{name}={path}")]
    done = fcnbench("run", *asked, "--workloads", workload_file, "--data", tiny_data, "--blocks", 1, "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    cells = [json.loads(path.read_text()) for path in (out / "cells").glob("*.json")]
    assert {cell["status"] for cell in cells} == {"ok"}
    assert {json.loads(path.read_text())["status"] for path in (out / "gates").glob("*.json")} == {"passed"}
    for cell in cells:
        name = cell["cell"]["implementation"].removeprefix("with-")
        assert cell["versions"][name] == "9.1"
        assert Path(cell["switches"]["python"]) == pythons[name].parent.parent
        loaded = {module.partition(".")[0] for module in cell["switches"]["modules"]}
        assert {"pandas", "pydantic", "typer", "scipy", "rich", "pynvml"}.isdisjoint(loaded)


def test_a_program_is_not_run_where_its_framework_is_missing(
    pythons: dict[str, Path], plugin: Callable[..., Path], tiny_data: Path, workload_file: Path, tmp_path: Path
) -> None:
    """The other environment's packages are not seen, nor this one's."""
    file = plugin("with_keras", OWN.format(package="keras"))
    asked = ("--plugin", file, "--implementation", "with-keras", "--python", f"with-keras={pythons['jax']}")
    done = fcnbench("run", *asked, "--workloads", workload_file, "--data", tiny_data, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "keras is not installed" in done.stderr and len(done.stderr.splitlines()) == 1


def test_versions_and_digest_come_from_the_rows_own_interpreter(pythons: dict[str, Path]) -> None:
    """What is installed there decides what is measured again."""
    assert interpreters.foreign_versions(str(pythons["jax"]), ("jax", "keras", "numpy")) == {
        "python": ".".join(map(str, sys.version_info[:3])),
        "jax": "9.1",
        "keras": "not installed",
        "numpy": distribution("numpy").version,
    }


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (["tensorflow=A"], {"documented-keras": "A", "matched-keras": "A"}),
        (["torch=A"], {"documented-pytorch": "A", "matched-pytorch": "A", "matched-keras-torch": "A"}),
        (["pytorch=A", "jax=B"], {"documented-pytorch": "A", "matched-keras-torch": "A", "matched-keras-jax": "B"}),
        (["keras=A", "jax=B"], {"matched-keras": "A", "matched-keras-jax": "B", "matched-keras-torch": "A"}),
        (["matched-keras=B", "tensorflow=A"], {"matched-keras": "B", "documented-keras": "A"}),
        ([], {"matched-keras": "", "null": ""}),
    ],
)
def test_a_row_has_the_interpreter_of_what_computes(tmp_path: Path, asked: list[str], expected: dict[str, str]) -> None:
    """Its own name goes before the framework under Keras, and that before Keras; others keep this interpreter."""
    for name in ("A", "B"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    given = [text.replace("=", f"={tmp_path}{os.sep}") for text in asked]
    found = {entry.name: Path(entry.python).name for entry in interpreters.assigned(BUILT_IN, given)}
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("python", "--python 'python': expected FRAMEWORK=PATH, such as tensorflow=/envs/tf/bin/python"),
        ("tensorflow=", "--python 'tensorflow=': expected FRAMEWORK=PATH, such as tensorflow=/envs/tf/bin/python"),
        ("tensorfow=/bin/sh", "nothing that was asked for runs on 'tensorfow': did you mean tensorflow=...?"),
        ("tensorflow=/nowhere/python", "no such program; give an interpreter, such as /envs/tf/bin/python"),
        ("tensorflow=/usr", "no such program; give an interpreter, such as /envs/tf/bin/python"),
    ],
)
def test_an_interpreter_that_cannot_be_is_refused_with_one_line(text: str, line: str) -> None:
    """Before anything is started."""
    with pytest.raises(FcnBenchError) as found:
        interpreters.assigned(BUILT_IN, [text])
    assert line in str(found.value)


def program(path: Path, text: str) -> str:
    """A program that stands where an interpreter should."""
    path.write_text(f"#!{sys.executable}\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("print('no worker')", "exit status 0 before it had answered"),
        ("raise SystemExit('no module named numpy')", "no module named numpy"),
        ('print(\'{"is": "Hello", "protocol": 0}\')', "the worker speaks protocol 0, this is protocol 4"),
        (
            'print(\'{"name": "hello", "values": {"protocol": 2}}\')',
            "did not say which protocol it speaks, this is protocol 4",
        ),
        ('print(\'{"is": "Ended", "status": "ok", "reason": ""}\')', "did not say which protocol"),
    ],
)
def test_an_interpreter_that_runs_no_worker_of_ours_is_refused_with_one_line(
    tmp_path: Path, text: str, why: str
) -> None:
    """What it lacks, or that it speaks another protocol, and what is needed."""
    row = BUILT_IN[0]
    (entry,) = interpreters.assigned([row], [f"{row.name}={program(tmp_path / 'python', text)}"])
    with pytest.raises(FcnBenchError) as found:
        availability.check_interpreters([entry])
    assert why in str(found.value) and interpreters.NEEDS in str(found.value)


def test_a_worker_that_is_asked_in_another_protocol_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides look: the answer says which is which."""
    entry = next(entry for entry in BUILT_IN if entry.name == "null")
    monkeypatch.setattr(requests, "PROTOCOL", PROTOCOL + 1)
    answer = process.ask(entry, Start(entry_point(entry)), Placement("cpu", (0,)), tmp_path / "log", 60)
    assert answer.messages[0] == Hello(PROTOCOL)
    assert answer.outcome == (
        "failed", f"ValueError: asked in protocol {PROTOCOL + 1}, this worker speaks {PROTOCOL}",
    )  # fmt: skip


def test_another_interpreter_sees_nothing_that_lies_beside_our_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where this project is installed: what is beside it belongs to another environment."""
    for name in ("bench", "impls"):
        shutil.copytree(interpreters.ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "numpy.py").write_text("raise SystemExit('the numpy of another environment')")
    monkeypatch.setattr(interpreters, "ROOT", tmp_path)
    entry = replace(BUILT_IN[0], python=f"{Path(sys.executable).parent}/./{Path(sys.executable).name}")
    answer = process.ask(entry, Start(entry_point(entry)), Placement("cpu", (0,)), tmp_path / "log", 60)
    assert answer.outcome == ("ok", ""), log_tail(tmp_path / "log")


def test_a_worker_imports_what_its_dependency_group_names(pythons: dict[str, Path]) -> None:
    """Nothing beside the standard library, NumPy and psutil; nvidia-ml-py only where there is a GPU to ask about."""
    code = (
        "import sys; sys.path.append(sys.argv[1]); import bench.worker.main; import bench.worker.jobs as jobs, pkgutil; "
        "all(map(__import__, (f'bench.worker.jobs.{job.name}' for job in pkgutil.iter_modules(jobs.__path__)))); "
        "print(*{name.partition('.')[0] for name in sys.modules if 'cython' not in name} - sys.stdlib_module_names)"
    )
    done = subprocess.run(
        [pythons["jax"], "-I", "-c", code, interpreters.ROOT], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == {"__main__", "bench", "impls", "numpy", "psutil"}
    project = tomllib.loads((interpreters.ROOT / "pyproject.toml").read_text())
    group = {line.partition(">=")[0] for line in project["dependency-groups"]["worker"]}
    assert group == {"numpy", "psutil", "nvidia-ml-py"} and set(project["dependency-groups"]["worker"]) <= set(
        project["project"]["dependencies"]
    )

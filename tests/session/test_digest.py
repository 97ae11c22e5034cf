"""What a digest stands for: the code of a job, followed by import statements, and the facts beside it."""

import ast
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import grimp
import pytest

from bench.session import digest
from impls import registry

JOBS = ("breakdown", "check", "export", "floor", "predict", "probe", "steps", "sweep", "train", "verify")
Edited = Callable[..., str]


@pytest.fixture
def edited(monkeypatch: pytest.MonkeyPatch) -> Edited:
    """``edited("train", ["impls.null"], "bench.errors")``: the digest with other code in a module."""

    def edited(job: str, modules: list[str], module: str = "") -> str:
        real = digest.module_code
        assert not module or real(module).digest != module
        with monkeypatch.context() as patch:
            patch.setattr(digest, "module_code", lambda name: replace(real(name), digest=f"{name == module} {name}"))
            return digest.of_job(job, modules)

    return edited


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom, found by grimp."""
    return grimp.build_graph("bench", "impls", exclude_type_checking_imports=True, cache_dir=None)


def test_the_closure_is_the_one_that_grimp_finds(graph: grimp.ImportGraph) -> None:
    """Of each job, each implementation, each library of the floor and the worker: the same modules, no more, no fewer."""
    rows = {entry.module for entry in (*registry.BUILT_IN, *registry.floors())}
    for module in (digest.WORKER, *(f"bench.worker.jobs.{job}" for job in JOBS), *sorted(rows)):
        assert digest.closure(module) == {module, *graph.find_upstream_modules(module)}, module


def test_every_job_has_a_closure_that_is_tested() -> None:
    """A module of the jobs that is not named above would not be compared."""
    folder = Path(str(registry.module_file("bench.worker.jobs"))).parent
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == set(JOBS)


def test_no_module_of_ours_is_named_in_a_string_on_a_jobs_path() -> None:
    """But for the job itself, by the worker: what is imported by name comes from the request, and so does its digest."""
    modules = set().union(*(digest.closure(digest.WORKER, f"bench.worker.jobs.{job}") for job in JOBS))
    named = {module for module in modules for text in imported_by_name(module) if text.startswith(("bench", "impls"))}
    assert named == {digest.WORKER}


def imported_by_name(module: str) -> Iterator[str]:
    """The beginnings of the texts that a module hands to a function that imports."""
    tree = ast.parse(digest.source(str(registry.module_file(module))))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        if name in ("import_module", "__import__", "run_module", "find_class"):
            first = call.args[0].values[0] if isinstance(call.args[0], ast.JoinedStr) else call.args[0]
            yield str(getattr(first, "value", ""))


def test_a_job_has_no_other_jobs_code() -> None:
    """So that a change of the sweep leaves every training valid."""
    for job in JOBS:
        code = digest.closure(digest.WORKER, f"bench.worker.jobs.{job}")
        assert {name for name in code if name.startswith("bench.worker.jobs")} == {f"bench.worker.jobs.{job}"}


@pytest.mark.parametrize(
    ("added", "counts"),
    [(b"# a remark\n", False), (b'\n"""Below a constant."""\n', False), (b"\n\n", False), (b"\nADDED = 1\n", True)],
)
def test_a_comment_or_a_docstring_changes_nothing_and_a_constant_does(
    monkeypatch: pytest.MonkeyPatch, added: bytes, counts: bool
) -> None:
    """Nor do empty lines, in whichever module of a job."""
    read, real = digest.source, digest.module_code
    for module in digest.closure(digest.WORKER, "bench.worker.jobs.train", "impls.matched.pytorch"):
        with monkeypatch.context() as patch:
            patch.setattr(digest, "source", lambda file: read(file) + added)
            assert (real.__wrapped__(module).digest != real(module).digest) is counts, module


def test_docstrings_do_not_count_wherever_they_stand(tmp_path: Path) -> None:
    """Of a module, a class, a function, in a branch; a text that is used does."""
    code = '"""{0}"""\nclass A:\n    """{0}"""\n    def f(self):\n        """{0}"""\n        if 1:\n            "{0}"\n'
    found = set()
    for number, text in enumerate((code.format("a"), code.format("b") + "# c", code.format("a") + "X = 'd'\n")):
        path = tmp_path / f"mine{number}.py"
        path.write_text(text)
        found.add(digest.of_job("train", [str(path)]))
    assert len(found) == 2


@pytest.mark.parametrize(
    "module",
    [
        "bench.machine.memory", "bench.machine.gpu", "bench.data.mnist", "bench.data.holdout",
        "bench.store.records.training", "bench.store.records.cell", "bench.worker.program", "bench.worker.timing",
        "bench.worker.channel", "bench.worker.messages", "bench.worker.main", "bench.worker.jobs.train",
        "impls.contract", "impls.workload", "impls.loading", "impls.portable", "impls.oracle.training",
        "impls.oracle.layers", "impls.layout", "impls.matched.pytorch",
    ],
)  # fmt: skip
def test_a_constant_in_the_harness_or_the_implementation_is_another_digest(edited: Edited, module: str) -> None:
    """What the worker runs besides the implementation decides too."""
    entry = ["impls.matched.pytorch"]
    assert edited("train", entry, module) != edited("train", entry)


@pytest.mark.parametrize(
    ("module", "jobs"),
    [
        ("bench.worker.jobs.sweep", {"sweep"}),
        ("bench.worker.jobs.floor", {"floor"}),
        ("impls.floor", {"floor"}),
        ("bench.verification.checks", {"verify"}),
        ("bench.verification.oracle", {"verify", "export"}),
        ("bench.verification.samples", {"verify", "export"}),
        ("bench.verification.dropout", {"verify"}),
        ("bench.verification.candidate", {"verify"}),
        ("bench.report.page", set()),
        ("bench.session.session", set()),
        ("impls.tuned.pytorch", set()),
    ],
)
def test_a_change_invalidates_what_it_decides_and_nothing_else(edited: Edited, module: str, jobs: set[str]) -> None:
    """A change of the sweep leaves trainings valid, one of the report everything."""
    entry = ["impls.null"]
    assert {job for job in JOBS if edited(job, entry, module) != edited(job, entry)} == jobs


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    """In a function, in a branch, of a module or of what stands in it, by a plain import; not those for type checkers."""
    path = tmp_path / "mine.py"
    path.write_text(
        "from typing import TYPE_CHECKING\n"
        "import impls.layout\n"
        "import numpy\n"
        "if TYPE_CHECKING:\n    from bench.report import page\n"
        "def f():\n    try:\n        from impls.oracle import layers\n    except ImportError:\n"
        "        from bench.data.mnist import load\n"
    )
    assert digest.module_code(str(path)).imports == {"impls.layout", "impls.oracle.layers", "bench.data.mnist"}


def test_what_lies_beside_a_plugin_counts(tmp_path: Path) -> None:
    """A plugin may be written in several files, one of them a package; where they lie does not matter."""
    found = []
    for folder, text in (("a", "X = 1"), ("b", "X = 1"), ("c", "X = 2")):
        (tmp_path / folder / "parts").mkdir(parents=True)
        (tmp_path / folder / "mine.py").write_text("import helper\nfrom parts import one")
        (tmp_path / folder / "helper.py").write_text("from impls import layout")
        (tmp_path / folder / "parts" / "__init__.py").write_text(text)
        plugin = str(tmp_path / folder / "mine.py")
        names = {Path(name).name for name in digest.closure(plugin)}
        assert names == {"mine.py", "helper.py", "__init__.py", "impls.fields", "impls.layout", "impls.workload"}
        found.append(digest.of_job("train", [plugin]))
    assert found[0] == found[1] != found[2]


def test_an_installed_package_is_followed_into_its_own_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By absolute and by relative imports."""
    package = tmp_path / "stranger" / "deep"
    package.mkdir(parents=True)
    files = {
        "../__init__": "", "__init__": "", "mine": "from . import near\nfrom ..far import X\nimport stranger.other",
        "near": "", "../far": "X = 1", "../other": "import json",
    }  # fmt: skip
    for name, text in files.items():
        (package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    found = digest.closure("stranger.deep.mine")
    assert found == {"stranger.deep.mine", "stranger.deep.near", "stranger.far", "stranger.other"}


@pytest.mark.parametrize("text", [b"def broken(:\n", b"x = '\0'"])
def test_a_plugin_that_is_no_python_has_a_digest_too(tmp_path: Path, text: bytes) -> None:
    """The plan is made all the same; the cell fails when it is run, and says why."""
    path = tmp_path / "mine.py"
    path.write_bytes(text)
    assert digest.module_code(str(path)).imports == set()


def test_a_module_that_is_nowhere_is_known_by_its_name() -> None:
    """As above."""
    for module in ("no_such_package.module", "impls.no_such_module", "json.decoder.too_deep", "sys"):
        assert digest.module_code(module) == digest.ModuleCode(module)


@pytest.mark.process
def test_a_source_is_found_without_importing_what_is_around_it(tmp_path: Path) -> None:
    """A package that imports its framework, or cannot be imported at all, is read as text only."""
    package = tmp_path / "stranger" / "deep"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "mine.py").write_text("raise RuntimeError('imported')")
    code = (
        "from bench.session import digest; from impls import registry; "
        "print(registry.module_file('stranger.deep.mine'), digest.of_job('train', ['stranger.deep.mine']))"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.stderr == ""
    assert done.stdout.split()[0] == str(package / "mine.py")


def test_no_framework_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor any other package that is not ours: finding those takes time, and their versions stand beside the code."""
    asked, real = set(), importlib.util.find_spec
    for function in (digest.module_code, digest.known):
        function.cache_clear()
    monkeypatch.setattr(registry, "find_spec", lambda name: asked.add(name) or real(name))
    digest.of_job("train", ["impls.tuned.tensorflow"])
    assert asked == {"bench", "impls"}

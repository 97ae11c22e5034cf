"""The README, the CI script and the package say the same."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import grimp
import pytest
from mutants import ALL

from bench.data import tutorials
from bench.report import build, pairs
from bench.report import runs as report_runs
from bench.store import archive
from bench.store.records.verification import Verification

ROOT = Path(__file__).parent.parent
README, GUIDE, COMPARED = (
    (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/guide.md", "docs/compared.md")
)


def test_ci_runs_the_test_command_of_the_readme():
    """The README's test command stands in .ci/run, word for word but for pip's quietness."""
    command = next(line for line in README.splitlines() if line.startswith("python3 -m venv") and "pytest" in line)
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8").replace("pip install -q", "pip install")


def test_figures_of_the_readme_name_their_source():
    """The README's measured figures come from the committed reference run and say so."""
    assert "results/reference" in README
    assert (ROOT / "results" / "reference" / "runs.csv").exists()


LONG_FILES: set[str] = set()
LONG_FUNCTIONS: set[str] = set()
MANY_IMPORTS = {
    "bench.cli.main",  # the table of commands
    "bench.report.chapters",  # the table of chapters
}
"""What exceeds a limit below, with the reason."""
DOCS = sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))
SOURCES = [*(ROOT / "bench").rglob("*.py"), *(ROOT / "impls").rglob("*.py")]


def named(path):
    """A file as the lists above name it."""
    return path.relative_to(ROOT).as_posix()


def test_no_source_file_is_longer_than_300_lines():
    """A longer file is asking to be split."""
    long = {named(path) for path in SOURCES if len(path.read_text(encoding="utf-8").splitlines()) > 300}
    assert long == LONG_FILES


def test_no_function_is_longer_than_60_lines():
    """From its first line, with its signature and docstring, to its last."""
    long = {
        f"{named(path)}:{node.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= 60
    }
    assert long == LONG_FUNCTIONS


def test_no_folder_has_more_than_12_modules():
    """Besides its ``__init__``: a table of contents that is read at a glance."""
    folders = Counter(named(path.parent) for path in SOURCES if path.name != "__init__.py")
    assert {folder: number for folder, number in folders.items() if number > 12} == {}


def test_no_module_imports_more_than_10_of_ours():
    """Whoever changes it has to know them all."""
    graph = grimp.build_graph("bench", "impls", exclude_type_checking_imports=True, cache_dir=None)
    many = {name for name in graph.modules if len(graph.find_modules_directly_imported_by(name)) > 10}
    assert many == MANY_IMPORTS


def test_the_suite_stays_out_of_the_wheel_and_nothing_that_is_in_needs_it():
    """It runs in a clone, by 'pytest bench'; its conftest would otherwise be found by every pytest run beside it."""
    found = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert found["build-system"]["build-backend"] == "hatchling.build"
    wheel = found["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel == {"packages": ["bench", "impls"], "exclude": ["bench/conftest.py", "bench/suite"]}
    inside = [path for path in SOURCES if not named(path).startswith(("bench/conftest.py", "bench/suite/"))]
    pattern = re.compile(r"^\s*(from|import) bench(\.| import )(conftest|suite)\b", re.MULTILINE)
    assert [named(path) for path in inside if pattern.search(path.read_text(encoding="utf-8"))] == []


def test_tools_that_ci_runs_are_installed_with_the_tests():
    """And what they hold is what a contributor sees."""
    found = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extra = {re.split("[>=\\[]", line)[0] for line in found["project"]["optional-dependencies"]["test"]}
    assert {"ruff", "mypy", "import-linter"} <= extra
    commands = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert all(f".venv/bin/{tool}" in commands for tool in ("ruff check", "ruff format", "lint-imports", "mypy"))


def test_changelog_has_the_version_that_is_packaged():
    """Users find what is new: the packaged version or an unreleased section stands in the changelog."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert re.search(rf"^## (Unreleased|{re.escape(version)})", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_environments_of_one_framework_have_the_same_harness():
    """The dependency group that tox installs beside one framework is the dependencies without the frameworks."""
    found = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    frameworks = {"torch", "torchvision", "tensorflow", "keras"}
    rest = [line for line in found["project"]["dependencies"] if re.split("[>=]", line)[0] not in frameworks]
    assert sorted(found["dependency-groups"]["harness"]) == sorted(rest)


def test_readme_shows_what_the_reference_run_gives(tmp_path):
    """What the README shows is how `fcnbench report` begins on the committed cells, letter for letter."""
    directory = tmp_path / "reference"
    shutil.copytree(ROOT / "results" / "reference", directory)
    shown = re.search(r"```text\n(.*?)\n```", README, re.DOTALL)
    assert shown is not None
    assert build.build(directory).text.strip().startswith(shown[1]) and "A/A control" in shown[1]


def test_reference_run_is_fit_and_complete():
    """The committed run has no failed cell, passed every gate, and its control does not differ from itself."""
    path = ROOT / "results" / "reference"
    results, gates = archive.results(path), archive.records(path, Verification)
    runs = report_runs.runs_frame(results, gates)
    assert set(runs["status"]) == {"ok"}
    assert set(runs["gate"]) == {"passed"}
    assert pairs.control(runs)["fit"].all()


def test_the_readme_is_short():
    """What a newcomer reads through; everything else is in docs/."""
    assert len(README.split()) <= 900


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", *DOCS])
def test_links_lead_somewhere(page):
    """To files that are there, and to headings of pages."""
    path = ROOT / page
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        file, _, heading = target.partition("#")
        if "://" in target:
            continue
        there = path if not file else path.parent / file
        assert there.exists(), target
        if heading:
            lines = re.findall(r"^#+ (.*)", there.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}
            assert heading in anchors, target


def test_docs_say_what_the_documents_run_gave():
    """Every network of every document was trained in both frameworks, and the figures are those of its cells."""
    path = ROOT / "results" / "documents"
    runs = report_runs.runs_frame(archive.results(path), archive.records(path, Verification))
    assert set(runs["status"]) == {"ok"} and set(runs["gate"]) == {"passed"}
    assert set(runs["workload"]) == set(tutorials.networks())
    own = runs[runs["role"] == "measured"]
    assert (own.groupby("workload")["implementation"].nunique() == 4).all()
    text, convolutional = " ".join(COMPARED.split()), own["workload"] == "cnn-32-64"
    for part, what in (
        (own[convolutional], "the convolutional network reached"),
        (own[~convolutional], "the dense ones"),
    ):
        low, high = (f"{value * 100:.2f}" for value in (part["accuracy"].min(), part["accuracy"].max()))
        assert f"{what} {low} to {high} %" in text
    assert f"took {runs['process_s'].sum() / 60:.0f} minutes" in text


def test_readme_counts_the_planted_mistakes():
    """The number of planted mistakes that the README names is the number that the tests plant."""
    assert f"{len(ALL)} planted mistakes" in README


def block_after(command: str) -> str:
    """The text that the guide shows for a command or a piece of code."""
    _, _, rest = GUIDE.partition(command)
    return re.search(r"```text\n(.*?)\n```", rest, re.DOTALL)[1]  # type: ignore[index]


@pytest.mark.process
def test_the_guide_shows_what_the_suite_gave():
    """Its table is made by pytest-benchmark from the committed file; lines that are left out are marked."""
    asked = re.search(r"\.venv/bin/pytest-benchmark (compare results/reference/\S+ .*)", GUIDE)[1]
    command = [sys.executable, "-m", "pytest_benchmark", *asked.split()]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    lines = iter([line.rstrip() for line in made])
    for shown in block_after(asked).splitlines():
        assert shown == "..." or shown in lines, shown


@pytest.mark.process
def test_the_guides_snippet_prints_what_it_shows():
    """The example for pandas runs as it stands, and its answer is that of the committed CSVs."""
    code = re.search(r"```python\n(import pandas.*?)\n```", GUIDE, re.DOTALL)[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.rstrip() == block_after(code)

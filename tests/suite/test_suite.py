"""The pytest-benchmark suite as its users run it: a pytest of its own, on small data, with small programs."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bench.cli import main
from bench.store import archive

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
QUESTIONS = ("training_epoch", "first_epoch", "predict_test_set", "predict_one_image", "import_framework")


class Ran(NamedTuple):
    """What came of one pytest."""

    status: int
    out: str
    folder: Path

    @property
    def summary(self) -> str:
        """The line that counts what passed and what did not."""
        return next(line for line in reversed(self.out.splitlines()) if re.search(r" in \d+\.\d+s", line))

    @property
    def content(self) -> dict[str, Any]:
        """The JSON that it wrote."""
        return json.loads((self.folder / "out.json").read_text())  # type: ignore[no-any-return]

    @property
    def pids(self) -> list[int]:
        """The workers that said who they are."""
        path = self.folder / "pids"
        return [int(line) for line in path.read_text().split()] if path.exists() else []


Suite = Callable[..., Ran]
ALONE = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
"""The suite refuses to run side by side, and these tests may be."""
NOTED = """
    import os
    from pathlib import Path

    class Implementation(Regression):
        def load(self, data):
            super().load(data)
            with open(Path(__file__).parent / "pids", "a") as file:
                print(os.getpid(), file=file)
"""
"""A program whose worker says who it is."""


@pytest.fixture
def command(tmp_path: Path, tiny_data: Path, workload_file: Path) -> list[str]:
    """The suite on small data with the small network; results, cache and storage go to the test's folder."""
    return [
        sys.executable, "-m", "pytest", str(ROOT / "bench"), "--benchmark-only", f"--data={tiny_data}",
        f"--workloads={workload_file}", "--workload=tiny", "--threads=1", "--device=cpu", "-o", f"cache_dir={tmp_path}/cache",
        f"--benchmark-storage={tmp_path}/storage", "-p", "no:cov", "--color=no",
    ]  # fmt: skip


@pytest.fixture
def suite(command: list[str], tmp_path: Path) -> Suite:
    """``suite(*options)`` runs it to its end."""

    def suite(*options: str, **environment: str) -> Ran:
        done = subprocess.run(
            [*command, *options],
            cwd=ROOT,
            env={**ALONE, "COLUMNS": "200", **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )
        return Ran(done.returncode, done.stdout + done.stderr, tmp_path)

    return suite


def test_every_question_is_answered(
    suite: Suite, plugin: Callable[..., Path], tmp_path: Path, ends: Callable[[int], bool], capsys: Any
) -> None:
    """All benchmarks of a program, with groups, histogram, JSON, storage; the JSON becomes a result directory."""
    ran = suite(
        f"--plugin={plugin('noted', NOTED)}", "--implementation=reference-numpy", "--benchmark-autosave",
        f"--benchmark-json={tmp_path}/out.json", f"--benchmark-histogram={tmp_path}/histogram",
    )  # fmt: skip
    assert ran.status == 0, ran.out
    assert re.search(r"takes 0\.\d+ ms \(null implementation, median of 500", ran.out), ran.out
    found = {benchmark["name"]: benchmark for benchmark in ran.content["benchmarks"]}
    names = {f"test_{question}[tiny-{name}-cpu-1t]" for question in QUESTIONS for name in ("noted", "reference-numpy")}
    assert set(found) == names | {"test_round_trip"}
    assert len(list(tmp_path.glob("histogram-*.svg"))) == 6
    assert len(list((tmp_path / "storage").rglob("0001_*.json"))) == 1

    epochs = found["test_training_epoch[tiny-noted-cpu-1t]"]
    assert epochs["group"] == "training epoch: tiny, CPU, 1 thread" and epochs["stats"]["rounds"] == 3
    assert epochs["extra_info"]["gate"] == "passed" and epochs["extra_info"]["accuracy"] > 0.5
    assert found["test_round_trip"]["stats"]["rounds"] == 500
    assert found["test_predict_one_image[tiny-noted-cpu-1t]"]["stats"]["rounds"] == 50
    assert ran.content["commit_info"]["id"] and ran.content["machine_info"]["fcnbench"]["available_cpus"]

    with pytest.raises(SystemExit) as ended:
        main.main(["import-benchmark", str(tmp_path / "out.json"), "--out", str(tmp_path / "run")])
    assert not ended.value.code, capsys.readouterr().err
    (result,) = (r for r in archive.results(tmp_path / "run") if r.cell.implementation == "noted")
    assert [epoch.train_s for epoch in result.epochs[2:]] == pytest.approx(epochs["stats"]["data"], rel=1e-6)
    assert result.epochs[-1].accuracy == epochs["extra_info"]["accuracy"] and result.harness == "pytest-benchmark"
    assert "9 benchmarks of other processes" in capsys.readouterr().out
    page = re.sub("<[^>]*>", "", (tmp_path / "run" / "report.html").read_text())
    assert "Measured by the pytest-benchmark suite" in page
    assert len(set(ran.pids)) > 5 and all(ends(pid) for pid in ran.pids)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["-k", "matched and pytorch and training"], ["test_training_epoch[mlp-128-64-matched-pytorch-cpu-1t]"]),
        (["--quick", "-k", "epoch"], [
            "test_training_epoch[mlp-128-64-matched-pytorch-cpu-1t-quick]",
            "test_training_epoch[mlp-128-64-matched-keras-cpu-1t-quick]",
        ]),
        (["--workload=mlp-128", "-o", "fcnbench_workload=cnn-32-64", "-o", "fcnbench_implementation=null", "-k", "import_framework"],
            ["test_import_framework[mlp-128-64-null-cpu-1t]"]),
    ],
    ids=["-k", "quick", "asked once, command line before ini"],
)  # fmt: skip
def test_benchmarks_are_chosen_by_name(options: list[str], expected: list[str]) -> None:
    """``-k`` and the options select what their words say; nothing is started to find out."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "bench",
        "--benchmark-only",
        "--collect-only",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    given = ["--workload=mlp-128-64", "--threads=1", "--device=cpu", *options]
    done = subprocess.run([*command, *given], cwd=ROOT, env=ALONE, capture_output=True, text=True, timeout=120)
    assert [line.rpartition("::")[2] for line in done.stdout.splitlines() if "::" in line] == expected


def test_the_ini_file_stands_in_for_options(tmp_path: Path, tiny_data: Path, workload_file: Path) -> None:
    """A project's own ini file says what is measured, how often and on which data."""
    (tmp_path / "pytest.ini").write_text(
        f"""[pytest]
fcnbench_workloads = {workload_file}
fcnbench_workload = tiny
fcnbench_implementation = reference-numpy
fcnbench_threads = 1
fcnbench_device = cpu
fcnbench_rounds = 4
fcnbench_data = {tiny_data}
"""
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        str(ROOT / "bench"),
        "-c",
        str(tmp_path / "pytest.ini"),
        "-k",
        "test_set",
    ]
    done = subprocess.run(
        [*command, f"--benchmark-json={tmp_path}/out.json"],
        cwd=tmp_path,
        env=ALONE,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    (found,) = json.loads((tmp_path / "out.json").read_text())["benchmarks"]
    assert found["params"]["workload"] == "tiny" and found["stats"]["rounds"] == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-n", "2"], "-n: benchmarks that run side by side disturb each other"),
        (["--workload=mlp-999"], "unknown workload 'mlp-999': did you mean"),
        (["--rounds=0"], "--rounds 0: expected 1 or more"),
        (["-o", "fcnbench_rounds=many"], "fcnbench_rounds 'many' in the ini file: expected numbers"),
        (["--benchmark-cprofile=tottime"], "--benchmark-cprofile: would show this process waiting"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_told_in_one_line(suite: Suite, options: list[str], message: str) -> None:
    """pytest's usage error, before anything is collected."""
    ran = suite(*options)
    assert ran.status == pytest.ExitCode.USAGE_ERROR
    said = [line for line in ran.out.splitlines() if line.startswith("ERROR: ")]
    assert len(said) == 1 and message in said[0], ran.out
    assert "Traceback" not in ran.out


def test_data_that_is_not_there_ends_the_session(suite: Suite, plugin: Callable[..., Path], tmp_path: Path) -> None:
    """One line for each benchmark, no traceback."""
    ran = suite(
        f"--plugin={plugin()}", "--implementation=reference-numpy", f"--data={tmp_path}/none", "-x", "-k", "plain"
    )
    assert ran.status == pytest.ExitCode.TESTS_FAILED
    assert "none" in ran.out and "Traceback" not in ran.out and "FcnBenchError" not in ran.out


WRONG = """
    class Implementation(Regression):
        def train_epoch(self, order):
            return super().train_epoch(order[::-1])
"""
ABSENT = """
    class Implementation(Regression):
        def __init__(self, workload, device, seed):
            raise Unavailable("it needs a quantum computer")
"""
CRASHES = """
    import os

    class Implementation(Regression):
        def load(self, data):
            super().load(data)
            self.many = len(data.y_train) >= 200

        def train_epoch(self, order):
            if len(order) >= 200:
                os._exit(77)
            return super().train_epoch(order)
"""


@pytest.mark.parametrize(
    ("body", "counts", "message"),
    [
        (WRONG, {"errors": 5}, "program does not do the work of tiny: "),
        (ABSENT, {"skipped": 5}, "it needs a quantum computer"),
        (CRASHES, {"passed": 3, "failed": 2}, "exit status 77 before it had answered; its log is "),
    ],
    ids=["other work", "cannot run here", "crashes"],
)
def test_a_program_that_gives_no_figure_says_why(
    suite: Suite, plugin: Callable[..., Path], tmp_path: Path, body: str, counts: dict[str, int], message: str
) -> None:
    """What the gate refuses fails, what cannot run is skipped, what crashes fails; one line each, and no benchmark."""
    ran = suite(
        f"--plugin={plugin('program', body)}", "--implementation=null", "-k", "program", "-rs", f"--benchmark-json={tmp_path}/out.json"
    )  # fmt: skip
    assert message in " ".join(ran.out.split()) and "Traceback" not in ran.out
    assert all(f" {number} {name}" in ran.summary for name, number in counts.items()), ran.out
    path = tmp_path / "out.json"
    assert len(json.loads(path.read_text())["benchmarks"]) == counts.get("passed", 0) if path.exists() else True


@pytest.mark.parametrize(("factor", "status"), [(1000.0, 0), (0.001, 1)], ids=["faster", "slower"])
def test_a_stored_run_is_compared_with(suite: Suite, tmp_path: Path, factor: float, status: int) -> None:
    """``--benchmark-compare-fail`` passes where a stored run was slower and fails where it was faster."""
    options = ["--implementation=reference-numpy", "-k", "test_set"]
    stored = tmp_path / "out.json"
    assert suite(*options, f"--benchmark-json={stored}").status == 0
    content = json.loads(stored.read_text())
    for statistic in ("min", "max", "mean", "median"):
        content["benchmarks"][0]["stats"][statistic] *= factor
    stored.write_text(json.dumps(content))
    ran = suite(*options, f"--benchmark-compare={stored}", "--benchmark-compare-fail=mean:10%")
    assert ("Performance has regressed" in ran.out) == bool(status), ran.out
    assert (ran.status != 0) == bool(status)
    assert "machine_info is different" not in ran.out


@pytest.mark.parametrize("option", ["--benchmark-disable", "--benchmark-skip"])
def test_benchmarks_can_be_switched_off(command: list[str], option: str, tmp_path: Path) -> None:
    """Disabled, each runs once without figures; skipped, none does."""
    asked = [part for part in command if part != "--benchmark-only"]
    done = subprocess.run(
        [*asked, "--implementation=reference-numpy", option, "-k", "training or one_image"],
        cwd=ROOT,
        env=ALONE,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    assert ("2 passed" if option == "--benchmark-disable" else "2 skipped") in done.stdout


HANGS = """
    import os, time
    from pathlib import Path

    class Implementation(Regression):
        def predict(self):
            if len(self.x_test) == 100:
                with open(Path(__file__).parent / "pids", "a") as file:
                    print(os.getpid(), file=file)
                time.sleep(1000)
            return super().predict()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=["kill -9", "Ctrl-C", "kill"])
def test_no_worker_is_left_behind(
    command: list[str],
    plugin: Callable[..., Path],
    tmp_path: Path,
    appears: Callable[[Path], str],
    ends: Callable[[int], bool],
    number: int,
) -> None:
    """Whatever ends pytest in the middle of a round ends the worker too, at once."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has it ignored
    process = subprocess.Popen(
        [*command, f"--plugin={plugin('hanging', HANGS)}", "--implementation=null", "-k", "hanging and test_set"],
        cwd=ROOT,
        env=ALONE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    signal.signal(signal.SIGINT, before)
    worker = int(appears(tmp_path / "pids").split()[0])
    process.send_signal(number)
    process.communicate(timeout=60)
    assert ends(worker)


def test_a_worker_that_does_not_answer_is_given_up(
    suite: Suite, plugin: Callable[..., Path], tmp_path: Path, ends: Callable[[int], bool]
) -> None:
    """After ``--worker-timeout``; with ``-x`` nothing else is started and nothing is left."""
    ran = suite(
        f"--plugin={plugin('hanging', HANGS)}", "--implementation=null", "-k", "hanging and test_set", "-x",
        "--worker-timeout=5",
    )  # fmt: skip
    assert "no answer within 5 s" in ran.out and "Traceback" not in ran.out
    assert ran.pids and all(ends(pid) for pid in ran.pids)

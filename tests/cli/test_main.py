"""The command line: what is refused and in which words, what the exit status says, and what must not be imported."""

import csv
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import synthetic
from synthetic import UNDRAWN

from bench import files, statistics
from bench.cli import main, options
from bench.machine import checkup, description, neighbours
from bench.machine.checkup import CheckupFinding
from bench.machine.neighbours import Neighbours
from bench.report import page
from bench.session import digest
from bench.store import archive

ROOT = Path(__file__).parents[2]
FRAMEWORKS = {"torch", "torchvision", "keras", "tensorflow", "jax"}


class Done(NamedTuple):
    """What came of a command."""

    status: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def fcnbench(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """``fcnbench("run", "--blocks", 2)`` in ``tmp_path``, in this process: an exception that gets out is a failure."""
    monkeypatch.delenv("FCNBENCH_DATA", raising=False)
    monkeypatch.setenv("FCNBENCH_DEBUG", "1")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Done:
        digest.module_code.cache_clear()
        with pytest.raises(SystemExit) as left:
            main.main([str(argument) for argument in arguments])
        assert isinstance(left.value.code, int)
        return Done(left.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def run_tiny(fcnbench: Command, workload_file: Path, tiny_data: Path) -> Command:
    """``run_tiny("--plugin", path)``: a run without a framework, of small data, into ``out``."""
    usual = ["--workloads", workload_file, "--data", tiny_data, "--implementation", "null", "--device", "cpu",
             "--threads", 1, "--blocks", 1, "--epochs", 2, "--out", "out"]  # fmt: skip
    return lambda *more: fcnbench("run", *usual, *more)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """No charts, where a test is about something else."""
    monkeypatch.setattr(page, "CHAPTERS", UNDRAWN)


def check_refused(done: Done, *words: str) -> None:
    """One line on standard error with these words, and the status for unusable arguments or input."""
    assert done.status == 2
    lines = done.err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("fcnbench: ")
    assert "Traceback" not in done.out + done.err
    for word in words:
        assert word in lines[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--workload", "mlp-128-46"], ["'mlp-128-46'", "did you mean 'mlp-128-64'?"]),
        (["run", "--workload", "zzz"], ["'zzz'", "choose from", "mlp-128-64"]),
        (["run", "--implementation", "matched-pytorc"], ["did you mean 'matched-pytorch'?"]),
        (["run", "--implementation", "null", "--implementation", "zzz"], ["'zzz'", "choose from", "matched-keras"]),
        (["run", "--device", "gpu"], ["'gpu'", "cpu"]),
        (["run", "--threads", "0"], ["--threads 0", "give 1 to"]),
        (["run", "--threads", "-2"], ["--threads -2", "give 1 to"]),
        (["run", "--threads", "9999"], ["--threads 9999", "CPUs"]),
        (["run", "--threads", "two"], ["--threads", "integer"]),
        (["run", "--blocks", "0"], ["--blocks", "greater than or equal to 1"]),
        (["run", "--epochs", "0"], ["--epochs", "greater than or equal to 1"]),
        (["run", "--seed", "-1"], ["--seed", "greater than or equal to 0"]),
        (["run", "--timeout", "0"], ["--timeout", "greater than or equal to 1"]),
        (["run", "--preset", "slow"], ["--preset", "'slow'", "'quick'"]),
        (["run", "--plugin", "none.py"], ["none.py", "no such file"]),
        (["run", "--plugin", "."], ["plugin .", "no such file"]),
        (["run", "--workloads", "none.toml"], ["none.toml", "cannot be read"]),
        (["run", "--no-such-option"], ["--no-such-option", "--help"]),
        (["run", "--blocks"], ["--blocks", "argument"]),
        (["run", "surplus"], ["surplus"]),
        (["run", "--precision", "2"], ["--precision '2'", "2% or 0.02"]),
        (["run", "--precision", "fine"], ["--precision 'fine'", "2% or 0.02"]),
        (["run", "--precision", "2%", "--blocks", "1"], ["--blocks 1", "at least 2 blocks"]),
        (["run", "--precision", "2%", "--epochs", "1"], ["--epochs 1", "--precision", "2 or more"]),
        (["run", "--budget", "soon"], ["--budget 'soon'", "10m"]),
        (["run", "--budget", "0m"], ["--budget '0m'", "10m"]),
        (["run", "--budget", "10 x"], ["--budget '10 x'", "10m"]),
        (["run", "--repeats", "-1"], ["--repeats", "greater than or equal to 0"]),
        (["run", "--sweep", "--implementation", "documented-pytorch"], ["--sweep", "documented-pytorch", "matched"]),
        (["compare", "none"], ["NEW"]),
        (["compare", "none", "none"], ["none", "no results here"]),
        (["verify", "--workload", "zzz"], ["'zzz'", "choose from"]),
        (["verify", "--implementation", "zzz"], ["'zzz'", "choose from"]),
        (
            ["verify", "--implementation", "null"],
            ["--implementation null", "trains no network", "name one that does"],
        ),
        (["no-such-command"], ["no-such-command", "--help"]),
        (["--no-such-option"], ["--no-such-option"]),
        (["report"], ["DIRECTORY"]),
        (["report", "none"], ["none", "fcnbench run --out none"]),
        (["list", "--workloads", "none.toml"], ["none.toml", "cannot be read"]),
        (["data", "none"], ["none", "--data"]),
    ],
    ids=lambda value: " ".join(value) if value and isinstance(value[0], str) else None,
)
def test_arguments_that_cannot_be_used_are_one_line(
    fcnbench: Command, tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    """What was given, what was expected or what to do next; nothing is written."""
    check_refused(fcnbench(*arguments), *words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[mine", ["not valid TOML"]),
        ("[mine]\nlayers = [{ units = 10 }]\n", ["mine.batch_size is missing"]),
        ("[mlp-128-64]\nepochs = 0\n", ["mlp-128-64"]),
    ],
)
def test_a_broken_workload_file_is_one_line(fcnbench: Command, tmp_path: Path, content: str, words: list[str]) -> None:
    """With the file's name."""
    (tmp_path / "mine.toml").write_text(content)
    check_refused(fcnbench("run", "--workloads", "mine.toml"), "mine.toml", *words)
    assert not (tmp_path / "results").exists()


@pytest.mark.process
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("def broken(:\n", ["SyntaxError"]),
        ("import no_such_module", ["no_such_module is not installed"]),
        ("1 / 0", ["ZeroDivisionError: division by zero"]),
        ("print('noise')", ["no class 'Implementation'"]),
        ("class Implementation: pass", ["lacks load", "CONTRIBUTING.md"]),
        ("import os; os._exit(3)", ["exit status 3"]),
        ("import sys; sys.exit('no')", ["SystemExit: no"]),
    ],
)
def test_a_plugin_that_cannot_be_used_is_one_line(
    run_tiny: Command, plugin: Callable[..., Path], tmp_path: Path, body: str, words: list[str]
) -> None:
    """Before anything is measured or written."""
    check_refused(run_tiny("--plugin", plugin("broken", body)), "broken.py", *words)
    assert not (tmp_path / "out").exists()


def test_a_plugin_may_not_take_anothers_name(run_tiny: Command, plugin: Callable[..., Path]) -> None:
    """The results of the two could not be told apart."""
    check_refused(run_tiny("--plugin", plugin("matched_keras")), "matched_keras.py", "'matched-keras' is taken")


def test_data_that_is_damaged_is_one_line(run_tiny: Command, tmp_path: Path, tiny_data: Path) -> None:
    """With the file that is damaged."""
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for path in (tiny_data / "MNIST" / "raw").iterdir():
        (raw / path.name).write_bytes(path.read_bytes())
    (raw / "t10k-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03")
    check_refused(run_tiny("--data", tmp_path / "data"), "t10k-images-idx3-ubyte", "truncated")
    check_refused(run_tiny("--data", tmp_path / "none"), str(tmp_path / "none"))


@pytest.mark.process
@pytest.mark.parametrize("below", ["file", "file/out", "/proc/fcnbench"])
def test_a_directory_that_cannot_be_written_is_one_line(run_tiny: Command, tmp_path: Path, below: str) -> None:
    """A file is in its place, or the system refuses."""
    (tmp_path / "file").write_text("mine")
    check_refused(run_tiny("--out", below), below, "--out")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.process
@pytest.mark.parametrize("content", ["", "{}", "not JSON"])
def test_a_damaged_cell_is_one_line(run_tiny: Command, fcnbench: Command, tmp_path: Path, content: str) -> None:
    """For the report as for a run that would continue there; the file stays for its owner to look at."""
    synthetic.save(tmp_path / "out", [synthetic.result()])
    damaged = tmp_path / "out" / "cells" / "x.json"
    damaged.write_text(content)
    for done in (fcnbench("report", "out"), run_tiny()):
        check_refused(done, "out/cells/x.json", "move it away")
    assert damaged.read_text() == content


@pytest.mark.process
def test_results_of_another_machine_are_not_continued(run_tiny: Command, tmp_path: Path) -> None:
    """One line; the results that are there stay as they are."""
    synthetic.save(tmp_path / "out", [synthetic.result()])
    check_refused(run_tiny(), "out", synthetic.MACHINE.machine, "--out")
    assert len(archive.results(tmp_path / "out")) == 1


@pytest.mark.process
def test_two_runs_into_one_directory_are_refused(run_tiny: Command, tmp_path: Path) -> None:
    """The second says that the first is there."""
    with archive.opened(tmp_path / "out"):
        check_refused(run_tiny(), "another run is writing here")


@pytest.mark.parametrize("blocked", [".lock", "runs.csv"])
def test_a_report_that_cannot_be_written_is_one_line(
    fcnbench: Command, tmp_path: Path, undrawn: None, blocked: str
) -> None:
    """Without the advice to choose another directory, which the command cannot."""
    synthetic.save(tmp_path / "out", [synthetic.result()])
    (tmp_path / "out" / ".lock").unlink()
    (tmp_path / "out" / blocked).mkdir()
    done = fcnbench("report", "out")
    check_refused(done, "out: cannot write (Is a directory)", "make room or copy the directory", "fcnbench report")
    assert "--out" not in done.err


def test_a_report_waits_for_nobody(fcnbench: Command, tmp_path: Path) -> None:
    """While a run writes into the directory, its report is refused; what killed writers left goes with the next one."""
    synthetic.save(tmp_path / "out", [synthetic.result()])
    with archive.opened(tmp_path / "out"):
        check_refused(fcnbench("report", "out"), "another run is writing here; wait for it")
    left = tmp_path / "out" / "tables" / files.UNFINISHED.format("0")
    left.parent.mkdir()
    left.write_text("half")
    assert fcnbench("report", "out").status == 0 and not left.exists()


OUTPUTS = [
    ("list >&-", "standard output: is closed"),
    ("list >/dev/full", "standard output: cannot write (No space left on device); make room"),
    ("--help >/dev/full", "cannot write (No space left on device); make room"),
]


@pytest.mark.process
@pytest.mark.parametrize(("command", "message"), OUTPUTS, ids=[command for command, _ in OUTPUTS])
def test_a_standard_output_that_takes_nothing_is_one_line(command: str, message: str) -> None:
    """With the status for what a user can mend."""
    run = ["sh", "-c", f'"{sys.executable}" -m bench.cli.main {command}']
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True)
    check_refused(Done(done.returncode, done.stdout, done.stderr), message)


@pytest.mark.process
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_closed_pipe_ends_quietly(unbuffered: str) -> None:
    """As in ``fcnbench list | head``."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "bench.cli.main", "list"]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.process
def test_a_terminal_without_the_letters_is_given_their_codes(fcnbench: Command, tmp_path: Path) -> None:
    """Nothing ends because of a dash."""
    code = "from bench.cli.main import main; main(['data', 'n\u2013o'])"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    check_refused(Done(done.returncode, done.stdout, done.stderr), r"n\u2013o")


def test_names_cannot_steer_the_terminal(fcnbench: Command) -> None:
    """What a user or a file calls something is shown clean."""
    done = fcnbench("report", "no\x1b[2Jthing\udcff")
    check_refused(done, "nothing")
    assert done.err.strip().isprintable()


def test_a_mistake_of_ours_is_one_line_too(fcnbench: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """With another status than a user's mistake, and the way to see more; which is to let it pass as it is."""

    def broken() -> None:
        raise ZeroDivisionError("never\nexpected")

    monkeypatch.setattr(description, "machine", broken)
    with pytest.raises(ZeroDivisionError):
        fcnbench("env")
    monkeypatch.delenv("FCNBENCH_DEBUG")
    done = fcnbench("env")
    assert done.status == 1 and len(done.err.splitlines()) == 1
    assert "ZeroDivisionError: never expected" in done.err and "FCNBENCH_DEBUG=1" in done.err


def modules_after(*arguments: object) -> set[str]:
    """The modules that a command had loaded when it left."""
    code = """
import sys
from bench.cli import main
try:
    main.main(sys.argv[1:])
except SystemExit as left:
    assert left.code == 0, left.code
print("MODULES", *sys.modules)
"""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("MODULES ")[2].split())


@pytest.mark.process
@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["report", "--help"], ["list"]], ids=" ".join)
def test_looking_around_imports_next_to_nothing(arguments: list[str]) -> None:
    """No framework, and no pandas, matplotlib or SciPy either: the answer is there at once."""
    assert modules_after(*arguments).isdisjoint(FRAMEWORKS | {"pandas", "matplotlib", "scipy"})


@pytest.mark.process
def test_a_report_needs_no_framework(tmp_path: Path) -> None:
    """It reads files only, and can be made where no framework is installed."""
    synthetic.save(tmp_path / "out", synthetic.clear())
    modules = modules_after("report", tmp_path / "out")
    assert "pandas" in modules
    assert modules.isdisjoint(FRAMEWORKS | {"matplotlib.pyplot"})
    assert (tmp_path / "out" / "report.html").is_file()


def test_help_names_every_command(fcnbench: Command) -> None:
    """On standard output, with status 0; each with a whole sentence about it, and no types of Python."""
    done = fcnbench("--help")
    assert (done.status, done.err) == (0, "")
    for name in ("run", "verify", "predict", "report", "compare", "list", "data", "env"):
        assert re.search(rf"^│ {name} ", done.out, re.MULTILINE)
    assert "..." not in done.out.replace("[ARGS]...", "")
    shown = fcnbench("run", "--help").out
    assert not re.search(r"<(?!bool>|=)|\bTEXT\b|\bINTEGER\b", shown)
    assert all(group in shown for group in ("What is measured", "How precisely", "Where"))


def test_the_version_is_shown(fcnbench: Command) -> None:
    """Without a command."""
    done = fcnbench("--version")
    assert done.status == 0 and re.fullmatch(r"fcnbench \d+\.\d+\.\d+\n", done.out)


def test_list_shows_implementations_and_networks(fcnbench: Command, workload_file: Path) -> None:
    """Built-in ones with what they need, and the networks of a user's own file."""
    done = fcnbench("list")
    assert done.status == 0
    for name in (
        "matched-pytorch",
        "documented-keras",
        "matched-keras-jax",
        "mlp-128-64",
        "109,386",
        "27.3",
        "4,406.2",
    ):
        assert name in done.out
    assert "tiny" in fcnbench("list", "--workloads", workload_file).out


def test_data_shows_what_is_there(fcnbench: Command, tiny_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many images, where, and each file's MD5; the directory may come from the environment."""
    given = fcnbench("data", tiny_data)
    monkeypatch.setenv("FCNBENCH_DATA", str(tiny_data))
    assert fcnbench("data") == given
    assert given.status == 0
    assert "200 training and 100 test images" in given.out and str(tiny_data) in given.out
    assert given.out.count("md5") == 4


@pytest.mark.process
def test_env_shows_the_machine_versions_and_switches(fcnbench: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a measurement here would have, and what would spoil it."""
    finding = CheckupFinding("other programs", "bad", "keep 1.00 CPUs busy", "end them")
    monkeypatch.setattr(checkup, "examine", lambda: iter([finding]))
    done = fcnbench("env")
    assert done.status == 0
    assert "bad      other programs: keep 1.00 CPUs busy; end them" in done.out
    lines = dict(line.split(maxsplit=1) for line in done.out.splitlines() if line)
    assert lines["cpu"] and lines["machine"]
    assert {"torch", "keras", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES"} <= set(lines)


@pytest.mark.process
def test_a_run_beside_a_busy_program_says_who_it_is_and_goes_on(
    run_tiny: Command, plugin: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is measured."""
    monkeypatch.setattr(neighbours, "watch", lambda: Neighbours(1.9, 2, 2, "make, 7", 1.9))
    done = run_tiny("--plugin", plugin())
    assert done.status == 0
    line = "another program (make, 7) keeps 1.9 of 2 CPUs busy: stop it, or measure when it rests"
    assert line in done.out.splitlines() and done.out.index(line) < done.out.index("same work?")


@pytest.mark.process
def test_a_good_run_leaves_everything_and_status_0(
    run_tiny: Command, plugin: Callable[..., Path], tmp_path: Path
) -> None:
    """Cells, CSVs with a row for each, the report; a second run has nothing left to measure; ``--fresh`` has."""
    done = run_tiny("--plugin", plugin())
    assert (done.status, done.err) == (0, "")
    out = tmp_path / "out"
    assert len(list((out / "cells").glob("*.json"))) == 3
    rows = {name: list(csv.DictReader((out / f"{name}.csv").open())) for name in ("runs", "epochs", "machines")}
    assert [len(rows[name]) for name in ("runs", "epochs", "machines")] == [3, 9, 1]
    assert {row["cell"] for row in rows["runs"]} == {row["cell"] for row in rows["epochs"]}
    assert (out / "report.html").is_file() and (out / "report.md").is_file()

    before = archive.results(out)
    assert "3 already measured" in run_tiny("--plugin", plugin()).out
    assert archive.results(out) == before
    assert run_tiny("--plugin", plugin(), "--fresh").status == 0
    assert all(old.started < new.started for old, new in zip(before, archive.results(out), strict=True))


@pytest.mark.process
def test_a_pilot_fixes_the_number_of_blocks(
    run_tiny: Command, plugin: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undrawn: None
) -> None:
    """It is announced, kept and stated in the report; the same command measures nothing more, whatever came out."""
    monkeypatch.setattr(statistics, "blocks_needed", lambda differences, half_width: len(differences) + 1)
    command = ("--plugin", plugin(), "--blocks", 2, "--precision", "50%")
    done = run_tiny(*command)
    assert done.status == 0
    assert "pilot of 2 blocks: a precision of 50.0 % asks for 3 in all, 1 block more, about" in done.out
    out = tmp_path / "out"
    assert {found.cell.block for found in archive.results(out)} == {1, 2, 3}
    assert (
        "A pilot of 2 blocks decided that a precision of 50.0 % asks for 3 blocks" in (out / "report.html").read_text()
    )
    before = archive.results(out)
    again = run_tiny(*command)
    assert "asks for 3 in all" in again.out and archive.results(out) == before


@pytest.mark.process
def test_a_run_with_sweeps_goes_on_where_it_stopped(
    run_tiny: Command, plugin: Callable[..., Path], tmp_path: Path, undrawn: None
) -> None:
    """They are cells beside the others: what is there is kept, and what the run says is shown of them."""
    own = ["--plugin", plugin("matched_plain")]
    assert run_tiny(*own).status == 0
    cells = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "cells").iterdir()}
    done = run_tiny(*own, "--sweep")
    assert done.status == 0 and "thread: matched-plain (sweep); about" in done.out and "8 points" in done.out
    assert {path: path.stat().st_mtime_ns for path in cells} == cells
    (swept,) = (found for found in archive.everything(tmp_path / "out") if found.cell.role == "sweep")
    assert {point.batch_size for point in swept.points} == {1, 4, 16, 20, 64, 256, 1024, 4096}
    assert "(sweep)" not in run_tiny(*own, "--sweep").out


@pytest.mark.process
def test_a_time_fixes_the_number_of_blocks(
    run_tiny: Command, plugin: Callable[..., Path], tmp_path: Path, undrawn: None
) -> None:
    """Too little of it leaves the pilot; plenty is used, and not exceeded by more than what was not foreseen."""
    done = run_tiny("--plugin", plugin(), "--blocks", 2, "--budget", "1s")
    assert done.status == 0 and "pilot of 2 blocks: 1 s leave time for 2 in all, no more" in done.out
    assert {found.cell.block for found in archive.results(tmp_path / "out")} == {1, 2}


@pytest.mark.parametrize(
    ("text", "value"), [("2%", 0.02), ("2 %", 0.02), ("0.02", 0.02), (".5", 0.5), ("12.5%", 0.125)]
)
def test_shares_are_read_as_people_write_them(text: str, value: float) -> None:
    """In per cent or as a part of one."""
    assert options.share("--precision", text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400), ("1h30m", 5400), ("2 min", 120), ("1H", 3600)],
)
def test_times_are_read_as_people_write_them(text: str, value: float) -> None:
    """A number alone is of seconds."""
    assert options.seconds("--budget", text) == value


@pytest.mark.process
def test_a_cell_that_fails_gives_status_1_and_the_report_all_the_same(
    run_tiny: Command, plugin: Callable[..., Path], tmp_path: Path, undrawn: None
) -> None:
    """The line of the cell has the reason; what the others measured is shown."""
    body = """
        class Implementation(Regression):
            def device_memory(self):
                raise RuntimeError("no luck")
    """
    done = run_tiny("--plugin", plugin("unlucky", body))
    assert done.status == 1
    assert "failed: RuntimeError: no luck" in done.out
    statuses = {found.cell.implementation: found.status for found in archive.results(tmp_path / "out")}
    assert statuses == {"unlucky": "failed", "null": "ok"}
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.process
def test_other_work_gives_status_1(
    fcnbench: Command, plugin: Callable[..., Path], workload_file: Path, tiny_data: Path
) -> None:
    """``verify`` says which implementation fails, on which rung; one that does the work gives status 0."""
    body = """
        class Implementation(Regression):
            def predict(self):
                return 2 * super().predict()
    """
    usual = ["verify", "--workloads", workload_file, "--data", tiny_data, "--device", "cpu"]
    done = fcnbench(*usual, "--plugin", plugin("wrong", body))
    assert done.status == 1
    assert "FAIL logits" in done.out and "0 of 1 passed" in done.out
    done = fcnbench(*usual, "--plugin", plugin())
    assert (done.status, "1 of 1 passed" in done.out) == (0, True)


@pytest.mark.process
def test_several_seeds_are_asked_one_after_the_other(
    fcnbench: Command, plugin: Callable[..., Path], workload_file: Path, tiny_data: Path
) -> None:
    """A line for each seed, from the given one on, without the rungs of those that pass."""
    usual = ["verify", "--workloads", workload_file, "--data", tiny_data, "--device", "cpu", "--quick"]
    done = fcnbench(*usual, "--plugin", plugin(), "--seeds", "3", "--seed", "5")
    assert done.status == 0
    assert [f"cpu, seed {seed}: passed" in done.out for seed in (4, 5, 6, 7, 8)] == [False, True, True, True, False]
    assert "gradients" not in done.out and "3 of 3 passed" in done.out

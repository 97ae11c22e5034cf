"""Result directories and pytest-benchmark's JSON, there and back; pytest-benchmark's own tool reads what is written."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from synthetic import MACHINE, clear, result, save, session

from bench.cli import main
from bench.errors import FcnBenchError
from bench.report import benchmark_json, build, runs
from bench.store import archive, models
from bench.store.records.machine import Machine, Size
from bench.store.records.training import Inference
from bench.store.records.verification import Check, Verification

GATE = Verification(
    "matched-keras", "mlp-128-64", "cpu", "d", "passed", "", (Check("logits", 1e-7, 1e-6, True, ""),), 1, 2
)


@pytest.fixture
def exported(tmp_path: Path) -> Callable[..., Path]:
    """``exported(results)``: the JSON file of a directory with these results."""

    def exported(results: Any, name: str = "file", gate: Verification | None = GATE, machine: Any = MACHINE) -> Path:
        directory = save(tmp_path / f"of-{name}", results, machine)
        if gate is not None:
            archive.save_record(directory, gate)
        text, _ = benchmark_json.export(directory)
        path = tmp_path / f"{name}.json"
        benchmark_json.write(path, text)
        return path

    return exported


def edited(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The file, its content changed."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def of(path: Path) -> dict[str, dict[str, Any]]:
    """The benchmarks of a file, by name."""
    return {benchmark["name"]: benchmark for benchmark in json.loads(path.read_text())["benchmarks"]}


def test_every_question_a_directory_answers_is_a_benchmark(exported: Callable[..., Path]) -> None:
    """Four implementations and a control, four questions; rounds are the raw values of all blocks in order."""
    found = of(exported(clear()))
    assert len(found) == 4 * 5
    epochs = found["test_training_epoch[mlp-128-64-matched-keras-cpu-2t]"]
    assert epochs["stats"]["data"] == [2.90, 2.90, 2.95, 2.95, 3.00, 3.00]
    assert epochs["stats"]["rounds"] == 6 and epochs["stats"]["median"] == pytest.approx(2.95)
    assert epochs["group"] == "training epoch: mlp-128-64, CPU, 2 threads"
    assert epochs["params"] == {
        "workload": "mlp-128-64", "implementation": "matched-keras", "device": "cpu", "threads": 2
    }  # fmt: skip
    assert found["test_first_epoch[mlp-128-64-matched-keras-cpu-2t]"]["stats"]["data"] == pytest.approx(
        [4.35, 4.425, 4.5]
    )
    assert found["test_import_framework[mlp-128-64-matched-keras-cpu-2t]"]["stats"]["data"] == [1.4] * 3
    assert found["test_predict_test_set[mlp-128-64-matched-keras-cpu-2t]"]["stats"]["data"] == [0.2] * 9
    assert "test_training_epoch[mlp-128-64-matched-pytorch-cpu-2t-control]" in found


def test_predictions_of_one_image_are_rounds_where_they_were_timed(
    exported: Callable[..., Path], tmp_path: Path
) -> None:
    """As the suite's are, without the first; a batch is no question of the suite. There and back all of it is kept."""
    timed = [replace(one, inference=(Inference(1, 0.5, (0.1, 0.2)), Inference(1000, 0.9, (0.3,)))) for one in clear()]
    path = exported(timed)
    found = of(path)
    assert len(found) == 5 * 5
    assert found["test_predict_one_image[mlp-128-64-matched-keras-cpu-2t]"]["stats"]["data"] == [0.1, 0.2] * 3
    assert benchmark_json.save([path], tmp_path / "back") == (15, 0)
    assert archive.results(tmp_path / "back") == archive.results(tmp_path / "of-file")


def test_what_a_reader_asks_of_a_benchmark_stands_beside_it(exported: Callable[..., Path]) -> None:
    """Accuracy, memory, versions, the gate with its figures, what disturbed it, and the machine."""
    path = exported(clear())
    info = of(path)["test_training_epoch[mlp-128-64-matched-keras-cpu-2t]"]["extra_info"]
    assert info["accuracy"] == pytest.approx(0.97) and info["process_peak_bytes"] == 760_000_000
    assert info["versions"]["numpy"] == "2.4.6" and info["disturbed_by"] == [] and info["tier"] == "matched"
    assert info["gate"] == "passed" and info["gate_rungs"] == {"logits": [1e-7, 1e-6]}
    machine = json.loads(path.read_text())["machine_info"]
    assert machine["cpu"]["brand_raw"] == "Imaginary CPU" and machine["fcnbench"]["machine"] == "0badcafe"
    assert machine["system"] == "Linux" and machine["release"] == "6.1"


def test_what_failed_or_was_refused_is_no_benchmark(exported: Callable[..., Path]) -> None:
    """It is kept in the records all the same."""
    results = [result(), result("matched-keras"), result("documented-keras", status="failed")]
    path = exported(results, gate=replace(GATE, status="failed", reason="logits"))
    assert {benchmark["params"]["implementation"] for benchmark in of(path).values()} == {"matched-pytorch"}
    records, others = benchmark_json.read(path)
    assert {found.cell.implementation for found in records.cells} == {
        "matched-pytorch", "matched-keras", "documented-keras"
    }  # fmt: skip
    assert others == 0


def test_there_and_back_nothing_is_lost(exported: Callable[..., Path], tmp_path: Path) -> None:
    """Cells, gates, machines and the number of blocks that was fixed are what they were, and so are the CSVs."""
    directory = tmp_path / "of-file"
    save(directory, [])
    archive.save_size(directory, Size(2, 3, 0.02, "a / b", 12.0, "--precision 2%"))
    commit = {"id": "0123456789abcdef", "time": "2026-01-01T00:00:00+00:00", "dirty": True}
    path = exported([replace(found, commit=commit) for found in clear()])
    back = tmp_path / "back"
    assert benchmark_json.save([path], back) == (15, 0)
    assert archive.results(back) == archive.results(directory)
    assert archive.records(back, Verification) == archive.records(directory, Verification)
    assert archive.records(back, Machine) == archive.records(directory, Machine)
    assert archive.size(back) == archive.size(directory)
    frames = [
        runs.runs_frame(archive.results(where), archive.records(where, Verification)) for where in (directory, back)
    ]
    assert frames[0].equals(frames[1]) and set(frames[0]["commit"]) == {"0123456789+"}
    assert benchmark_json.export(back) == benchmark_json.export(directory)


def test_a_network_stays_where_it_was_kept(exported: Callable[..., Path], tmp_path: Path) -> None:
    """The file names it and does not carry it; what it would decide in a report is left out."""
    path = exported([replace(result(), model="ab" * 32)])
    assert benchmark_json.save([path], tmp_path / "back") == (1, 0)
    (found,) = archive.results(tmp_path / "back")
    assert found.model == "ab" * 32 and not models.of_results(tmp_path / "back", [found])
    assert 'id="draw"' not in build.build(tmp_path / "back").html.read_text()


def test_the_same_file_twice_adds_nothing(exported: Callable[..., Path], tmp_path: Path) -> None:
    """An import that was cut short can be done again."""
    path = exported(clear())
    assert benchmark_json.save([path], tmp_path / "back") == (15, 0)
    assert benchmark_json.save([path, path], tmp_path / "back") == (0, 0)


def test_blocks_of_several_files_come_together(exported: Callable[..., Path], tmp_path: Path) -> None:
    """One file for each block makes a session with blocks."""
    files = [exported([result(block=block), result("matched-keras", block)], str(block)) for block in (1, 2, 3)]
    assert benchmark_json.save(files, tmp_path / "back") == (6, 0)
    assert sorted(found.cell.block for found in archive.results(tmp_path / "back")) == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (result(epoch_s=1.1), "block 1 of matched-pytorch is there already"),
        (result(block=2, machine="deadbeef"), "measured on machine 0badcafe, this is deadbeef"),
        (result(block=2, epochs=4), "with 3 epochs and seed 1, asked for 4"),
        (result(block=2, data="abc"), ""),
    ],
    ids=["block", "machine", "epochs", "unknown data"],
)
def test_what_does_not_belong_together_is_refused_whole(
    exported: Callable[..., Path], tmp_path: Path, other: Any, message: str
) -> None:
    """Nothing is written where one of the files does not fit; data that is not known is not held against anybody."""
    files = [exported([result()], "a"), exported([other], "b")]
    if not message:
        assert benchmark_json.save(files, tmp_path / "back") == (2, 0)
        return
    with pytest.raises(FcnBenchError, match=message):
        benchmark_json.save(files, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_other_data_is_not_mixed_in(exported: Callable[..., Path], tmp_path: Path) -> None:
    """A set of another digest is another experiment."""
    files = [exported([result(data="abc")], "a"), exported([result(block=2, data="def")], "b")]
    with pytest.raises(FcnBenchError, match="holds results of other data"):
        benchmark_json.save(files, tmp_path / "back")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.pop("fcnbench"), "holds no records of fcnbench"),
        (lambda content: content["fcnbench"].update(cells=[]), "holds no training epochs"),
        (lambda content: content["fcnbench"].pop("gates"), "damaged or of another version"),
        (lambda content: content["fcnbench"]["cells"][0].update(status="fine"), "damaged or of another version"),
        (lambda content: content.update(benchmarks={}), "damaged or of another version"),
        (lambda content: content["benchmarks"][0]["stats"].update(median=0.1), "says 0.1 s, its records say 1 s"),
        (lambda content: content["benchmarks"][0].pop("stats"), "damaged or of another version"),
    ],
)
def test_a_file_that_is_no_good_is_told_in_one_line(
    exported: Callable[..., Path], tmp_path: Path, change: Any, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, nothing written."""
    path = edited(exported([result()]), change)
    with pytest.raises(SystemExit) as ended:
        main.main(["import-benchmark", str(path), "--out", str(tmp_path / "back")])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert message in said and len(said.splitlines()) == 1 and str(path) in said
    assert not (tmp_path / "back").exists()


def in_cell(**values: Any) -> Callable[[dict[str, Any]], object]:
    """Changes values of the first cell."""
    return lambda content: content["fcnbench"]["cells"][0]["cell"].update(values)


def in_network(name: str) -> Callable[[dict[str, Any]], object]:
    """Renames the network of the first cell."""
    return lambda content: content["fcnbench"]["cells"][0]["cell"]["workload"].update(name=name)


def in_last_cell(**values: Any) -> Callable[[dict[str, Any]], object]:
    """Changes values of the last cell."""
    return lambda content: content["fcnbench"]["cells"][-1].update(values)


@pytest.mark.parametrize(
    "change",
    [
        in_network("../../x"), in_network("/x"), in_network("a\0b"), in_network("x" * 300), in_network("."),
        in_cell(implementation="../../x"), in_cell(digest="../../x"), in_cell(digest="a.b"), in_cell(device="../x"),
        in_cell(role="../x"), in_cell(data="../x"), in_cell(tier="/x"), in_cell(block=0), in_cell(threads=10**30),
        lambda content: content["fcnbench"]["machines"][0].update(machine="/tmp/fcnbench-escaped"),
        lambda content: content["fcnbench"]["machines"][0].update(machine="../escaped"),
        lambda content: content["fcnbench"]["gates"][0].update(workload="../../escaped"),
        in_last_cell(model="../../../escaped"), in_last_cell(model="../" * 21 + "x"), in_last_cell(switches={"x": float("nan")}),
        in_last_cell(predicted="12a"), in_last_cell(started="yesterday"), in_last_cell(readings={"steal_s": "much"}),
    ],
)  # fmt: skip
def test_a_hostile_file_writes_nothing(
    exported: Callable[..., Path], tmp_path: Path, change: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither outside of the directory nor in it, though its other cells are good; one line, exit status 2."""
    path = edited(exported(clear()), change)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SystemExit) as ended:
        main.main(["import-benchmark", str(path), "--out", str(tmp_path / "a" / "b" / "back")])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and len(said.splitlines()) == 1 and "unexpected" not in said
    assert sorted(tmp_path.rglob("*")) == before and not Path("/tmp/fcnbench-escaped.json").exists()


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 100_000, b"9" * 10_000, b"\0" * 10, b"\xef\xbb\xbf{}"])
def test_a_file_that_no_parser_likes_is_told_in_one_line(tmp_path: Path, content: bytes) -> None:
    """Deep nesting, giant numbers, zeros, a byte order mark."""
    (tmp_path / "file.json").write_bytes(content)
    with pytest.raises(FcnBenchError) as refused:
        benchmark_json.save([tmp_path / "file.json"], tmp_path / "back")
    assert "\n" not in str(refused.value) and not (tmp_path / "back").exists()


@pytest.mark.parametrize("content", [b"", b"[1]", b"\xff\xfe", b"{", b"null", b"7"])
def test_a_file_that_is_not_ours_is_told_in_one_line(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Empty, another kind of JSON, no JSON, no text."""
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        main.main(["import-benchmark", str(path), "--out", str(tmp_path / "back")])
    assert ended.value.code == 2 and len(capsys.readouterr().err.splitlines()) == 1


def test_the_commands_say_what_they_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There and back by the command line, and the report that shows it."""
    directory = save(tmp_path / "run", clear())
    for arguments in (["export-benchmark", str(directory)],
                      ["import-benchmark", str(directory / "benchmark.json"), "--out", str(tmp_path / "back")]):  # fmt: skip
        with pytest.raises(SystemExit) as ended:
            main.main(arguments)
        assert not ended.value.code
    said = capsys.readouterr().out
    assert f"20 benchmarks: {directory / 'benchmark.json'}" in said
    assert f"new in {tmp_path / 'back'}: 15 processes" in said and "took 2.9" in said
    assert (tmp_path / "back" / "report.html").exists()


@pytest.mark.process
def test_pytest_benchmark_compares_what_was_exported(exported: Callable[..., Path]) -> None:
    """Its own command reads two files and groups them as the suite does."""
    files = [
        exported(session({"matched-pytorch": [seconds], "matched-keras": [3.0]}), str(seconds))
        for seconds in (1.0, 1.5)
    ]
    command = [
        sys.executable,
        "-m",
        "pytest_benchmark",
        "compare",
        *map(str, files),
        "--group-by=func,param:implementation",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=files[0].parent)
    assert done.returncode == 0, done.stderr
    assert "benchmark 'test_training_epoch implementation=matched-pytorch': 2 tests" in done.stdout
    assert "1.5000 (1.50)" in done.stdout

"""``fcnbench export``: what is chosen, what is refused and in which words, and that nothing unchecked is left."""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from children import needs

from bench.cli import main
from bench.errors import FcnBenchError
from bench.models import export, find, graph
from bench.models.export import PlannedExport, Refused
from bench.store import archive, models
from bench.store.records.export import Export
from impls import portable
from impls.exports.graph import Node
from impls.oracle import training
from impls.workload import SGD, Dense, Dropout, Workload

NETWORK = Workload("own", 0, (Dense(12, "relu"), Dropout(0.5), Dense(10)), 0.1, 0.3, 20, 50, 1, SGD(0.05))
ROOT = Path(__file__).parents[2]
PLANTED = """
import sys
from importlib.util import spec_from_file_location


class Planted:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return spec_from_file_location(name, {file!r}) if name == "impls.exports.pytorch_native" else None


sys.meta_path.insert(0, Planted)
"""
NO_BIAS = """

right = write


def write(path, workload, weights, about):
    right(path, workload, [(kernel, 0 * bias) for kernel, bias in weights], about)
"""


def saved(path: Path, implementation: str = "matched-pytorch") -> Path:
    """A portable file of a network whose biases matter."""
    rng = np.random.default_rng(3)
    weights = [
        (np.float32(k), np.float32(rng.normal(0, 0.5, b.shape))) for k, b in training.initial_weights(NETWORK, rng)
    ]
    framework = implementation.split("-")[1]
    portable.save(path, NETWORK, weights, {"implementation": implementation, "framework": framework, "versions": {}})
    return path


@pytest.fixture
def fcnbench(capsys, monkeypatch, tmp_path, tiny_data):
    """``fcnbench("export", ...)`` in ``tmp_path``: exit status, output, errors."""
    monkeypatch.setenv("FCNBENCH_DATA", str(tiny_data))
    monkeypatch.setenv("FCNBENCH_DEBUG", "1")
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main.main(["export", *map(str, arguments)])
        return left.value.code, *capsys.readouterr()

    return run


def one_line(error: str) -> str:
    """The line, which is the only one."""
    assert error.startswith("fcnbench: ") and error.count("\n") == 1, error
    return error


@pytest.mark.process
def test_a_checked_file_appears_whole_with_its_graph(fcnbench, tmp_path):
    """In place of one of before; the check, the scaling and every layer's parameters are told, nothing else is left."""
    needs("torch")
    saved(tmp_path / "model.npz")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "own.matched-pytorch.pt").write_text("of before")
    status, out, error = fcnbench("model.npz", "--format", "native", "--out", "out")
    assert status == 0, error
    assert os.listdir(tmp_path / "out") == ["own.matched-pytorch.pt"]
    size = (tmp_path / "out" / "own.matched-pytorch.pt").stat().st_size
    assert f"own.matched-pytorch.pt: {size:,} bytes, own (matched-pytorch) to native by PyTorch" in out
    assert "checked: 100 of 100 digits are the same; the largest difference of a logit is" in out
    assert "image [n, 784] float32" in out and "(level / 255 - mean) / std, mean 0.1, std 0.3" in out
    assert re.search(r"^0 +Linear +\[n, 12\] +9,420 +37,680$", out, re.MULTILINE)
    assert f"total: {NETWORK.parameters:,} parameters" in out and "versions: python" in out


@pytest.mark.process
def test_a_file_that_does_other_work_is_not_left(fcnbench, monkeypatch, tmp_path):
    """An exporter that drops the biases: exit status 1 with the figures, the file of before untouched."""
    needs("torch")
    planted = tmp_path / "planted"
    planted.mkdir()
    source = (ROOT / "impls" / "exports" / "pytorch_native.py").read_text(encoding="utf-8")
    (planted / "pytorch_native.py").write_text(source + NO_BIAS, encoding="utf-8")
    (planted / "sitecustomize.py").write_text(PLANTED.format(file=str(planted / "pytorch_native.py")), encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(planted), prepend=os.pathsep)
    saved(tmp_path / "model.npz")
    (tmp_path / "own.pt").write_text("of before")
    status, out, error = fcnbench("model.npz", "--format", "native", "--out", "own.pt")
    assert (status, out) == (1, "")
    assert re.search(
        r"to native by PyTorch: a logit differs by [\d.]+, rounding may make [\d.e-]+ \(\d+ of 100 digits are the same\); "
        r"nothing was written$", one_line(error),
    )  # fmt: skip
    assert (tmp_path / "own.pt").read_text() == "of before"
    assert sorted(os.listdir(tmp_path)) == ["model.npz", "own.pt", "planted"]


@pytest.mark.process
def test_a_missing_package_is_named(fcnbench, monkeypatch, tmp_path):
    """One line with what to install; nothing is left."""
    shadow = tmp_path / "shadow"
    shadow.mkdir()
    text = "raise ModuleNotFoundError('hidden', name='onnxscript')\n"
    (shadow / "onnxscript.py").write_text(text, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(shadow), prepend=os.pathsep)
    saved(tmp_path / "model.npz")
    status, _, error = fcnbench("model.npz", "--format", "onnx")
    assert status == 2
    assert "onnxscript is not installed; pip install onnxscript" in one_line(error)
    assert sorted(os.listdir(tmp_path)) == ["model.npz", "shadow"]


REFUSED = {
    "no such format": (["model.npz", "--format", "onx"], "unknown format 'onx': did you mean 'onnx'?"),
    "no such framework": (["model.npz", "--format", "onnx", "--by", "numpy"], "unknown framework 'numpy'"),
    "a framework without a format": (
        ["model.npz", "--format", "native", "--by", "jax"],
        "is written by pytorch, keras",
    ),
    "a format of another": (["model.npz", "--format", "litert", "--by", "pytorch"], "litert is written by keras alone"),
    "no file": (["nix.npz", "--format", "onnx"], "nix.npz: cannot be read"),
    "text": (["text.npz", "--format", "onnx"], "text.npz: not a model of fcnbench"),
    "no directory": (["model.npz", "--format", "onnx", "--out", "a/b.onnx"], "there is no directory a; make it"),
    "no results": ([".", "--format", "onnx"], "no results here"),
    "a file needs no choice": (["model.npz", "--format", "onnx", "--workload", "own"], "not a result directory"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_bad_input_is_one_line(arguments, words, fcnbench, tmp_path):
    """What was given, what is expected, what to do; exit status 2, nothing written."""
    saved(tmp_path / "model.npz")
    (tmp_path / "text.npz").write_text("hello")
    status, out, error = fcnbench(*arguments)
    assert (status, out) == (2, "") and words in one_line(error)
    assert sorted(os.listdir(tmp_path)) == ["model.npz", "text.npz"]


def test_a_directory_that_cannot_be_written_is_one_line(monkeypatch, tmp_path):
    """Whatever the system says while the file is made or gets its name; a full disk is told where a framework is not."""
    model = find.single(saved(tmp_path / "model.npz"), None, None)
    asked = PlannedExport(model, export.written_by("native", "pytorch"), tmp_path / "taken")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "inside").touch()

    def done(asked, out, data, timeout_s):
        out.write_text("made")
        return Export("native", "pytorch", "ok")

    monkeypatch.setattr(export, "ask", done)
    with pytest.raises(FcnBenchError, match=r"taken: cannot write \(Is a directory\); make room or give another"):
        export.export(asked, tmp_path, 1.0)
    monkeypatch.setattr(export, "ask", lambda *_: Export("native", "pytorch", "failed", "unexpected pos 1728"))
    with pytest.raises(Refused, match="unexpected pos 1728; nothing was written"):
        export.export(asked, tmp_path, 1.0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**6, 10**6, 0))
    with pytest.raises(FcnBenchError, match="No space left on device"):
        export.export(asked, tmp_path, 1.0)
    assert sorted(os.listdir(tmp_path)) == ["model.npz", "taken"]


def test_of_a_result_directory_one_network_must_be_left(monkeypatch, tmp_path):
    """The options choose; what they leave open is listed by name."""
    names = ("matched-keras", "matched-pytorch", "documented-keras", "matched-keras")
    found = [find.single(saved(tmp_path / f"{n}.npz", name), None, None) for n, name in enumerate(names)]
    monkeypatch.setattr(archive, "results", lambda _: [])
    monkeypatch.setattr(models, "of_results", lambda *_: found)
    assert find.single(tmp_path, "matched-pytorch", None) == found[1]
    assert find.single(tmp_path, "documented-keras", "own") == found[2]
    for given, words in (
        (
            (None, None),
            "holds 4 trained networks: own by documented-keras, own by matched-keras, own by matched-pytorch;",
        ),
        (("matched-keras", None), rf"own by matched-keras 2 times; give one of the files .*{re.escape('0.npz')}"),
        (("matched-kera", None), "did you mean 'matched-keras'"),
        ((None, "mlp"), "unknown workload 'mlp'"),
    ):
        with pytest.raises(FcnBenchError, match=words):
            find.single(tmp_path, *given)
    monkeypatch.setattr(models, "of_results", lambda *_: [])
    with pytest.raises(FcnBenchError, match="holds no trained networks"):
        find.single(tmp_path, None, None)


@pytest.mark.parametrize(
    ("format", "trained", "by"),
    [("onnx", "keras", "keras"), ("onnx", "pytorch", "pytorch"), ("onnx", "numpy", "pytorch"),
     ("litert", "pytorch", "keras"), ("torch", "keras", "pytorch"), ("native", "keras", "keras"),
     ("jax", "jax", "jax"), ("jax", "pytorch", "jax"), ("onnx", "jax", "pytorch")],
)  # fmt: skip
def test_the_framework_that_trained_it_exports_where_it_can(format, trained, by):
    """Else the one that can: the weights are portable."""
    assert export.written_by(format, trained).by == by


def test_what_a_converter_folded_is_said(tmp_path):
    """Where the file holds fewer parameters than the network, and where a tie was decided otherwise, the text says so."""
    model = find.single(saved(tmp_path / "model.npz"), None, None)
    asked = PlannedExport(model, export.written_by("litert", "keras"), tmp_path / "own.tflite")
    node = Node(
        "sequential/dense/MatMul;sequential/dense/Relu;sequential/dense/BiasAdd", "FULLY_CONNECTED", None, 130, 520
    )
    found = Export("litert", "keras", "ok", "", 9999, 100, 99, 1e-7, 1e-6, 2e-6, {"keras": "3"}, (node,))
    text = graph.text(asked, found)
    assert f"total: 130 parameters, 520 bytes; the network has {NETWORK.parameters:,}: the converter folded" in text
    assert "checked: 99 of 100 digits are the same; the others are ties that rounding decides" in text
    assert "sequential/dense/MatMul;sequentia...   FULLY_CONNECTED   -" in text

"""Trained networks in files: what comes back is what was kept, and what somebody else made is refused unexecuted."""

import hashlib
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic

from bench.errors import FcnBenchError
from bench.store import archive as store_archive
from bench.store import models
from impls import portable
from impls.contract import Weights
from impls.oracle.training import initial_weights
from impls.workload import Dense, Workload

ORIGIN = {"implementation": "matched-pytorch", "framework": "pytorch", "versions": {"torch": "2.9"}}
SMALL = replace(synthetic.WORKLOAD, name="small", layers=(Dense(7, "relu"), Dense(10)))


def weights(workload: Workload = SMALL) -> Weights:
    return initial_weights(workload, np.random.default_rng(1))


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A whole file."""
    portable.save(tmp_path / "good.npz", SMALL, weights(), ORIGIN)
    return tmp_path / "good.npz"


def test_what_is_kept_comes_back(good: Path) -> None:
    """Weights bit for bit, the network, and who trained it."""
    model = models.load(good, 0.5)
    assert (model.name, model.workload, model.accuracy) == ("good", SMALL, 0.5)
    assert (model.implementation, model.framework, model.versions) == tuple(ORIGIN.values())
    for pair, kept in zip(weights(), model.weights, strict=True):
        for array, other in zip(pair, kept, strict=True):
            np.testing.assert_array_equal(array, other, strict=True)


class Evil:
    """Unpickled, it would leave a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:  # noqa: D105  # the class says what it does
        return Path.touch, (self.path,)


def about(**changes: Any) -> np.ndarray:
    return np.array(json.dumps({"format": 1, "workload": asdict(SMALL), **ORIGIN} | changes))


def arrays(**changes: Any) -> dict[str, Any]:
    found = {"about": about()}
    for i, pair in enumerate(weights(), 1):
        found |= {f"kernel_{i}": pair[0], f"bias_{i}": pair[1]}
    return {name: value for name, value in (found | changes).items() if value is not None}


def with_head(shape: tuple[int, ...], descr: str = "<f4") -> Callable[[Path], None]:
    """Writes a file whose first kernel says that it has another shape than it has."""

    def write(path: Path) -> None:
        np.savez(path, **arrays(kernel_1=None))
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(head, {"descr": descr, "fortran_order": False, "shape": shape})
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("kernel_1.npy", head.getvalue() + b"\0" * 64)

    return write


def workload_with(**changes: Any) -> np.ndarray:
    return about(workload=asdict(SMALL) | changes)


def saved(**changes: Any) -> Callable[[Path], None]:
    return lambda path: np.savez(path, **arrays(**changes))


huge = [{"units": 10**6, "activation": "relu", "kind": "dense"}, {"units": 10, "kind": "dense"}]
BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "No such file"),
    "directory": (lambda path: path.mkdir(), "directory"),
    "empty": (lambda path: path.touch(), "not a zip"),
    "text": (lambda path: path.write_text("weights"), "not a zip"),
    "bare pickle": (lambda path: path.write_bytes(pickle.dumps(Evil(path.with_name("ran")))), "not a zip"),
    "pickled array": (
        lambda path: np.savez(path, **arrays(kernel_1=np.array([Evil(path.with_name("ran"))], object))),
        "kernel_1 declares object",
    ),
    "pickled about": (
        lambda path: np.savez(path, **arrays(about=np.array(Evil(path.with_name("ran")), object))),
        "about declares object",
    ),
    "somebody else's": (lambda path: np.savez(path, x=np.zeros(3)), "holds no 'about'"),
    "compressed": (lambda path: np.savez_compressed(path, **arrays()), "compressed"),
    "declares much": (with_head((10**9, 10**9)), "do not hold"),
    "declares a little more": (with_head((17,)), "do not hold"),
    "declares strings": (with_head((10**12,), "<U9"), "do not hold"),
    "no JSON": (saved(about=np.array("{")), "not a model"),
    "deep JSON": (saved(about=np.array("[" * 100_000)), "not a model"),
    "list": (saved(about=np.array("[1]")), "format 1"),
    "other format": (saved(about=about(format=2)), "format 1"),
    "no workload": (saved(about=np.array('{"format": 1}')), "workload"),
    "no layers": (saved(about=workload_with(layers=[])), "layers is [], expected at least one"),
    "unknown layer": (saved(about=workload_with(layers=[{"kind": "lambda"}])), "describes no network"),
    "huge network": (saved(about=workload_with(layers=huge)), "shapes"),
    "text for units": (saved(about=workload_with(layers=[{"kind": "dense", "units": "x"}])), "describes no network"),
    "other shapes": (saved(kernel_1=np.zeros((784, 8), np.float32)), "shapes"),
    "a layer is missing": (saved(kernel_2=None, bias_2=None), "shapes"),
    "a bias is missing": (saved(bias_2=None), "'bias_2'"),
    "float64": (saved(bias_2=np.zeros(10)), "float64"),
    "seven classes": (
        lambda path: portable.save(path, *(lambda w: (w, weights(w)))(replace(SMALL, layers=(Dense(7),))), ORIGIN),
        "expected 10 logits",
    ),
    "escape sequences": (saved(about=about(implementation="\x1b[2J")), "is no name"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_model_is_told_in_one_line_and_not_executed(case: str, tmp_path: Path) -> None:
    """The file and what is wrong with it; nothing in it is unpickled, and no memory is taken for what it declares."""
    write, words = BAD[case]
    path = tmp_path / "bad.npz"
    write(path)
    with pytest.raises(FcnBenchError) as refused:
        models.load(path)
    line = str(refused.value)
    assert words in line and str(path) in line and len(line.splitlines()) == 1 and "\x1b" not in line
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_told(good: Path, part: float) -> None:
    """Wherever it ends."""
    content = good.read_bytes()
    good.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(FcnBenchError, match="not a model"):
        models.load(good)


def test_a_changed_weight_is_noticed(good: Path) -> None:
    """By the archive's own sum."""
    content = bytearray(good.read_bytes())
    content[content.index(b"kernel_1") + 9000] ^= 1
    good.write_bytes(bytes(content))
    with pytest.raises(FcnBenchError, match="CRC"):
        models.load(good)


def test_results_give_their_networks(tmp_path: Path) -> None:
    """With the accuracy that they reached; one that was replaced since is refused."""
    with store_archive.opened(tmp_path):
        path = tmp_path / "models" / "x.npz"
        digest = portable.save(path, SMALL, weights(), ORIGIN)
    result = replace(synthetic.result(), model=digest)
    assert models.of_results(tmp_path, [result]) == []
    path.rename(store_archive.model_path(tmp_path, result))
    (model,) = models.of_results(tmp_path, [result, synthetic.result()])
    assert model.accuracy == result.epochs[-1].accuracy
    assert hashlib.sha256(store_archive.model_path(tmp_path, result).read_bytes()).hexdigest() == digest
    store_archive.model_path(tmp_path, result).write_bytes(b"other")
    with pytest.raises(FcnBenchError, match="not the one that was trained"):
        models.of_results(tmp_path, [result])

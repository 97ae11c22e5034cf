"""Exported networks: every format of every framework says what the oracle says, and what does other work is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from children import ask, needs

from bench.data import mnist
from bench.store.records.export import Export
from bench.verification.oracle import logit_limit
from bench.worker.jobs import export
from impls import exports, portable
from impls.contract import Weights
from impls.exports import Exporter, graph
from impls.oracle import training
from impls.workload import SGD, Conv, Dense, Dropout, Pool, Workload

LAYERS = (
    Conv(3, 5, 2, "relu"), Pool(2), Dropout(0.5), Conv(4, 4, 1, "tanh"), Pool(3), Dense(12, "sigmoid"), Dropout(0.2),
    Dense(11), Dense(10),
)  # fmt: skip
NETWORK = Workload("own", 0, LAYERS, 0.1307, 0.3081, 20, 50, 1, SGD(0.05))
ORIGIN = {"implementation": "matched-pytorch", "framework": "pytorch", "versions": {"torch": "2.0"}}
NEEDS = {
    "pytorch": ("torch", "onnxscript"),
    "keras": ("tensorflow", "keras", "tf2onnx", "ai_edge_litert"),
    "jax": ("jax", "flatbuffers"),
}
ROWS = {f"{row.format} by {row.by}": row for row in exports.EXPORTERS}
FOLDED = {"litert by keras": 11}
"""Biases that a converter adds to those of the next layer, where no activation stands between."""
SCRIPT = """
import importlib, json, sys
from dataclasses import asdict
from pathlib import Path
import numpy as np
from bench.data import mnist
from bench.worker.jobs import export
from impls import exports, portable
from impls.workload import Workload
given = np.load(sys.argv[1])
folder, data, by = (Path(str(given[name])) for name in ("folder", "data", "by"))
images, answers = mnist.load(data).x_test, {}
x = Workload.from_dict(portable.load(folder / "model.npz")[0]["workload"]).scale(images)
for row in exports.EXPORTERS:
    if row.by == str(by):
        out, reader = folder / f"{row.by}{row.suffix}", importlib.import_module(row.reader)
        answers[row.format] = json.dumps(asdict(export.export(folder / "model.npz", row, out, images)))
        answers[row.format + " logits"] = reader.load(out)(x[:7])
        if row.format != "native":
            answers[row.format + " about"] = json.dumps(reader.about(out))
np.savez(sys.argv[2], **answers)
"""


def weights_of(workload: Workload) -> Weights:
    """Weights and biases that all matter."""
    rng = np.random.default_rng(3)
    start = training.initial_weights(workload, rng)
    return [(np.float32(kernel), np.float32(rng.normal(0, 0.5, bias.shape))) for kernel, bias in start]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, tiny_data: Path) -> Callable[[str], dict[str, Any]]:
    """``told(by)``: what came of a network with every kind of layer in all formats of a framework, in one process."""
    answers: dict[str, dict[str, Any]] = {}

    def told(by: str) -> dict[str, Any]:
        if by not in answers:
            needs(*NEEDS[by], "onnx", "onnxruntime")
            folder = tmp_path_factory.mktemp(by)
            portable.save(folder / "model.npz", NETWORK, weights_of(NETWORK), ORIGIN)
            given = {"folder": np.array(str(folder)), "data": np.array(str(tiny_data)), "by": np.array(by)}
            answers[by] = {
                **ask(SCRIPT, folder, given, KERAS_BACKEND="tensorflow", JAX_PLATFORMS="cpu"),
                "folder": folder,
            }
        return answers[by]

    return told


@pytest.mark.process
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_every_format_says_what_the_oracle_says(row: Exporter, told: Any, tiny_data: Path) -> None:
    """The framework's own check passes, and the file's logits are the oracle's, also of an odd number of images."""
    answer = told(row.by)
    found = json.loads(str(answer[row.format]))
    images = mnist.load(tiny_data).x_test
    assert (found["status"], found["reason"], found["images"]) == ("ok", "", len(images))
    assert found["agree"] == len(images) and found["largest_difference"] <= found["limit"] < 1e-4
    assert found["size_bytes"] > 4 * NETWORK.parameters and found["one_image_s"] > 0
    assert set(row.packages) <= set(found["versions"])
    exact = training.forward(NETWORK, weights_of(NETWORK), NETWORK.scale(images[:7]))[0]
    assert np.abs(answer[f"{row.format} logits"] - exact).max() <= found["limit"]


@pytest.mark.process
@pytest.mark.parametrize("name", ROWS)
def test_the_graph_accounts_for_every_parameter(name: str, told: Any) -> None:
    """Its steps' parameters add up to the network's, the last step gives the logits, and the images are any number."""
    nodes = json.loads(str(told(ROWS[name].by)[ROWS[name].format]))["graph"]
    assert sum(node["parameters"] for node in nodes) == NETWORK.parameters - FOLDED.get(name, 0)
    assert nodes[-1]["shape"] == [None, 10]
    channels = next(node["shape"] for node in nodes if node["parameters"])
    assert channels == ([None, 3, 28, 28] if "pytorch" in name or "onnx" in name else [None, 28, 28, 3])


@pytest.mark.process
@pytest.mark.parametrize("name", [name for name in ROWS if not name.startswith("native")])
def test_a_file_says_how_to_feed_it(name: str, told: Any) -> None:
    """Its metadata hold the scaling and the shape of the input, and no place on the machine that made it."""
    row = ROWS[name]
    about = json.loads(str(told(row.by)[f"{row.format} about"]))
    assert about == graph.about(NETWORK, row.by, ORIGIN)
    assert (float(about["mean"]), float(about["std"])) == (0.1307, 0.3081)
    assert about["input"].startswith("image [n, 1, 28, 28]" if row.by == "pytorch" else "image [n, 28, 28, 1]")
    content = (told(row.by)["folder"] / f"{row.by}{row.suffix}").read_bytes()
    assert b"site-packages" not in content and str(Path(__file__).parents[3]).encode() not in content


@pytest.mark.process
@pytest.mark.parametrize("by", ["pytorch", "keras"])
def test_an_onnx_file_has_one_named_input_and_output(by: str, told: Any) -> None:
    """ONNX Runtime alone, in a process without the framework, finds ``image`` and ``logits`` and takes one image."""
    session = pytest.importorskip("onnxruntime").InferenceSession(told(by)["folder"] / f"{by}.onnx")
    (taken,), (given,) = session.get_inputs(), session.get_outputs()
    assert (taken.name, taken.shape[0], given.name, given.shape) == ("image", "n", "logits", ["n", 10])
    assert session.run(None, {"image": np.zeros([1, *taken.shape[1:]], np.float32)})[0].shape == (1, 10)


X = np.random.default_rng(1).normal(size=(1200, 4)).astype(np.float32)
KERNEL = np.random.default_rng(2).normal(size=(4, 10)).astype(np.float32)


def right(x: np.ndarray) -> np.ndarray:
    return x @ KERNEL + np.arange(10, dtype=np.float32)


PLANTED = {
    "a bias is dropped": (lambda x: x @ KERNEL, "a logit differs by"),
    "weights in half precision": (lambda x: x @ KERNEL.astype(np.float16).astype(np.float32) + np.arange(10), "differs"),
    "the batch is answered, one image alone is not": (lambda x: right(x) + (len(x) == 1), "a logit differs by 1"),
    "the last image is forgotten": (lambda x: right(x)[:-1], "shape (1197, 10)"),
    "not a number": (lambda x: right(x) * np.where(x[:, :1] == X[700, 0], np.nan, 1), "not all finite"),
    "one logit of one image": (lambda x: right(x) + 1e-3 * (x[:, :1] == X[1199, 0]), "a logit differs by 0.001"),
}  # fmt: skip


@pytest.mark.parametrize(("wrong", "words"), PLANTED.values(), ids=PLANTED)
def test_a_file_that_does_other_work_fails(wrong: Any, words: str) -> None:
    """Whatever is off in any image, the check sees it and says how far."""
    found = export.compared(Export("onnx", "keras", "failed"), right, wrong, X, 1e-5)
    assert found.status == "failed" and words in found.reason


def test_a_file_that_does_the_same_work_passes() -> None:
    """Figures and all; a tie that rounding decides is no failure, but is not counted as the same."""

    def tied(x: np.ndarray) -> np.ndarray:
        return np.zeros((len(x), 10), np.float32)

    def nudged(x: np.ndarray) -> np.ndarray:
        return tied(x) + np.where(x[:, :1] == X[3, 0], 1e-6 * np.arange(10), 0)

    found = export.compared(Export("onnx", "keras", "failed"), right, right, X, 1e-5)
    assert (found.status, found.images, found.agree) == ("ok", 1200, 1200)
    assert found.largest_difference is not None and found.largest_difference < 1e-6
    found = export.compared(Export("onnx", "keras", "failed"), tied, nudged, X, 1e-5)
    assert (found.status, found.agree) == ("ok", 1199)


def test_a_network_whose_own_logits_are_not_numbers_is_refused() -> None:
    """A diverged network cannot be checked, and so is not exported."""
    found = export.compared(Export("onnx", "keras", "failed"), lambda x: right(x) * np.inf, right, X, 1e-5)
    assert found.status == "failed" and "the network's own logits" in found.reason


def test_the_limit_is_rounding_and_far_below_a_lost_bit() -> None:
    """Float32 in another order of summation stays within the limit, half precision is far outside."""
    workload = Workload("small", 0, (Dense(64, "relu"), Dense(10)), 0.0, 1.0, 20, 50, 1, SGD(0.05))
    weights = weights_of(workload)
    x = workload.scale(np.random.default_rng(5).integers(0, 256, (50, 28, 28), dtype=np.uint8))
    order = np.random.default_rng(6).permutation(784)
    exact, most = training.forward(workload, weights, x, np.float32)[0], logit_limit(workload, weights, x)
    mixed = [(weights[0][0][order], weights[0][1]), weights[1]]
    half = [(kernel.astype(np.float16).astype(np.float32), bias) for kernel, bias in weights]
    assert np.abs(training.forward(workload, mixed, x[:, order], np.float32)[0] - exact).max() <= most
    assert np.abs(training.forward(workload, half, x, np.float32)[0] - exact).max() > 10 * most

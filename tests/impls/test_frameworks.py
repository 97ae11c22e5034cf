"""The table of frameworks: names and colours as they were published, and no word against the implementations."""

import re
from pathlib import Path

import pytest

from impls import exports, registry
from impls.frameworks import COMPARED, FRAMEWORKS, LABELS
from impls.registry import BUILT_IN

BENCH = Path(registry.__file__).parent.parent / "bench"


def test_names_for_people() -> None:
    """Keras is named with its backend, and every implementation of a framework has a name."""
    assert LABELS == {
        "pytorch": "PyTorch", "keras": "Keras on TensorFlow", "keras-jax": "Keras on JAX",
        "keras-torch": "Keras on PyTorch", "keras-no-autotune": "Keras on TensorFlow without autotuning", "tensorflow": "TensorFlow", "jax": "JAX", "numpy": "NumPy",
    }  # fmt: skip
    assert {entry.short for entry in BUILT_IN} - set(LABELS) == {"null"}


def test_no_two_frameworks_share_a_colour() -> None:
    """Or a reader of a chart would take one for the other."""
    colours = {name: row.colour for name, row in FRAMEWORKS.items()}
    assert colours == {
        "pytorch": "#d55e00", "keras": "#0072b2", "tensorflow": "#3d9fdb", "jax": "#009e73", "numpy": "#7a7a7a",
    }  # fmt: skip


DECLARED = {
    entry.name: (entry.framework, source)
    for entry in BUILT_IN
    if "    adam" in (source := Path(str(entry.file)).read_text(encoding="utf-8"))
}
"""The implementations that say which Adam they run; the others take it from another one's class."""


@pytest.mark.parametrize("name", DECLARED)
def test_an_implementation_declares_its_frameworks_form_of_adam(name: str) -> None:
    """Read from the source, where the number may have a name, which another implementation may have given it."""
    framework, source = DECLARED[name]
    form, epsilon = re.findall(r'^    adam\b.* = \("(.*)", (.*)\)$', source, re.MULTILINE)[0]
    if epsilon == "EPSILON":
        matched = Path(str(registry.of_framework("jax")["matched"].file)).read_text(encoding="utf-8")
        epsilon = re.findall(r"EPSILON = .*?([^ ]+)$", source + matched, re.MULTILINE)[0]
    assert (form, float(epsilon)) == FRAMEWORKS[framework].adam


def test_what_is_compared_can_do_everything() -> None:
    """The tutorials' frameworks have every capability; who writes a format can build a network."""
    for folder in ("documented", "matched", "models", "probes", "breakdown"):
        assert set(registry.capable(folder)) >= set(COMPARED)
    assert {row.by for row in exports.EXPORTERS} <= set(registry.capable("models"))


def test_exporters_are_found_with_what_their_files_declare() -> None:
    """In the order in which they are offered: what most frameworks write first, the frameworks' own formats last."""
    assert [(row.format, row.by, row.suffix, row.packages) for row in exports.EXPORTERS] == [
        ("onnx", "pytorch", ".onnx", ("torch", "onnxscript", "onnx", "onnxruntime")),
        ("onnx", "keras", ".onnx", ("tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime")),
        ("jax", "jax", ".jaxexport", ("jax", "flatbuffers")),
        ("litert", "keras", ".tflite", ("tensorflow", "keras", "ai_edge_litert")),
        ("torch", "pytorch", ".pt2", ("torch",)),
        ("native", "pytorch", ".pt", ("torch",)),
        ("native", "keras", ".keras", ("tensorflow", "keras")),
    ]


@pytest.mark.parametrize("path", sorted(BENCH.rglob("*.py")), ids=lambda path: str(path.relative_to(BENCH)))
def test_the_harness_names_no_framework(path: Path) -> None:
    """But for torchvision, whose folders MNIST's files lie in."""
    text = path.read_text(encoding="utf-8").replace("torchvision", "")
    assert not re.search("pytorch|tensorflow|keras|jax|torch", text, re.IGNORECASE)

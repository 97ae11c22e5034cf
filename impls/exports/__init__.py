"""Who writes which format. It imports none of them: a row only says where the code lies.

A writer is a module with ``write(path, workload, weights, about)``. A reader is one with ``load(path)``, which gives a
function from scaled images ``[n, ...]`` to logits ``[n, 10]``, and ``graph(path)``, a list of
:class:`impls.exports.graph.Node`; where the format has a place for texts, ``about(path)`` gives them back.
"""

from collections.abc import Iterator
from dataclasses import dataclass

FORMATS = ("onnx", "litert", "torch", "native")


@dataclass(frozen=True)
class Exporter:
    """``by`` is the framework, ``packages`` what the writer and the reader import, by those names."""

    format: str
    by: str
    suffix: str
    writer: str
    reader: str
    packages: tuple[str, ...]

    @property
    def models(self) -> str:
        """Where the framework builds a trained network."""
        return f"impls.models.{self.by}"


def row(format: str, by: str, suffix: str, writer: str, reader: str, *packages: str) -> Exporter:
    """A row whose code lies in this folder."""
    return Exporter(format, by, suffix, f"impls.exports.{writer}", f"impls.exports.{reader}", packages)


EXPORTERS = (
    row("onnx", "pytorch", ".onnx", "pytorch_onnx", "onnx", "torch", "onnxscript", "onnx", "onnxruntime"),
    row("onnx", "keras", ".onnx", "keras_onnx", "onnx", "tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime"),
    row("litert", "keras", ".tflite", "keras_litert", "litert", "tensorflow", "keras", "ai_edge_litert"),
    row("torch", "pytorch", ".pt2", "pytorch_torch", "torch", "torch"),
    row("native", "pytorch", ".pt", "pytorch_native", "pytorch_native", "torch"),
    row("native", "keras", ".keras", "keras_native", "keras_native", "tensorflow", "keras"),
)


def writers(format: str) -> Iterator[Exporter]:
    """The rows that write this format."""
    return (exporter for exporter in EXPORTERS if exporter.format == format)


def find(format: str, by: str) -> Exporter:
    """The row of a format and a framework. Raises KeyError for what no framework writes."""
    return {(exporter.format, exporter.by): exporter for exporter in EXPORTERS}[format, by]

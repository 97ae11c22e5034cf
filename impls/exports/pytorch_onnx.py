"""PyTorch's exporter to ONNX, which goes by way of ``torch.export``."""

from pathlib import Path

import torch

from impls.contract import Weights
from impls.exports import onnx
from impls.exports.graph import input_shape
from impls.models.pytorch import build
from impls.workload import Workload

PACKAGES = ("torch", "onnxscript")


def write(path: Path, workload: Workload, weights: Weights, about: dict[str, str]) -> None:
    """The network with any number of images ``[n, 784]`` or ``[n, 1, 28, 28]``."""
    example = torch.zeros(2, *input_shape(workload, "pytorch"))
    free = ({0: torch.export.Dim("images")},)
    program = torch.onnx.export(build(workload, weights), (example,), dynamo=True, dynamic_shapes=free, verbose=False)
    assert program is not None  # as dynamo=True gives it
    onnx.finish(program.model_proto, path, about)

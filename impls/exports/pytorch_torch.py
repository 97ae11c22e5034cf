"""PyTorch's own exporter, ``torch.export``."""

import json
from pathlib import Path

import torch

from impls.contract import Weights
from impls.exports.graph import input_shape
from impls.exports.torch import ABOUT
from impls.models.pytorch import build
from impls.workload import Workload

PACKAGES = ("torch",)


def write(path: Path, workload: Workload, weights: Weights, about: dict[str, str]) -> None:
    """The network with any number of images ``[n, 784]`` or ``[n, 1, 28, 28]``.

    Paths of this machine's source files, which PyTorch leaves in the nodes, are removed.
    """
    example = torch.zeros(2, *input_shape(workload, "pytorch"))
    free = ({0: torch.export.Dim("images")},)
    program = torch.export.export(build(workload, weights), (example,), dynamic_shapes=free)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    torch.export.save(program, path, extra_files={ABOUT: json.dumps(about)})

"""PyTorch's own format (:mod:`impls.models.pytorch`) as one more to export to: written, run, looked into."""

from pathlib import Path

import torch

from impls.contract import Weights
from impls.exports.graph import Node, Predict, input_shape
from impls.models import pytorch
from impls.workload import Workload

PACKAGES = ("torch",)


def write(path: Path, workload: Workload, weights: Weights, about: dict[str, str]) -> None:
    """A ``state_dict``; how the input is scaled stands in the network's description beside it."""
    pytorch.save(path, workload, weights)


def load(path: Path) -> Predict:
    """The network, read safely and built again."""
    model = pytorch.build(*pytorch.load(path))
    return lambda x: pytorch.logits(model, x)


def graph(path: Path) -> list[Node]:
    """The modules in their order, each with what it makes of images."""
    workload, weights = pytorch.load(path)
    out, nodes = torch.zeros(2, *input_shape(workload, "pytorch")), []
    for name, module in pytorch.build(workload, weights).named_children():
        out, taken = module(out), list(module.parameters())
        parameters, size_bytes = sum(t.numel() for t in taken), sum(t.nbytes for t in taken)
        nodes.append(Node(name, type(module).__name__, (None, *out.shape[1:]), parameters, size_bytes))
    return nodes

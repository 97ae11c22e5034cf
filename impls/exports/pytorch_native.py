"""PyTorch's own format (:mod:`impls.models.pytorch`) as one more to export to: written, run, looked into."""

import json
from pathlib import Path

import torch
from torch import nn

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
    _, model = read(path)
    return lambda x: pytorch.logits(model, x)


def graph(path: Path) -> list[Node]:
    """The modules in their order, each with what it makes of images."""
    workload, model = read(path)
    out, nodes = torch.zeros(2, *input_shape(workload, "pytorch")), []
    for name, module in model.named_children():
        out, taken = module(out), list(module.parameters())
        parameters, size_bytes = sum(t.numel() for t in taken), sum(t.nbytes for t in taken)
        nodes.append(Node(name, type(module).__name__, (None, *out.shape[1:]), parameters, size_bytes))
    return nodes


def read(path: Path) -> tuple[Workload, nn.Sequential]:
    """What the file describes, and the network."""
    described, weights = pytorch.load(path)
    workload = Workload.from_dict(json.loads(described))
    return workload, pytorch.build(workload, weights)

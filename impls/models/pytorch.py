"""A trained network in PyTorch: built from portable weights, saved and loaded in PyTorch's own format."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from impls.contract import Float32, Weights, Workload
from impls.layout import from_pytorch, to_pytorch
from impls.matched.pytorch import layers

SUFFIX = ".pt"


def build(workload: Workload, weights: Weights) -> nn.Sequential:
    """The network on the CPU, ready to predict."""
    model = nn.Sequential(*layers(workload)).eval()
    with torch.no_grad():
        for module, before, (kernel, bias) in zip(trained(model), workload.inputs, weights, strict=True):
            module.weight.copy_(torch.from_numpy(to_pytorch(kernel, before)))
            module.bias.copy_(torch.from_numpy(bias))
    return model


def logits(model: nn.Sequential, x: Float32) -> Float32:
    """Logits ``[n, 10]`` of input as ``workload.scale`` makes it."""
    with torch.no_grad():
        return model(torch.from_numpy(x).movedim(-1, 1) if x.ndim == 4 else torch.from_numpy(x)).numpy()


def save(path: Path, workload: Workload, weights: Weights) -> None:
    """A ``state_dict``, with the network's description beside it as text."""
    torch.save({"workload": json.dumps(asdict(workload)), "state_dict": build(workload, weights).state_dict()}, path)


def load(path: Path) -> tuple[str, Weights]:
    """What :func:`save` wrote: the description as JSON and the weights. Weights only: nothing else is unpickled."""
    kept = torch.load(path, map_location="cpu", weights_only=True)
    workload = Workload.from_dict(json.loads(kept["workload"]))
    model = nn.Sequential(*layers(workload))
    model.load_state_dict(kept["state_dict"])
    return kept["workload"], [
        (from_pytorch(module.weight.numpy(force=True), before), module.bias.numpy(force=True).copy())
        for module, before in zip(trained(model), workload.inputs, strict=True)
    ]


def trained(model: nn.Sequential) -> list[nn.Module]:
    """The layers that have weights, from the input to the logits."""
    return [module for module in model if isinstance(module, nn.Linear | nn.Conv2d)]

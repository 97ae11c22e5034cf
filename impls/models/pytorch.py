"""A trained network in PyTorch: built from portable weights, saved and loaded in PyTorch's own format."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from impls import portable
from impls.contract import Unavailable, Weights
from impls.layout import from_pytorch, to_pytorch
from impls.matched.pytorch import layers
from impls.workload import Float32, Workload


def build(workload: Workload, weights: Weights, device: str = "cpu") -> nn.Sequential:
    """The network on its device, ready to predict. Raises Unavailable where PyTorch cannot use that."""
    backend = {"cuda": torch.cuda, "mps": torch.backends.mps}.get(device)
    if backend is not None and not backend.is_available():
        raise Unavailable(f"PyTorch {torch.__version__} sees no {device.upper()} device")
    model = nn.Sequential(*layers(workload)).eval()
    with torch.no_grad():
        for module, before, (kernel, bias) in zip(trained(model), workload.inputs, weights, strict=True):
            module.weight.copy_(torch.from_numpy(to_pytorch(kernel, before)))
            module.bias.copy_(torch.from_numpy(bias))
    return model.to(device)


def logits(model: nn.Sequential, x: Float32) -> Float32:
    """Logits ``[n, 10]`` of input as ``workload.scale`` makes it."""
    given = torch.from_numpy(x).to(next(model.parameters()).device)
    with torch.no_grad():
        return model(given.movedim(-1, 1) if x.ndim == 4 else given).numpy(force=True)


def save(path: Path, workload: Workload, weights: Weights) -> None:
    """A ``state_dict``, with the network's description beside it as text."""
    torch.save({"workload": json.dumps(asdict(workload)), "state_dict": build(workload, weights).state_dict()}, path)


def load(path: Path) -> tuple[Workload, Weights]:
    """The network and its weights that :func:`save` wrote. Weights only: nothing else is unpickled.

    Raises whatever PyTorch raises for what is no such file, and ValueError where it is not what it describes.
    """
    portable.check_archive(path)
    kept = torch.load(path, map_location="cpu", weights_only=True)
    workload = portable.described(path, kept["workload"])
    model = nn.Sequential(*layers(workload))
    model.load_state_dict(kept["state_dict"])
    return workload, [
        (from_pytorch(module.weight.numpy(force=True), before), module.bias.numpy(force=True).copy())
        for module, before in zip(trained(model), workload.inputs, strict=True)
    ]


def trained(model: nn.Sequential) -> list[nn.Module]:
    """The layers that have weights, from the input to the logits."""
    return [module for module in model if isinstance(module, nn.Linear | nn.Conv2d)]

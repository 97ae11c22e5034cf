"""PyTorch, probed for document 1's Table 1: the measured program with a look into its forward pass."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from impls.matched.pytorch import Implementation
from impls.workload import Workload

MODES = ("eager", "torch.compile")
"""How a forward pass can run, as it does by default first."""
TIMED = ("eager",)
"""``torch.compile`` is not: what it captures runs as it is here, since a compiler takes long and may be missing."""
CAPTURED = ("torch.compile",)
"""The modes that say how many graphs they made."""


class Look(nn.Module):
    """A layer that changes nothing and calls a Python function, as a reader's own ``print`` would stand there."""

    def __init__(self, look: Callable[[Any], None]) -> None:
        super().__init__()
        self.look = look

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Look, and pass on what came."""
        self.look(x)
        return x


def program(workload: Workload, mode: str, look: Callable[[Any], None], graphs: list[Any]) -> Implementation:
    """The measured program with ``look`` before its first layer; ``graphs`` gets each graph that is captured."""
    made = Implementation(workload, "cpu", seed=1)
    made.model = nn.Sequential(Look(look), *made.model)

    def keep(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Callable[..., Any]:
        graphs.append(graph)
        return graph.forward

    if mode == "torch.compile":
        made.model.compile(backend=keep)
    return made


def number(x: torch.Tensor) -> float:
    """The sum of a tensor, as somebody at a breakpoint would ask for it."""
    return float(x.sum())


def tools(folder: Path) -> dict[str, bool]:
    """Special debuggers, and whether they are to be had: PyTorch has none."""
    return {}

"""Programs of ``torch.export`` (``.pt2``): run by PyTorch without the network's Python code, and looked into."""

import json
from pathlib import Path

import torch

from impls.exports.graph import Node, Predict
from impls.workload import Float32

SUFFIX = ".pt2"
PACKAGES = ("torch",)
ABOUT = "about.json"
"""The name of the text in the archive."""


def load(path: Path) -> Predict:
    """The network as PyTorch reads it back, on the CPU."""
    program = torch.export.load(path)
    run, shape = program.module(), program.example_inputs[0][0].shape[1:]

    def predict(x: Float32) -> Float32:
        with torch.no_grad():
            # an image has one channel, so that first or last is the same row of numbers
            return run(torch.from_numpy(x).reshape(-1, *shape)).numpy()

    return predict


def graph(path: Path) -> list[Node]:
    """The program's operations in their order."""
    program = torch.export.load(path)
    weights = {name: program.state_dict[key] for name, key in program.graph_signature.inputs_to_parameters.items()}
    nodes = []
    for node in program.graph.nodes:
        if node.op == "call_function":
            taken = [weights.pop(before.name) for before in node.all_input_nodes if before.name in weights]
            shape = tuple(size if isinstance(size, int) else None for size in node.meta["val"].shape)
            parameters, size_bytes = sum(t.numel() for t in taken), sum(t.nbytes for t in taken)
            nodes.append(Node(node.name, str(node.target).split(".")[1], shape, parameters, size_bytes))
    return nodes


def about(path: Path) -> dict[str, str]:
    """The texts in the archive."""
    files = {ABOUT: ""}
    torch.export.load(path, extra_files=files)
    return json.loads(files[ABOUT])

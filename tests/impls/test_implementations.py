"""Every registered implementation keeps the contract: asked of each in a process of its own, through the command line."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from impls.registry import BUILT_IN

pytestmark = pytest.mark.process

IMPLS = Path(__file__).parents[2] / "impls"
MEMBERS = ["__init__", "load", "set_weights", "get_weights", "train_epoch", "predict", "sync", "device_memory"]
OWN = """
[own]
layers = [
    { kind = "pool", size = 2 },
    { kind = "conv", filters = 3, size = 4, padding = 1, activation = "tanh" },
    { kind = "pool", size = 3 },
    { kind = "conv", filters = 5, size = 3, padding = 1, activation = "relu" },
    { kind = "dropout", rate = 0.2 },
    { units = 12, activation = "sigmoid" },
    { kind = "dropout", rate = 0.4 },
    { units = 10 },
]
mean = 0.1307
std = 0.3081
batch_size = 33
test_batch_size = 100
epochs = 1
optimiser = { kind = "sgd", learning_rate = 0.05, momentum = 0.9 }
loss = "log-softmax-nll"
"""


def fcnbench(*arguments):
    """The command; JAX compiles programs without optimising them, which takes a third of the time."""
    command = [sys.executable, "-m", "bench.cli.main", *map(str, arguments)]
    environment = {**os.environ, "JAX_DISABLE_MOST_OPTIMIZATIONS": "true"}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


SMALL = """
[small]
layers = [{ units = 12, activation = "tanh" }, { units = 10 }]
mean = 0.1307
std = 0.3081
batch_size = 33
test_batch_size = 100
epochs = 1
optimiser = { kind = "adam", learning_rate = 0.01 }
"""
GATED = [entry for entry in BUILT_IN if entry.gated]
TORCH = ("documented-pytorch", "matched-pytorch", "matched-keras-torch", "reference-numpy")
COMPILED = ("documented-keras", "matched-keras", "matched-keras-no-autotune", "matched-keras-jax", "matched-jax")
TUNED = tuple(entry.name for entry in GATED if entry.tier == "tuned")
CHECKS = [("own", TORCH, ()), ("own", COMPILED, ("--quick",)), ("small", COMPILED, ()), ("small", TUNED, ("--quick",))]
"""Which implementations are checked on which network. The checks that take long make many programs, and XLA takes
minutes for those of a network with convolutions; what is ``tuned`` compiles every network as a whole."""


@pytest.fixture(scope="module")
def verified(some_digits, tmp_path_factory):
    """`fcnbench verify` over all implementations: the statuses of each."""
    file = tmp_path_factory.mktemp("own") / "own.toml"
    file.write_text(OWN + SMALL, encoding="utf-8")
    answers = {}
    for network, names, options in CHECKS:
        named = (part for name in names for part in ("--implementation", name))
        done = fcnbench("verify", "--data", some_digits, "--workloads", file, "--workload", network, *named, *options)
        for name, status in re.findall(r"^same work\? (\S+): \S+, cpu: (\w+)", done.stdout, re.MULTILINE):
            answers.setdefault(name, []).append(status)
    return answers


@pytest.mark.parametrize("entry", GATED, ids=lambda entry: entry.name)
def test_implementation_does_the_work(entry, verified):
    """It passes the checks on networks that differ in layers, activation, loss, optimiser and batch size."""
    asked = sum(entry.name in names for _, names, _ in CHECKS)
    assert asked and verified[entry.name] == ["passed"] * asked


@pytest.mark.parametrize("entry", BUILT_IN, ids=lambda entry: entry.name)
def test_members_stand_in_the_order_of_the_contract(entry):
    """Two files can be read side by side: the same eight members in the same order, and then what they tell.

    One that builds on another's class has those of them that it does otherwise.
    """
    tree = ast.parse((IMPLS.parent / f"{entry.module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    found = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Implementation")
    names = [node.name for node in found.body if isinstance(node, ast.FunctionDef)]
    members = [name for name in MEMBERS if name in names or not found.bases]
    assert names[: len(members)] == members
    own = set(names[len(members) :])
    assert own <= {"switches"} or (entry.tier == "tuned" and names[len(members)] == "switches")


@pytest.mark.parametrize("path", sorted(IMPLS.rglob("*.py")), ids=lambda path: str(path.relative_to(IMPLS)))
def test_impls_never_import_the_harness(path):
    """What is compared does not know who compares it."""
    assert not re.search(r"^\s*(from|import) bench\b", path.read_text(encoding="utf-8"), re.MULTILINE)

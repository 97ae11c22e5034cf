"""Every registered implementation keeps the contract: asked of each in a process of its own, through the command line."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.data import mnist
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
COMPILED = ("documented-keras", "matched-keras", "matched-keras-jax", "matched-jax")
TUNED = tuple(entry.name for entry in GATED if entry.tier == "tuned")
CHECKS = [("own", TORCH, ()), ("own", COMPILED, ("--quick",)), ("small", COMPILED, ()), ("small", TUNED, ("--quick",))]
"""Which implementations are checked on which network. The checks that take long make many programs, and XLA takes
minutes for those of a network with convolutions; what is ``tuned`` compiles every network as a whole."""


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    """`fcnbench verify` over all implementations: the statuses of each."""
    file = tmp_path_factory.mktemp("own") / "own.toml"
    file.write_text(OWN + SMALL, encoding="utf-8")
    answers = {}
    for network, names, options in CHECKS:
        named = (part for name in names for part in ("--implementation", name))
        done = fcnbench("verify", "--workloads", file, "--workload", network, *named, *options)
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


@pytest.fixture(scope="module")
def some_digits(tmp_path_factory):
    """A few thousand real images."""
    from bench.data import download

    data = mnist.load(download.find())
    root = tmp_path_factory.mktemp("some-digits")
    mnist.write(root, data.x_train[:6000], data.y_train[:6000], data.x_test[:1000], data.y_test[:1000])
    return root


@pytest.fixture(scope="module")
def real_run(some_digits, tmp_path_factory):
    """The directory of a session with all default implementations, for tests that read it."""
    out = tmp_path_factory.mktemp("real-run") / "out"
    done = fcnbench("run", "--data", some_digits, "--blocks", 1, "--epochs", 3, "--threads", 1, "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_real_run_from_images_to_report(real_run):
    """All default implementations learn real digits: rows, accuracy, every figure of the CPU, and a report."""
    import pandas as pd

    runs = pd.read_csv(real_run / "runs.csv")
    assert set(runs["status"]) == {"ok"}
    assert set(runs["gate"]) == {"passed"}
    assert sorted(runs.loc[runs["role"] == "measured", "implementation"]) == [
        "documented-keras", "documented-pytorch", "matched-keras", "matched-pytorch",
    ]  # fmt: skip
    assert list(runs.loc[runs["role"] == "control", "implementation"]) == ["matched-pytorch"]
    assert (runs["accuracy"] > 0.85).all()
    empty = set(runs.columns[runs.isna().any()])
    never = {
        "device_peak_bytes", "device_reserved_bytes", "device_process_bytes", "device_process_source", "gpu_processes",
        "gpu_temperature_c", "gpu_clock_mhz", "gpu_slowed_by", "train_energy_j", "no_inference",
    }  # fmt: skip
    words = {"reason", "disturbed_by", "hints", "repeated"}
    untold = {
        "steal_s",
        "throttled_s",
        "hot_events",
        "swapped_bytes",
        "frequency_share",
        "commit",
    }  # where there is none
    assert never <= empty <= never | words | untold
    epochs = pd.read_csv(real_run / "epochs.csv")
    assert list(epochs.groupby("cell").size().unique()) == [4]
    assert epochs.loc[epochs["epoch"] == 0, "train_s"].isna().all()
    assert (real_run / "report.html").exists()
    assert (real_run / "report.md").exists()


def test_matched_implementations_see_the_same_batches(real_run):
    """From the same start in the same order the mean loss of the first epoch agrees between frameworks."""
    results = [json.loads(path.read_text()) for path in (real_run / "cells").glob("*.json")]
    matched = [found for found in results if found["cell"]["tier"] == "matched"]
    losses = [found["epochs"][1]["train_loss"] for found in matched]
    assert len(losses) == 3
    np.testing.assert_allclose(losses, losses[0], rtol=1e-3)


def test_the_tutorials_programs_are_broken_down(real_run):
    """Every pass of both in every round, over no more images than there are, and a bar in the report for each."""
    import pandas as pd

    names = [f"documented-{framework}" for framework in ("pytorch", "keras")]
    found = [json.loads((real_run / "breakdowns" / f"{name}.mlp-128-64.cpu.json").read_text()) for name in names]
    for one in found:
        assert (one["status"], one["reason"]) == ("ok", "") and 0 < one["images"] <= one["epoch_images"] == 6000
        assert list(one["passes"]) == ["loop", "feeding", "forward", "backward", "optimiser", "epoch"]
        assert len({len(seconds) for seconds in one["passes"].values()}) == 1 and len(one["passes"]["epoch"]) > 3
        assert min(one["passes"]["feeding"]) > min(one["passes"]["loop"]) > 0
    frame = pd.read_csv(real_run / "tables" / "breakdown.csv")
    assert frame.groupby("implementation")["share"].sum().round(6).tolist() == [1, 1]
    assert (real_run / "charts" / "breakdown.mlp-128-64.cpu.1t.svg").exists()


def test_both_frameworks_answer_table_1(real_run):
    """PyTorch runs Python at every step and shows numbers to a debugger; Keras traces it, unless it is told not to."""
    import pandas as pd

    probes = [json.loads((real_run / "probes" / f"{name}.json").read_text()) for name in ("pytorch", "keras")]
    assert [probe["status"] for probe in probes] == ["ok", "ok"] and not any(probe["lost"] for probe in probes)
    pytorch, keras = ({mode["name"]: mode for mode in probe["modes"]} for probe in probes)
    steps = pytorch["eager"]["steps"]
    assert steps == keras["fit"]["steps"] == 50
    assert pytorch["eager"]["calls"] == pytorch["torch.compile"]["calls"] == [steps, steps]
    assert pytorch["torch.compile"]["graphs"] >= 1
    assert 1 <= keras["fit"]["calls"][0] < 10 and keras["fit"]["calls"][1] == keras["fit"]["numbers"] == 0
    assert keras["run_eagerly=True"]["numbers"] == pytorch["eager"]["numbers"] == 2 * steps
    assert all(len(mode["epoch_s"]) == 4 for mode in (pytorch["eager"], *keras.values()))
    verdicts = pd.read_csv(real_run / "tables" / "table_1.csv").set_index("says")["verdict"]
    assert verdicts["PyTorch's computation graph is dynamic"] == "holds"
    assert verdicts["TensorFlow's computation graph is static"] == "holds by default"
    assert verdicts["TensorFlow needs a special tool to be debugged (tfdbg)"] == "does not hold"

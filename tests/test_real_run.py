"""A session with all default implementations on real images, from the command to the report."""

import json
import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def real_run(some_digits, tmp_path_factory):
    """The directory of a session with all default implementations, for tests that read it."""
    out = tmp_path_factory.mktemp("real-run") / "out"
    options = ["--data", some_digits, "--blocks", "1", "--epochs", "3", "--threads", "1", "--extras", "--out", out]
    done = subprocess.run([sys.executable, "-m", "bench.cli.main", "run", *options], capture_output=True, text=True)
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
    assert verdicts["PyTorch's computation graph is dynamic"] == "confirmed"
    assert verdicts["TensorFlow's computation graph is static"] == "confirmed by default"
    assert verdicts["TensorFlow needs a special tool to be debugged (tfdbg)"] == "refuted"

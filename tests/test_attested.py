"""Programs that pass the gate and do other work where they are timed, from the command to the report."""

from pathlib import Path

import pandas as pd
import pytest
from conftest import N_TRAIN

import bench

pytestmark = pytest.mark.process
HALF = f"""
    class Implementation(Regression):
        def train_epoch(self, order):
            return super().train_epoch(order[: len(order) // 2] if len(order) == {N_TRAIN} else order)
"""
LATE = f"""
    import time

    class Implementation(Regression):
        later = 0.0

        def train_epoch(self, order):
            self.later = 0.2 * (len(order) == {N_TRAIN})
            time.sleep(2 * self.later)
            return super().train_epoch(order)

        def predict(self):
            time.sleep(self.later)
            self.later = 0.0
            return super().predict()
"""
RUNNING = f"""
    import threading
    import time

    class Implementation(Regression):
        running = None

        def train_epoch(self, order):
            loss = super().train_epoch(order)
            if len(order) == {N_TRAIN}:
                self.running = threading.Thread(target=time.sleep, args=(0.2,))
                self.running.start()
            return loss

        def predict(self):
            if self.running is not None:
                self.running.join()
            return super().predict()
"""
STALE = f"""
    class Implementation(Regression):
        answer = None

        def train_epoch(self, order):
            if len(order) == {N_TRAIN}:
                self.answer = super().predict()
            return super().train_epoch(order)

        def predict(self):
            return super().predict() if self.answer is None else self.answer
"""
REASONS = {
    "half": "its accuracy of epoch 1 is",
    "late": "predicting takes",
    "running": "predicting takes",
    "stale": "its accuracy of epoch 1 is",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_data: Path) -> pd.DataFrame:
    """The runs of a session with a matched program, the same as a plugin, and programs that cheat."""
    from textwrap import dedent

    from conftest import PLAIN, PLUGIN, TINY_TOML

    folder = tmp_path_factory.mktemp("attested")
    bodies = {"matched_plain": PLAIN, "plain": PLAIN, "half": HALF, "late": LATE, "running": RUNNING, "stale": STALE}
    for name, body in bodies.items():
        (folder / f"{name}.py").write_text(PLUGIN + dedent(body), encoding="utf-8")
    (folder / "networks.toml").write_text(TINY_TOML, encoding="utf-8")
    plugins = [folder / f"{name}.py" for name in bodies]
    results = bench.run(
        workloads=folder / "networks.toml", plugin=plugins, implementation=[path.stem.replace("_", "-") for path in plugins],
        data=tiny_data, threads=[1], blocks=1, epochs=3, out=folder / "out",
    )  # fmt: skip
    return results.runs.set_index(["implementation", "role"])


def test_all_of_them_pass_the_gate(made: pd.DataFrame) -> None:
    """Its samples are short, and a program that declares no float64 is asked for no whole epoch."""
    assert set(made["gate"]) == {"passed"} and set(made["status"]) == {"ok"}


@pytest.mark.parametrize(("name", "reason"), REASONS.items())
def test_timed_epochs_show_what_the_gate_cannot(name: str, reason: str, made: pd.DataFrame) -> None:
    """Half the images, work put off until the prediction or left running until then, the answer of an earlier epoch."""
    row = made.loc[name, "measured"]
    assert row["attested"] == "no" and row["attested_reason"].startswith(reason)
    assert pd.isna(row["epoch_s"])


@pytest.mark.parametrize("cell", [("matched-plain", "measured"), ("matched-plain", "control"), ("plain", "measured")])
def test_correct_programs_are_attested_in_a_real_run(cell: tuple[str, str], made: pd.DataFrame) -> None:
    """The reference, the control, and a plugin that does the work."""
    assert made.loc[cell, "attested"] == "yes" and made.loc[cell, "epoch_s"] > 0

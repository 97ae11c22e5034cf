"""What the README's command answers when it is run again and again: ratios, intervals, verdicts, and how long it takes.

    python tests/method/answers.py --runs 10 --out results/method/answers.csv --epochs results/noise/answers.csv

Each run starts from nothing, in a directory of its own that is thrown away. A row is added for it as soon as it has ended,
with what the machine did meanwhile, and the seconds of all its epochs go to the other file.
"""

import argparse
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from bench.report import build
from bench.report.results import Results

QUESTIONS = {"matched": ("matched-keras", "matched-pytorch"), "documented": ("documented-pytorch", "documented-keras")}
ANSWER = " times as long as "
EPOCHS = ["implementation", "role", "block", "epoch", "train_s", "train_cpu_s", "idle_s"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=Path, required=True)
    asked = parser.parse_args()
    for _ in range(asked.runs):
        number = len(pd.read_csv(asked.out)) + 1 if asked.out.exists() else 1
        with TemporaryDirectory() as folder:
            started = {"run": number, "started": datetime.now(UTC).isoformat(timespec="seconds")}
            row = started | run(Path(folder) / "out")
            found = build.read(Path(folder) / "out")
        row |= answers(found) | machine(found)
        add(asked.out, pd.DataFrame([row]))
        timed = found.epochs.dropna(subset="train_s")[EPOCHS]
        add(asked.epochs, timed.assign(run=number)[["run", *EPOCHS]])
        print(row, flush=True)


def run(out: Path) -> dict[str, float]:
    """Run the command; the seconds until its first answer and until its end."""
    begun, first_s = time.monotonic(), float("nan")
    command = [sys.executable, "-m", "bench.cli.main", "run", "--out", str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if ANSWER in line and first_s != first_s:
                first_s = time.monotonic() - begun
    if child.returncode:
        raise SystemExit(f"the run ended with {child.returncode}")
    return {"first_answer_s": round(first_s, 1), "whole_s": round(time.monotonic() - begun, 1)}


def answers(found: Results) -> dict[str, Any]:
    """The ratio, its interval and its verdict for each question, and the control's ratio."""
    judged, control = found.frames["comparison"], found.frames["control"].iloc[0]
    judged = judged[judged["compared"] == "epoch_s"]
    row: dict[str, Any] = {}
    for tier, (slow, fast) in QUESTIONS.items():
        pair = judged[judged["a"].isin((slow, fast)) & judged["b"].isin((slow, fast))].iloc[0]
        ratio, low, high = pair["estimate"], pair["low"], pair["high"]
        if pair["a"] != slow:
            ratio, low, high = 1 / ratio, 1 / high, 1 / low
        row |= {f"{tier}_{name}": value for name, value in (("ratio", ratio), ("low", low), ("high", high))}
        row |= {f"{tier}_p": pair["p_holm"], f"{tier}_verdict": f"{pair['a']}: {pair['verdict'].value}"}
    return row | {f"control_{name}": control[name] for name in ("estimate", "low", "high", "delta")}


def machine(found: Results) -> dict[str, float]:
    """What the machine did meanwhile: CPU seconds that the host took, those of other programs, disturbed processes."""
    runs = found.runs
    seconds = {name: float(runs[name].astype(float).sum()) for name in ("process_s", "steal_s", "others_cpu_s")}
    return {
        "steal": seconds["steal_s"] / seconds["process_s"],
        "others_cpus": seconds["others_cpu_s"] / seconds["process_s"],
        "disturbed": int((runs["disturbed_by"] != "").sum()),
    }


def add(path: Path, rows: pd.DataFrame) -> None:
    """Add rows to a CSV."""
    rows.to_csv(path, mode="a", header=not path.exists(), index=False, float_format="%.5g")


if __name__ == "__main__":
    main()

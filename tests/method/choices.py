"""What each choice in a tuned implementation is worth: the program with that choice undone, beside the program as it is.

    python tests/method/choices.py tuned-pytorch --threads 1 --out results/method/choices.csv

A choice is undone in the text of the program. The program and its variants take turns, epoch by epoch, in one process and
in random order; the ratio of each to the program as it is, within rounds, is printed with its 95 % interval. That holds
for this process: another one can differ by more.
"""

import argparse
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from programs import SEED, started, store

from bench import statistics
from bench.data import download, mnist, tutorials
from impls import environment, registry
from impls.loading import find_class
from impls.registry import Entry

AS_IT_IS = "as it is"
DIVISIONS = (
    "w -= unbiased * m / (v.sqrt() + EPSILON * root)",
    "w -= unbiased / root * m / (v.sqrt() / root + EPSILON)",
)
UNDONE: dict[str, dict[str, list[tuple[str, str]]]] = {
    "tuned-pytorch": {
        "every guard asked": [('{"guard_filter_fn": asked} | ', "")],
        "one step in a call": [("STEPS = 2", "STEPS = 1")],
        "four steps in a call": [("STEPS = 2", "STEPS = 4")],
        "Inductor's calls made by Python": [('"cpp_wrapper": True', '"cpp_wrapper": False')],
        "numbers below 1e-38 kept": [("set_flush_denormal(True)", "set_flush_denormal(False)")],
        "no kernel as [in, out]": [("layer.out_features % VECTOR == 0", "False")],
        "every kernel as [in, out]": [("layer.out_features % VECTOR == 0", "True")],
        "Adam's divisions apart": [DIVISIONS],
    },
    "tuned-tensorflow": {
        "without XLA": [("self.epoch_of, jit_compile=True", "self.epoch_of, jit_compile=False")],
        "kernels as [in, out]": [
            ("return array.T if array.ndim == 2 else array", "return array"),
            ("kernel, transpose_b=True)", "kernel)"),
        ],
        "Adam's divisions apart": [
            (
                "w.assign_sub(unbiased * m / (tf.sqrt(v) + EPSILON * root))",
                "w.assign_sub(unbiased / root * m / (tf.sqrt(v) / root + EPSILON))",
            )
        ],
    },
    "tuned-keras": {"without XLA": [("jit_compile=True", "jit_compile=False")]},
    "tuned-jax": {
        "nothing donated": [(", donate_argnums=(1, 2, 3)", "")],
        "kernels as [in, out]": [("kernel.T if kernel.ndim == 2 else kernel, bias", "kernel, bias")],
    },
}
"""For each implementation its choices, and what undoes them: texts to replace, and by what."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("implementation", choices=UNDONE)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    entry = next(entry for entry in registry.BUILT_IN if entry.name == asked.implementation)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: asked.threads])
    os.environ.update(environment.environment(entry, "cpu", asked.threads))
    texts = {AS_IT_IS: Path(f"{entry.module.replace('.', '/')}.py").read_text(encoding="utf-8")}
    texts |= {name: undone(texts[AS_IT_IS], pairs) for name, pairs in UNDONE[entry.name].items()}
    workload, data = tutorials.networks()["mlp-128-64"], mnist.load(download.find())
    with TemporaryDirectory() as folder:
        programs = {}
        for number, (name, text) in enumerate(texts.items()):
            path = Path(folder) / f"variant_{number}.py"  # compilers want to find the text in a file
            path.write_text(text, encoding="utf-8")
            programs[name] = started(find_class(str(path), entry.attribute), workload, data)
        rows = measured(entry, programs, texts, asked)
    found = pd.DataFrame(rows, columns=["implementation", "threads", "choice", "round", "epoch_s"])
    found = found[found["round"] >= 0]
    if asked.out:
        store(found, asked.out, ["implementation", "threads"])
    print(table(found))


def undone(text: str, pairs: list[tuple[str, str]]) -> str:
    for old, new in pairs:
        assert old in text, f"the text to replace is gone: {old}"
        text = text.replace(old, new)
    return text


def measured(entry: Entry, programs: dict[str, Any], texts: dict[str, str], asked: argparse.Namespace) -> list:
    """An epoch of each program in each round: a row of the CSV."""
    random, rows = np.random.default_rng(SEED), []
    for number in range(-2, asked.rounds):  # two of which compile and warm up
        order = random.permutation(60_000)
        for name in random.permutation(list(programs)):
            prepare(entry, texts[name], asked.threads)
            start = time.perf_counter()
            programs[name].train_epoch(order)
            programs[name].sync()
            rows.append((entry.name, asked.threads, str(name), number, time.perf_counter() - start))
    return rows


def prepare(entry: Entry, text: str, threads: int) -> None:
    """What a program sets for its whole process, it sets for those beside it too."""
    if entry.framework == "pytorch":
        import torch

        torch.set_flush_denormal("set_flush_denormal(True)" in text)
        torch.set_num_threads(threads)


def table(found: pd.DataFrame) -> str:
    """A row for each choice in Markdown: the median epoch without it, and that as a multiple of the program as it is."""
    epochs = found.pivot_table(index="round", columns="choice", values="epoch_s")
    lines = ["| | seconds per epoch | times the program as it is |", "|---|---:|---:|"]
    for name in [AS_IT_IS, *sorted(set(found["choice"]) - {AS_IT_IS})]:
        ratio = statistics.paired_ratio(list(epochs[name]), list(epochs[AS_IT_IS]))
        times = "1" if name == AS_IT_IS else f"{ratio.estimate:.3f} ({ratio.low:.3f} to {ratio.high:.3f})"
        lines.append(f"| {name} | {epochs[name].median():.3f} | {times} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

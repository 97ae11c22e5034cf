"""Where an epoch of tuned-pytorch goes: its compiled call, cut off after each of its parts in turn.

    python tests/method/taken_apart.py --threads 1 --out results/method/tuned-pytorch.csv

Five programs of the same steps are compiled as ``tuned-pytorch`` is: an empty call, with the batches gathered, with the
forward pass, with the gradients, and the whole. They take turns, round by round, beside whole epochs and the products of
PyTorch's floor by themselves. The difference of two of them is what a part costs; each part counts in the median round.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from bench import fetch, mnist, workloads
from impls import reference
from impls.floor.pytorch import Floor
from impls.tuned.pytorch import STEPS, Implementation

PARTS = {"call": "", "gathering": "call", "forward": "gathering", "gradients": "forward", "optimiser": "gradients"}
"""Each part, and the one before it, after which the program is cut off that it is compared with."""
GROUPS, SEED = 60, 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: asked.threads])
    torch.set_num_threads(asked.threads)
    workload, data = workloads.load()["mlp-128-64"], mnist.load(fetch.find())
    program = Implementation(workload, "cpu", SEED)
    program.load(data)
    program.set_weights(reference.initial_weights(workload, np.random.default_rng(SEED)))
    limit = Floor(workload, "cpu", workload.scale(data.x_train))
    order = np.random.default_rng(SEED).permutation(len(data.y_train))
    groups = torch.from_numpy(order[: GROUPS * STEPS * workload.batch_size]).view(GROUPS, STEPS, workload.batch_size)
    program.model.train()
    timed = {name: called(cut, groups) for name, cut in cuts(program).items()}
    timed["epoch"] = lambda: program.train_epoch(order)
    timed["products"] = lambda: limit.products(GROUPS * STEPS)
    steps = dict.fromkeys(timed, GROUPS * STEPS) | {"epoch": len(order) / workload.batch_size}
    rows = []
    for number in range(-2, asked.rounds):  # two of which compile and warm up
        for name, work in timed.items():
            start = time.perf_counter()
            work()
            rows.append((asked.threads, number, name, (time.perf_counter() - start) / steps[name]))
    found = pd.DataFrame(rows, columns=["threads", "round", "until", "step_s"])
    found = found[found["round"] >= 0]
    if asked.out:
        before = pd.read_csv(asked.out) if asked.out.exists() else found.iloc[:0]
        kept = before[before["threads"] != asked.threads]
        pd.concat([frame for frame in (kept, found) if len(frame)]).to_csv(asked.out, index=False)
    print(table(found))


def called(cut: Callable[[torch.Tensor], None], groups: torch.Tensor) -> Callable[[], None]:
    """All groups by one compiled program."""
    compiled = torch.compile(cut, fullgraph=True, dynamic=False, options={"cpp_wrapper": True})

    def work() -> None:
        with torch.no_grad():
            for group in groups:
                compiled(group)

    return work


def cuts(program: Implementation) -> dict[str, Callable[[torch.Tensor], None]]:
    """The steps of ``tuned-pytorch``, cut off after each part; what a part made is written somewhere, or it would go."""
    held = torch.empty((program.workload.batch_size, *program.x.shape[1:]))
    kept = {name: torch.zeros_like(weight) for name, weight in program.weights.items()}

    def call(group: torch.Tensor) -> None:
        for batch in group:
            program.total += batch[0]

    def gathering(group: torch.Tensor) -> None:
        for batch in group:
            held.copy_(program.x[batch])
            program.total += program.y[batch][0]

    def forward(group: torch.Tensor) -> None:
        for batch in group:
            program.total += program.loss_of(program.weights, program.x[batch], program.y[batch])

    def gradients(group: torch.Tensor) -> None:
        for batch in group:
            found, loss = torch.func.grad_and_value(program.loss_of)(
                program.weights, program.x[batch], program.y[batch]
            )
            for name, gradient in found.items():
                kept[name].copy_(gradient)
            program.total += loss

    def optimiser(group: torch.Tensor) -> None:
        program.steps(group)

    return {cut.__name__: cut for cut in (call, gathering, forward, gradients, optimiser)}


def table(found: pd.DataFrame) -> str:
    """A row for each part in Markdown: microseconds of a step and the share of the epoch that it takes."""
    wide = found.pivot_table(index="round", columns="until", values="step_s") * 1e6
    parts = {name: (wide[name] - (wide[before] if before else 0.0)).median() for name, before in PARTS.items()}
    epoch = wide["epoch"].median()
    lines = ["| part | µs per step | share of the epoch |", "|---|---:|---:|"]
    lines += [f"| {name} | {value:.0f} | {value / epoch:.0%} |" for name, value in parts.items()]
    told = sum(parts.values())
    lines.append(f"| these together | {told:.0f} | {told / epoch:.0%} |")
    lines.append(f"| the epoch | {epoch:.0f} | 100% |")
    lines.append(f"| the floor's products, by PyTorch and by themselves | {wide['products'].median():.0f} | |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

"""Where an epoch of tuned-pytorch goes: its loops and products as PyTorch's profiler sees them.

    python tests/method/taken_apart.py --threads 1 --out results/method/tuned-pytorch.csv

The steps are compiled once more as ``tuned-pytorch`` compiles them, with the names of Inductor's loops told to the
profiler (``cpp.enable_kernel_profile``). In each round these take turns: an epoch as it is, the same steps under the
profiler, a compiled call that is handed the same tensors and does next to nothing with them, the batches that fill no
group, and the products of PyTorch's floor by themselves. An event counts with its own time, without those inside of it,
and belongs to the part that its name tells. What the profiler costs falls between the events: what lies there is not
read off it.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from programs import SEED, started, store
from torch.profiler import ProfilerActivity, profile

from bench.data import download, mnist, tutorials
from impls.floor.pytorch import Floor
from impls.tuned.pytorch import STEPS, Implementation

PARTS = {
    "products": ("mm_out",),
    "loss": ("log_softmax",),
    "gathering": ("index",),
    "optimiser": ("sqrt",),
    "activations": ("relu", "threshold"),
}
"""Each part, and what the names of its events hold; an event belongs to the first part whose words it has."""
CALL, LAST = "call", "last batches, op by op"
EPOCH, PRODUCTS = "the epoch", "the floor's products, by PyTorch and by themselves"
PROFILED = 240
"""Steps under the profiler in each round."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: asked.threads])
    torch.set_num_threads(asked.threads)
    workload, data = tutorials.networks()["mlp-128-64"], mnist.load(download.find())
    plain, named = (started(Implementation, workload, data) for _ in "12")
    options = named.options | {"cpp.enable_kernel_profile": True}
    named.compiled = torch.compile(named.steps, fullgraph=True, dynamic=False, options=options)
    limit = Floor(workload, "cpu", workload.scale(data.x_train))
    random = np.random.default_rng(SEED)
    order = random.permutation(len(data.y_train))
    steps, group = len(order) / workload.batch_size, STEPS * workload.batch_size
    groups = torch.from_numpy(order[: len(order) // group * group]).view(-1, STEPS, workload.batch_size)
    rest = torch.from_numpy(order[len(order) // group * group :])
    handed = torch.compile(handing(plain), fullgraph=True, dynamic=False, options=plain.options)
    timed = {
        EPOCH: (lambda: plain.train_epoch(order), steps),
        CALL: (lambda: [handed(group) for group in groups], steps),
        LAST: (lambda: [plain.steps(batch[None]) for batch in rest.split(workload.batch_size)], steps),
        PRODUCTS: (lambda: limit.products(PROFILED), PROFILED),
    }
    rows = []
    with torch.no_grad():
        for number in range(-2, asked.rounds):  # two of which compile and warm up
            for name, (work, shared_by) in timed.items():
                start = time.perf_counter()
                work()
                rows.append((number, name, (time.perf_counter() - start) / shared_by))
            some = random.permutation(order)[: PROFILED * workload.batch_size]  # others each time, as in an epoch
            rows += [(number, *event) for event in events(named, some)]
    found = pd.DataFrame([row for row in rows if row[0] >= 0], columns=["round", "event", "step_s"])
    found.insert(0, "threads", asked.threads)
    if asked.out:
        store(found, asked.out, ["threads"])
    print(table(found))


def handing(program: Implementation) -> Callable[[torch.Tensor], None]:
    """What takes all tensors that a step takes, and adds a number of each to the total."""

    def work(group: torch.Tensor) -> None:
        tensors = (*program.weights.values(), *program.first, *program.second, program.x, program.y, program.count)
        for tensor in tensors:
            program.total += tensor.flatten()[0] + group[0, 0]

    return work


def events(program: Implementation, order: np.ndarray) -> Iterator[tuple[str, float]]:
    """The name of each event that belongs to a part, and its own seconds in a step."""
    assert len(order) % (STEPS * program.workload.batch_size) == 0
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        program.train_epoch(order)
    for event in seen.key_averages():
        if part_of(event.key):
            yield event.key, event.self_cpu_time_total / 1e6 / (len(order) / program.workload.batch_size)


def part_of(event: str) -> str | None:
    """The part that an event belongs to; none for PyTorch's ways from one to the next."""
    if "cpp_fused" not in event and "mm_out" not in event:
        return None
    return next((part for part, words in PARTS.items() if any(word in event for word in words)), "other")


def table(found: pd.DataFrame) -> str:
    """A row for each part in Markdown: microseconds of a step and the share of the epoch that it takes."""
    found = found.assign(part=found["event"].map(part_of).fillna(found["event"]))
    each = found.groupby(["round", "part"])["step_s"].sum().groupby("part").median() * 1e6
    epoch, products = each.pop(EPOCH), each.pop(PRODUCTS)
    each = each.sort_values(ascending=False)
    lines = ["| part | µs per step | share of the epoch |", "|---|---:|---:|"]
    lines += [f"| {part} | {value:.0f} | {value / epoch:.0%} |" for part, value in each.items()]
    lines.append(f"| these together | {each.sum():.0f} | {each.sum() / epoch:.0%} |")
    rest = epoch - each.sum()
    lines.append(f"| not told: memory, the way into each product and loop | {rest:.0f} | {rest / epoch:.0%} |")
    lines.append(f"| {EPOCH} | {epoch:.0f} | 100% |")
    lines.append(f"| {PRODUCTS} | {products:.0f} | |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

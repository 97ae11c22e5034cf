"""How implementations, tiers, devices and configurations are called."""

from bench.display import numbers
from impls.frameworks import LABELS as LABELS

TIERS = {
    "documented": "as the tutorials write it",
    "matched": "same start weights, same batches, each framework's plain training loop",
    "tuned": "the fastest way we know that still does the same work",
    "reference": "no framework: a yardstick",
    "plugin": "added by a user",
}
"""The tiers in the order in which they are shown, each with its meaning."""
DEVICES = {"cpu": "CPU", "cuda": "CUDA", "mps": "Apple MPS"}


def label(implementation: str, tier: str) -> str:
    """An implementation's name for people, without its tier."""
    short = implementation.removeprefix(f"{tier}-")
    return LABELS.get(short, short)


def named(implementation: str, tier: str) -> str:
    """An implementation's name for people, with its tier in brackets."""
    return f"{label(implementation, tier)} ({tier})"


def tier_rank(tier: str) -> int:
    """Where a tier stands in tables and charts; an unknown one comes last."""
    return list(TIERS).index(tier) if tier in TIERS else len(TIERS)


def rank(implementation: str, tier: str) -> tuple[int, int, str]:
    """A sort key: by tier, then by framework in the order of the labels, others after them by name."""
    short, known = implementation.removeprefix(f"{tier}-"), list(LABELS)
    return tier_rank(tier), known.index(short) if short in known else len(known), short


def device(name: str) -> str:
    """A device as its makers write it: ``CUDA 1`` for ``cuda:1``."""
    kind, _, position = name.partition(":")
    return f"{DEVICES.get(kind, kind.upper())} {position}".rstrip()


def place(device_name: str, threads: int) -> str:
    """Where something ran: ``CPU, 2 threads``."""
    return f"{device(device_name)}, {numbers.count(threads, 'thread')}"


def title(workload: str, device_name: str, threads: int) -> str:
    """What is compared with each other: ``mlp-128-64, CPU, 2 threads``."""
    return f"{workload}, {place(device_name, threads)}"


def as_role(role: str) -> str:
    """What is added to an implementation's name where it was not simply measured: `` (control)``."""
    return "" if role == "measured" else f" ({role})"

"""A GPU that is not there: `python standins.py DIR NAME...` trains each implementation as if on CUDA and prints what it did.

The frameworks are the real ones and compute on the CPU; their CUDA functions are replaced by stand-ins that check their
arguments against the real signature and write down that they were called. The answer is one line of JSON. The names are of
implementations that compute with the same framework.
"""

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial, reduce
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from bench.data.holdout import Parts
from bench.worker.jobs import train
from bench.worker.timing import Scoring
from impls import registry
from impls.contract import Data
from impls.oracle import training
from impls.workload import SGD, Dense, Workload

EVENTS: list[str] = []
IMPLS = Path(registry.__file__).parent
TINY = Workload("tiny", 0, (Dense(10),), 0.0, 1.0, 4, 50, 2, SGD(0.05, 0.9))
rng = np.random.default_rng(1)
IMAGES, LABELS = rng.integers(0, 256, (60, 28, 28)).astype(np.uint8), rng.integers(0, 10, 60).astype(np.uint8)


def stand_in(place: Any, name: str, event: str, answer: Any = None) -> None:
    """Replace a function by one that checks its arguments, writes the event down and answers.

    Raises AttributeError where the installed framework has no such function.
    """
    signature = inspect.signature(getattr(place, name))

    def called(*arguments: Any, **named: Any) -> Any:
        signature.bind(*arguments, **named)
        if event:
            EVENTS.append(event)
        return answer(*arguments) if callable(answer) else answer

    setattr(place, name, called)


def torch_on_cuda() -> None:
    """PyTorch says that it has CUDA, and leaves everything where it is."""
    import torch

    stand_in(torch.cuda, "is_available", "", True)
    stand_in(torch.cuda, "synchronize", "sync")
    stand_in(torch.cuda, "empty_cache", "empty cache")
    stand_in(torch.cuda, "reset_peak_memory_stats", "reset peak")
    stand_in(torch.cuda, "max_memory_allocated", "read peak", 7)
    stand_in(torch.cuda, "max_memory_reserved", "read peak", 9)
    stand_in(torch, "compile", "", compiled)
    stand_in(torch.cuda, "CUDAGraph", "", Graph)
    stand_in(torch.cuda, "graph", "", captured)
    for place in (torch.Tensor, torch.nn.Module):
        place.to = on_cpu(place.to)  # type: ignore[method-assign]
    torch.zeros = on_cpu(torch.zeros)


class Graph:
    """A CUDA graph: what is called while it is captured is not done then, but each time that it is replayed."""

    open: "Graph | None" = None

    def __init__(self) -> None:
        self.calls: list[Callable[[], Any]] = []

    def replay(self) -> None:
        """Do it all."""
        EVENTS.append("replay")
        for call in self.calls:
            call()


@contextmanager
def captured(graph: Graph) -> Iterator[None]:
    """What is called inside goes into the graph."""
    Graph.open = graph
    yield
    Graph.open = None


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, uncompiled; kept instead of called where a graph is captured."""

    def called(*arguments: Any) -> Any:
        return function(*arguments) if Graph.open is None else Graph.open.calls.append(partial(function, *arguments))

    return called


def on_cpu(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with the CPU for every GPU that it is given."""

    def called(*arguments: Any, **named: Any) -> Any:
        kept = [moved(value) for value in arguments]
        return function(*kept, **{name: moved(value) for name, value in named.items()})

    return called


def moved(value: Any) -> Any:
    """The CPU for a GPU's name, everything else as it is."""
    return "cpu" if type(value).__name__ in ("str", "device") and str(value) == "cuda" else value


def tensorflow_on_cuda() -> None:
    """TensorFlow lists a GPU and computes on the CPU."""
    import tensorflow as tf

    experimental = tf.config.experimental
    stand_in(tf.config, "list_physical_devices", "", [SimpleNamespace(device_type="GPU", name="a GPU")])
    stand_in(tf.test.experimental, "sync_devices", "sync")
    stand_in(experimental, "reset_memory_stats", "reset peak", lambda name: {"GPU:0": None}[name])
    stand_in(experimental, "get_memory_info", "read peak", lambda name: {"GPU:0": {"current": 1, "peak": 7}}[name])


def jax_on_cuda() -> None:
    """JAX says that it computes on a GPU."""
    import jax

    assert callable(jax.local_devices()[0].memory_stats)
    device = SimpleNamespace(memory_stats=lambda: EVENTS.append("read peak") or {"peak_bytes_in_use": 7, "other": 1})
    real = jax.block_until_ready
    stand_in(jax, "default_backend", "", "gpu")
    stand_in(jax, "block_until_ready", "sync", real)
    stand_in(jax, "local_devices", "", [device])


ON_CUDA = {"torch": torch_on_cuda, "tensorflow": tensorflow_on_cuda, "jax": jax_on_cuda}


def named_calls(framework: str) -> list[str]:
    """What the implementations' files name of the framework's CUDA, MPS, memory and device functions."""
    prefix, parts = {
        "torch": ("(?:torch|backend)", "cuda|mps|backends"),
        "tensorflow": ("(?:tf|backend)", r"config\.[els]|test"),
        "jax": ("backend", "default_backend|block_until_ready|local_devices|config.update"),
    }[framework]
    text = "".join(path.read_text() for path in IMPLS.glob("*/*.py"))
    return sorted(set(re.findall(rf"\b{prefix}\.((?:{parts})[\w.]*)", text)))


def missing(framework: str) -> list[str]:
    """Those that the installed framework does not have."""
    module, found = __import__(framework), []
    for name in named_calls(framework):
        try:
            reduce(getattr, name.split("."), module)
        except AttributeError:
            found.append(name)
    return found


def watched(function: Callable[..., Any], event: str) -> Callable[..., Any]:
    """The function; when it has returned, the event is written down."""

    def called(*arguments: Any) -> Any:
        answer = function(*arguments)
        EVENTS.append(event)
        return answer

    return called


def built(make: Callable[..., Any], data: Data) -> Any:
    """An implementation with its data, watched."""
    EVENTS.clear()
    implementation = make(TINY, "cuda", 0)
    implementation.load(data)
    EVENTS.append("loaded")
    implementation.train_epoch = watched(implementation.train_epoch, "trained")
    implementation.predict = watched(implementation.predict, "predicted")
    return implementation


def trained(implementation: Any, data: Data, epochs: int) -> list[str]:
    """The events of so many epochs, and of what came before them."""
    scoring = Scoring(data.y_test, Parts(len(data.y_test)), TINY.batch_size)
    ticks = count()
    clock = watched(lambda: next(ticks), "clock")
    for _ in train.epochs(implementation, [np.arange(60)] * epochs, scoring, epochs, clock=clock):
        pass
    return list(EVENTS)


def off(make: Callable[..., Any], data: Data) -> float | None:
    """The largest error of a weight after two epochs, by the oracle; None for a program that shuffles by itself."""
    if not make.takes_order:  # type: ignore[attr-defined]
        return None
    implementation, weights = built(make, data), training.initial_weights(TINY, rng)
    order, x, state = rng.permutation(60), TINY.scale(IMAGES), None
    implementation.set_weights([(kernel.copy(), bias.copy()) for kernel, bias in weights])
    for _ in range(2):
        implementation.train_epoch(order)
        weights, _, state = training.train_steps(TINY, weights, x, LABELS, order, "pytorch", 1e-8, state)
    pairs = zip(implementation.get_weights(), weights, strict=True)
    return max(float(np.abs(a - b).max()) for found, known in pairs for a, b in zip(found, known, strict=True))


def rounds(make: Callable[..., Any], data: Data, precision: Any) -> Any:
    """What the running program says of TF32 where it was asked for a precision."""
    implementation = make(replace(TINY, precision=precision), "cuda", 0)
    implementation.load(data)
    return implementation.switches["tf32"]


def main(root: Path, names: list[str]) -> None:
    """Train each twice: as it is, and with a ``sync`` that does nothing."""
    from bench.data import mnist as data_mnist
    from impls.loading import find_class

    data_mnist.write(root, IMAGES, LABELS, IMAGES, LABELS)
    data = data_mnist.load(root)
    entries = [entry for entry in registry.BUILT_IN if entry.name in names]
    framework = next(package for package in entries[0].packages if package in ON_CUDA)
    if framework != "tensorflow":
        sys.modules["tensorflow"] = None  # type: ignore[assignment]  # Keras imports it for nothing, if it can
    absent, told = missing(framework), {}
    classes = {entry.name: find_class(entry.module, entry.attribute) for entry in entries}
    ON_CUDA[framework]()
    for name, make in classes.items():
        implementation = built(make, data)
        events = [*trained(implementation, data, 2), "ended"]
        EVENTS.clear()
        memory, source = implementation.device_memory(), implementation.switches["device_memory"]
        events += EVENTS
        error = off(make, data)
        EVENTS.clear()
        implementation.sync = lambda: None  # type: ignore[method-assign]
        told[name] = {
            "events": events, "careless": trained(implementation, data, 1), "missing": absent, "memory": memory,
            "source": source, "off": error, "tf32": [rounds(make, data, "float32"), rounds(make, data, "tf32")],
        }  # fmt: skip
    print("\n" + json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])

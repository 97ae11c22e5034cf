"""An implementation that is verified, and the trainings by which it is compared with the oracle."""

import hashlib
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from bench.verification.oracle import Trajectory, trajectories
from bench.verification.samples import Images, StoredPass, draw_steady_passes, is_costly, store_passes
from impls import contract
from impls.contract import Data, Form, Implementation, Weights
from impls.workload import Workload

RUNS = (5, 2)
"""How often the oracle is rounded in another way; less often for a costly network, which has more entries to round."""
Make = Callable[[Workload, str, int], Implementation]
T = TypeVar("T")


@dataclass(frozen=True)
class Candidate:
    """The implementation that is verified: how to build it, what it declares, its device and seed.

    ``cache`` is a folder with the oracle's answers, for other candidates that run the same equation.
    """

    make: Make
    ordered: bool
    form: Form
    dtypes: tuple[str, ...]
    device: str
    seed: int
    cache: Path | None = None

    @classmethod
    def of(cls, make: type[Implementation], device: str, seed: int, cache: Path | None = None) -> "Candidate":
        """The candidate with what its class declares. Raises TypeError for an Adam of no published form."""
        form, dtypes = contract.adam(make), tuple(contract.declared(make, "dtypes"))
        return cls(make, bool(contract.declared(make, "takes_order")), form, dtypes, device, seed, cache)

    def build(self, workload: Workload, data: Data) -> Implementation:
        """A new implementation with its data."""
        implementation = self.make(workload, self.device, self.seed)
        implementation.load(data)
        return implementation

    def rng(self, purpose: str) -> np.random.Generator:
        """The same draws for every candidate with this seed."""
        return np.random.default_rng([self.seed, *purpose.encode()])

    def cached(self, oracle: Callable[[], T], *question: object) -> T:
        """The oracle's answer, from the cache where the same question was answered before."""
        if self.cache is None:
            return oracle()
        path = self.cache / hashlib.sha256(repr((self.seed, question)).encode()).hexdigest()
        if path.exists():
            return pickle.loads(path.read_bytes())  # type: ignore[no-any-return]  # our own, of this very session
        answer = oracle()
        unfinished = path.with_name(f"{path.name}.{os.getpid()}")
        unfinished.write_bytes(pickle.dumps(answer))
        unfinished.replace(path)
        return answer


@dataclass(frozen=True)
class TrainingCase:
    """One training: its start weights, the images of each pass over ``source``, and these as data sets on disk."""

    candidate: Candidate
    workload: Workload
    weights: Weights
    source: Data
    images: list[Images]
    passes: list[StoredPass]

    @property
    def data(self) -> Data:
        """The data of the first pass."""
        return self.passes[0].data

    @property
    def start(self) -> "TrainingCase":
        """The first pass alone."""
        return replace(self, images=self.images[:1], passes=self.passes[:1])

    def trajectories(self, workload: Workload, form: Form, runs: int | None = None) -> list[Trajectory]:
        """The oracle's trajectories, exact and rounded, for a variant of the workload and a form of Adam."""
        number = runs or RUNS[is_costly(workload)]
        images = hashlib.sha256(b"".join(part.tobytes() for part in self.images)).hexdigest()
        return self.candidate.cached(
            lambda: trajectories(workload, form, self.weights, self.source, self.images, number),
            "trajectories", workload, form, images, number,
        )  # fmt: skip


def draw_case(
    candidate: Candidate,
    workload: Workload,
    weights: Weights,
    data: Data,
    sizes: list[int],
    folder: Path,
    shuffled: bool,
    steady: bool = True,
) -> TrainingCase:
    """A training in passes of ``sizes`` images; where ``steady``, of images for which rounding switches no unit."""
    rng = candidate.rng(folder.name)
    if steady:
        images = candidate.cached(
            lambda: draw_steady_passes(workload, candidate.form, weights, data, rng, sizes),
            "images", workload, candidate.form, sizes, folder.name,
        )  # fmt: skip
    else:
        images = [rng.integers(len(data.y_train), size=n) for n in sizes]
    stored = store_passes(workload, data, candidate.rng("order"), folder, images, shuffled)
    return TrainingCase(candidate, workload, weights, data, images, stored)


def train(implementation: Implementation, weights: Weights, passes: list[StoredPass]) -> Trajectory:
    """Train from the given weights, pass by pass."""
    implementation.set_weights(copied(weights))
    losses, reached = [], []
    for stored in passes:
        implementation.load(stored.data)
        losses.append(float(implementation.train_epoch(stored.order)))
        implementation.sync()
        reached.append(implementation.get_weights())
    return Trajectory(reached[0], reached[-1], np.array(losses))


def copied(weights: Weights) -> Weights:
    """Copies, which an implementation may keep."""
    return [(kernel.copy(), bias.copy()) for kernel, bias in weights]

"""A candidate for the gate, and one training of it beside the oracle."""

import hashlib
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from bench.verification.oracle import Course, courses
from bench.verification.samples import Images, Lesson, dear, lessons, steady_passes
from impls import contract
from impls.contract import Data, Form, Implementation, Weights
from impls.workload import Workload

RUNS = (5, 2)
"""How often the oracle is rounded in another way; less often for a dear network, which has more entries to round."""
Make = Callable[[Workload, str, int], Implementation]
T = TypeVar("T")


@dataclass(frozen=True)
class Candidate:
    """The implementation that climbs: how to build it, what it declares, on which device, with which seed.

    ``cache`` is a folder in which the oracle's answers are kept for other candidates that run the same equation.
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
        """With what the class declares, or the defaults that the contract states.

        Raises TypeError for an Adam that is none of the published forms with an epsilon.
        """
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

    def asked(self, oracle: Callable[[], T], *question: object) -> T:
        """What the oracle answers, taken from the cache where the same was asked before."""
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
class Trial:
    """One training: from which weights, on which images of ``source``, and those as data sets on the disk."""

    candidate: Candidate
    workload: Workload
    weights: Weights
    source: Data
    images: list[Images]
    lessons: list[Lesson]

    @property
    def data(self) -> Data:
        """What an implementation is built with: the data of the first pass."""
        return self.lessons[0].data

    @property
    def start(self) -> "Trial":
        """The first pass alone."""
        return replace(self, images=self.images[:1], lessons=self.lessons[:1])

    def courses(self, workload: Workload, form: Form, runs: int | None = None) -> list[Course]:
        """The oracle's courses, exact and rounded, with this variant of the workload and this form of Adam."""
        number = runs or RUNS[dear(workload)]
        images = hashlib.sha256(b"".join(part.tobytes() for part in self.images)).hexdigest()
        return self.candidate.asked(
            lambda: courses(workload, form, self.weights, self.source, self.images, number),
            "courses", workload, form, images, number,
        )  # fmt: skip


def trial(
    candidate: Candidate,
    workload: Workload,
    weights: Weights,
    data: Data,
    sizes: list[int],
    folder: Path,
    shuffled: bool,
    steady: bool = True,
) -> Trial:
    """A training in passes of ``sizes`` images; where ``steady``, of images on which rounding decides nothing."""
    rng = candidate.rng(folder.name)
    if steady:
        images = candidate.asked(
            lambda: steady_passes(workload, candidate.form, weights, data, rng, sizes),
            "images", workload, candidate.form, sizes, folder.name,
        )  # fmt: skip
    else:
        images = [rng.integers(len(data.y_train), size=n) for n in sizes]
    stored = lessons(workload, data, candidate.rng("order"), folder, images, shuffled)
    return Trial(candidate, workload, weights, data, images, stored)


def train(implementation: Implementation, weights: Weights, passes: list[Lesson]) -> Course:
    """The implementation's course from the given weights."""
    implementation.set_weights(copied(weights))
    losses, led = [], []
    for lesson in passes:
        implementation.load(lesson.data)
        losses.append(float(implementation.train_epoch(lesson.order)))
        implementation.sync()
        led.append(implementation.get_weights())
    return Course(led[0], led[-1], np.array(losses))


def copied(weights: Weights) -> Weights:
    """Arrays that an implementation may keep."""
    return [(kernel.copy(), bias.copy()) for kernel, bias in weights]

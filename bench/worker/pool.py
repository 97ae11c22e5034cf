"""Runs untimed workers at the same time, each on CPUs of its own."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

J = TypeVar("J")
A = TypeVar("A")


def run(
    jobs: Sequence[J], work: Callable[[J, tuple[int, ...]], A], cpus: tuple[int, ...], at_once: int
) -> Iterator[tuple[J, A]]:
    """Each job with what ``work`` returned for it, as they end; ``work`` is given the job and the CPUs that it may use.

    As many at a time as were asked for, but no more than there are CPUs. What ``work`` raises is raised here. It is
    called by daemon threads: when this one is interrupted, the processes end with it.
    """
    waiting: queue.SimpleQueue[J] = queue.SimpleQueue()
    answers: queue.SimpleQueue[tuple[J, A] | BaseException] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)

    def one_after_the_other(share: tuple[int, ...]) -> None:
        while True:
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                answers.put((job, work(job, share)))
            except BaseException as error:  # raised again below, where somebody waits for it
                answers.put(error)

    number = max(1, min(at_once, len(cpus)))
    size = len(cpus) // number
    for start in range(0, number * size, size):
        threading.Thread(target=one_after_the_other, args=(cpus[start : start + size],), daemon=True).start()
    for _ in jobs:
        answer = answers.get()
        if isinstance(answer, BaseException):
            raise answer
        yield answer

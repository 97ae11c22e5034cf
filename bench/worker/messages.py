"""What parent and worker say to each other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from impls.registry import Entry

PROTOCOL = 2
"""Of what is asked of a worker and what it answers; it changes with either, and another one is refused."""


@dataclass(frozen=True)
class Event:
    """A line of the worker's answer.

    ``hello`` of every worker, with the protocol that it speaks; ``phase``, ``facts``, ``epoch``, ``evaluation``,
    ``predicted``, ``memory``, ``noise``, ``model``, ``whole`` and ``inference`` of a measured cell; ``rung`` and
    ``answer`` of the gate; ``part`` of a library of the floor; ``point`` of a sweep; ``mode``, ``lost`` and ``tools``
    of a probe; ``round`` of a breakdown; ``export`` of an exported network; ``end`` of all. A cell that said ``whole``
    is good for good.
    """

    name: str
    values: dict[str, Any]


Emit = Callable[[Event], None]


def request(job: str, entry: Entry, **asked: Any) -> dict[str, Any]:
    """What a worker reads: which job, with which implementation, and what that job asks for besides."""
    named = {"module": entry.module, "attribute": entry.attribute, "packages": entry.packages}
    return {"job": job, "protocol": PROTOCOL, **named, **asked}

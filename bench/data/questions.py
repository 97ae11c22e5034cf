"""Which pairs are questions that were asked before anything was measured, and so get a verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

PLUGINS = "plugin"


@dataclass(frozen=True)
class Contender:
    """An implementation that is measured; the ``reference`` is the one that the control repeats."""

    name: str
    tier: str
    framework: str
    reference: bool = False


def primary(contenders: Sequence[Contender]) -> set[frozenset[str]]:
    """The pairs of names that are asked about where these are measured side by side.

    The frameworks within each tier: programs of one tier and of different frameworks. A plugin is asked about beside
    the reference and the other plugins. Where none of these pairs is there, somebody has chosen the programs by name
    and asks about all of them.
    """
    every = [(a, b) for position, a in enumerate(contenders) for b in contenders[position + 1 :]]
    asked = [(a, b) for a, b in every if within_tier(a, b) or with_plugin(a, b)]
    return {frozenset((a.name, b.name)) for a, b in asked or every}


def within_tier(a: Contender, b: Contender) -> bool:
    """Two frameworks, each with its program of the same kind."""
    return a.tier == b.tier and a.framework != b.framework


def with_plugin(a: Contender, b: Contender) -> bool:
    """Two plugins, or one and the reference."""
    return all(one.tier == PLUGINS or one.reference for one in (a, b)) and PLUGINS in (a.tier, b.tier)

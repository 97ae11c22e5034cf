"""The worker in another interpreter: this file is run by its path, and finds our two packages, nothing beside them.

Where this project is installed, its packages lie among all others of its environment. With that folder on the path of
another environment's interpreter, that one's own NumPy and framework would be hidden behind ours.
"""

import runpy
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

HOME = str(Path(__file__).resolve().parents[2])


class Ours:
    """Finds ``bench`` and ``impls`` where this file lies; what is inside of them is found as always."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """A package of ours, or None for everything else."""
        return PathFinder.find_spec(name, [HOME]) if name in ("bench", "impls") else None


if __name__ == "__main__":
    sys.meta_path.insert(0, Ours)
    runpy.run_module("bench.worker.main", run_name="__main__", alter_sys=True)

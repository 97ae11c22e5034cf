"""What is compared. ``from impls import Implementation, Workload, Data, Unavailable`` gives a plugin what it needs.

Nothing is imported before one of these names is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from impls.contract import Data, Implementation, Unavailable
    from impls.workload import Workload

__all__ = ["Data", "Implementation", "Unavailable", "Workload"]
MODULES = {name: "impls.workload" if name == "Workload" else "impls.contract" for name in __all__}

if not TYPE_CHECKING:  # or a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first asked for. Raises AttributeError for any other."""
        if name not in MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(MODULES[name]), name)

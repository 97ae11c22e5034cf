"""Import an implementation from a module or a file and check its members."""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from impls import registry
from impls.contract import MEMBERS, Implementation, declared


def find_class(module: str, attribute: str) -> type[Implementation]:
    """Import the implementation's class from an import path or a file, and check that it has the eight members."""
    if registry.is_file(module):
        path = Path(module)
        sys.path.append(str(path.parent))  # at the end: a plugin's neighbours must not hide anybody's package
        spec = importlib.util.spec_from_file_location(f"fcnbench_plugin_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        loaded = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = loaded
        spec.loader.exec_module(loaded)
    else:
        loaded = importlib.import_module(module)
    found = getattr(loaded, attribute, None)
    if found is None:
        raise TypeError(f"{module} has no class {attribute!r}; see the contract in CONTRIBUTING.md")
    missing = [member for member in MEMBERS if not callable(getattr(found, member, None))]
    if missing:
        raise TypeError(f"{module}: {attribute} lacks {', '.join(missing)}; see the contract in CONTRIBUTING.md")
    return found  # type: ignore[no-any-return]  # checked above as far as it can be without running it


def declarations(make: type[Implementation]) -> dict[str, Any]:
    """What the class says of its training, or the defaults that the contract states."""
    return printable({name: declared(make, name) for name in ("takes_order", "adam")})


def switches(implementation: Implementation) -> dict[str, Any]:
    """What was in force in the framework."""
    return printable(dict(declared(implementation, "switches")))


def printable(values: dict[str, Any]) -> dict[str, Any]:
    """The values as JSON can carry them."""
    return json.loads(json.dumps(values, default=str))  # type: ignore[no-any-return]

"""The table of implementations. It imports none of them, and no framework: a row only says where the code is.

A row's name is ``<tier>-<framework>[-<backend>]``. The built-in rows are found: a file ``impls/TIER/FRAMEWORK.py`` is
one, and a file ``impls/TIER/FRAMEWORK_VARIANT.py`` is its variant of that name, which runs when it is named. Third
parties add rows by the entry-point group ``fcnbench.implementations`` (the entry point's name is the row's name, its
value ``module:Class``) or by a file (``--plugin``), whose stem is the name, with hyphens for underscores:
``matched_mine.py`` is ``matched-mine``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.machinery import PathFinder
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from impls.fields import check_names
from impls.frameworks import COMPARED, FRAMEWORKS, QUIET, Framework, short_names

ENTRY_POINTS = "fcnbench.implementations"
TIERS = ("documented", "matched", "tuned", "reference")
BY_DEFAULT = ("documented", "matched")
"""The tiers of which something runs when no implementation is named."""
IMPLS = Path(__file__).parent


def capable(folder: str) -> dict[str, str]:
    """The frameworks that have a file in a folder of ``impls``, each with the import path of that module.

    The folder is a tier or a capability: ``models``, ``probes``, ``breakdown``, ``floor``.
    """
    return {name: f"impls.{folder}.{name}" for name in FRAMEWORKS if (IMPLS / folder / f"{name}.py").is_file()}


@dataclass(frozen=True)
class Entry:
    """Where an implementation lies and what it needs.

    ``module`` is an import path, or the path of a file ending in ``.py``; ``attribute`` the class in it. ``packages``
    are the distributions whose versions are recorded, ``environment`` the variables that must be set before import,
    ``python`` is the interpreter to run it with, empty for the one that runs this. ``gated`` is False for what trains
    nothing, so that there is no work to verify; ``by_default`` is False for what runs only when it is named.
    """

    name: str
    tier: str
    framework: str
    module: str
    attribute: str = "Implementation"
    packages: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    gated: bool = True
    by_default: bool = True
    python: str = ""

    @property
    def engine(self) -> str:
        """What computes: the framework, or that under Keras."""
        backend = self.environment.get("KERAS_BACKEND", self.framework)
        return next((row.name for row in FRAMEWORKS.values() if row.package == backend), backend)

    @property
    def engine_names(self) -> tuple[str, ...]:
        """What computes and, where that is another word, its package: ``("pytorch", "torch")``."""
        known = FRAMEWORKS.get(self.engine)
        return tuple(dict.fromkeys((self.engine, known.package if known else self.engine)))

    @property
    def short(self) -> str:
        """The name without its tier, for tables that show the tier apart."""
        return self.name.removeprefix(f"{self.tier}-")

    @property
    def is_plugin(self) -> bool:
        """Whether it is a file that a user has named, not a module that can be imported by name."""
        return is_file(self.module)

    @property
    def file(self) -> str | None:
        """The path of its source; None where no module of that name is found."""
        return module_file(self.module)


def built_in() -> Iterator[Entry]:
    """The implementations of this project: those found in the tiers' folders, the oracle, and what trains nothing."""
    for tier in TIERS:
        for name, module in capable(tier).items():
            for short, backend in short_names(FRAMEWORKS[name]).items():
                if short == name or tier == "matched":  # the other backends stand beside the default there alone
                    yield row(tier, short, module, FRAMEWORKS[name], backend)
            for variant in FRAMEWORKS[name].variants:
                own = f"{name}_{variant.replace('-', '_')}"
                if (IMPLS / tier / f"{own}.py").is_file():
                    backend = short_names(FRAMEWORKS[name])[name]
                    yield row(tier, f"{name}-{variant}", f"impls.{tier}.{own}", FRAMEWORKS[name], backend)
    yield Entry("reference-numpy", "reference", "numpy", "impls.oracle.training", packages=("numpy",), by_default=False)
    yield Entry("null", "reference", "null", "impls.null", packages=("numpy",), gated=False, by_default=False)


def row(tier: str, short: str, module: str, framework: Framework, backend: str) -> Entry:
    """The row of a framework in a tier, on a backend where it has any."""
    computes = FRAMEWORKS[backend] if backend else framework
    environment = {"KERAS_BACKEND": computes.package} if backend else {}
    packages = (framework.package, *([computes.package] if backend else []), *framework.tier_packages.get(tier, ()))
    return Entry(
        f"{tier}-{short}",
        tier,
        framework.name,
        module,
        packages=(*packages, "numpy"),
        environment=environment | dict(computes.environment) | dict(framework.tier_environment.get(tier, {})),
        by_default=tier in BY_DEFAULT and short in COMPARED,
    )


BUILT_IN = tuple(built_in())


def floors() -> tuple[Entry, ...]:
    """The libraries by which the machine's own limit is measured: no implementations."""
    return tuple(
        Entry(f"floor-{name}", "floor", name, module, "Floor", packages, QUIET, gated=False)
        for name, module in capable("floor").items()
        for packages in [tuple(dict.fromkeys((FRAMEWORKS[name].package, "numpy")))]
    )


def predictors() -> dict[str, Entry]:
    """What can predict with a trained network, by short name: ``pytorch``, ``keras``, ``keras-jax`` ..., ``numpy``.

    The module of such a row is not an implementation but one of ``impls.models``.
    """
    modules = capable("models")
    in_tier = [entry for entry in BUILT_IN if entry.tier in ("matched", "reference") and entry.framework in modules]
    rows = [
        entry for entry in in_tier if entry.short in short_names(FRAMEWORKS[entry.framework])
    ]  # variants train only
    return {entry.short: replace(entry, module=modules[entry.framework]) for entry in rows}


def native_reader(suffix: str) -> str | None:
    """The framework whose own files of trained networks have this suffix; None where it is no framework's."""
    suffixes = {FRAMEWORKS[name].native: name for name in capable("models") if FRAMEWORKS[name].native}
    return suffixes.get(suffix.lower())


def of_framework(name: str) -> dict[str, Entry]:
    """The built-in rows of a framework on its own backend, by tier."""
    return {entry.tier: entry for entry in BUILT_IN if entry.framework == entry.short == name}


def installed() -> tuple[Entry, ...]:
    """The built-in rows and those of installed packages that use the entry-point group."""
    return BUILT_IN + tuple(
        named(point.name, point.module, point.attr) for point in sorted(entry_points(group=ENTRY_POINTS))
    )


def from_file(path: Path) -> Entry:
    """The row of a plugin file; its name is the file's stem. Raises ValueError where results cannot be named so."""
    row = named(path.stem.replace("_", "-"), str(path.resolve()), "Implementation")
    check_names(name=row.name)
    return row


def named(name: str, module: str, attribute: str) -> Entry:
    """A row whose tier and framework are read from its name; a name without a known tier is of the tier ``plugin``."""
    name = re.sub(r"[^\w.-]+", "-", name)  # it becomes part of file names
    tier, _, rest = name.partition("-")
    if tier not in TIERS or not rest:
        tier, rest = "plugin", name
    return Entry(name, tier, rest.split("-")[0], module, attribute, all_packages(), by_default=tier in BY_DEFAULT)


def all_packages() -> tuple[str, ...]:
    """Every distribution that some built-in row records: what a foreign implementation may be using."""
    return tuple(dict.fromkeys(package for entry in BUILT_IN for package in entry.packages))


def is_file(module: str) -> bool:
    """Whether a module is given as the path of a file instead of an import path."""
    return module.endswith(".py")


def module_file(module: str) -> str | None:
    """Where a module lies. ``find_spec`` alone would import the packages around it, and with them their framework."""
    if is_file(module):
        return module
    top, *rest = module.split(".")
    name, spec = top, find_spec(top)
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, spec.submodule_search_locations)
    return spec.origin if spec and spec.has_location else None

"""The table of implementations. It imports none of them, and no framework: a row only says where the code lies.

A row's name is ``<tier>-<framework>[-<backend>]``. Third parties add rows by the entry-point group
``fcnbench.implementations`` (the entry point's name is the row's name, its value ``module:Class``) or by a file
(``--plugin``), whose stem is the name, with hyphens for underscores: ``matched_mine.py`` is ``matched-mine``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.machinery import PathFinder
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

ENTRY_POINTS = "fcnbench.implementations"
ALSO = {"pytorch": ("torch",)}
"""Other names of what computes."""
TIERS = ("documented", "matched", "tuned", "reference")
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "1"}
PYTORCH_PACKAGES = ("torch", "torchvision", "numpy")
NATIVE = {".pt": "pytorch", ".keras": "keras"}
"""What the frameworks' own files of trained networks end in, and the row of :func:`predictors` that reads them."""
READERS = (*NATIVE.values(), "numpy")
"""The frameworks that ``impls.models`` has a module for."""


@dataclass(frozen=True)
class Entry:
    """Where an implementation lies and what it needs.

    ``module`` is an import path, or the path of a file ending in ``.py``; ``attribute`` the class in it. ``packages``
    are the distributions whose versions are recorded, ``environment`` the variables that must be set before import,
    ``python`` is the interpreter to run it with, empty for the one that runs this. ``gated`` is False for what trains
    nothing and so has no work to prove, ``by_default`` for what runs only when it is asked for by name.
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
        return next((engine for engine, names in ALSO.items() if backend in names), backend)

    @property
    def short(self) -> str:
        """The name without its tier, for tables that show the tier apart."""
        return self.name.removeprefix(f"{self.tier}-")


FLOOR = tuple(
    Entry(f"floor-{framework}", "floor", framework, f"impls.floor.{framework}", "Floor", packages, QUIET, gated=False)
    for framework, packages in (
        ("numpy", ("numpy",)), ("pytorch", ("torch", "numpy")), ("tensorflow", ("tensorflow", "numpy")),
        ("jax", ("jax", "numpy")),
    )
)  # fmt: skip
"""The libraries by which the machine's own limit is measured: no implementations."""


def keras(name: str, tier: str, backend: str, by_default: bool = True) -> Entry:
    """A row for Keras on one of its backends, which the process is told by ``KERAS_BACKEND``."""
    packages = ("keras", backend, "numpy")
    environment = {"KERAS_BACKEND": backend, **(QUIET if backend == "tensorflow" else {})}
    return Entry(
        name, tier, "keras", f"impls.{tier}.keras", packages=packages, environment=environment, by_default=by_default
    )


BUILT_IN = (
    Entry("documented-pytorch", "documented", "pytorch", "impls.documented.pytorch", packages=PYTORCH_PACKAGES),
    keras("documented-keras", "documented", "tensorflow"),
    Entry("matched-pytorch", "matched", "pytorch", "impls.matched.pytorch", packages=("torch", "numpy")),
    keras("matched-keras", "matched", "tensorflow"),
    keras("matched-keras-jax", "matched", "jax", by_default=False),
    keras("matched-keras-torch", "matched", "torch", by_default=False),
    Entry("matched-jax", "matched", "jax", "impls.matched.jax", packages=("jax", "numpy"), by_default=False),
    Entry(
        "tuned-pytorch",
        "tuned",
        "pytorch",
        "impls.tuned.pytorch",
        packages=("torch", "numpy"),
        environment={"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"},  # each process compiles, as JAX and TensorFlow do
        by_default=False,
    ),
    Entry(
        "tuned-tensorflow",
        "tuned",
        "tensorflow",
        "impls.tuned.tensorflow",
        packages=("tensorflow", "numpy"),
        environment=QUIET,
        by_default=False,
    ),
    Entry("tuned-jax", "tuned", "jax", "impls.tuned.jax", packages=("jax", "numpy"), by_default=False),
    keras("tuned-keras", "tuned", "tensorflow", by_default=False),
    Entry("reference-numpy", "reference", "numpy", "impls.oracle.training", packages=("numpy",), by_default=False),
    Entry("null", "reference", "null", "impls.null", packages=("numpy",), gated=False, by_default=False),
)


def predictors() -> dict[str, Entry]:
    """What can predict with a trained network, by short name: ``pytorch``, ``keras``, ``keras-jax`` ..., ``numpy``.

    The module of such a row is not an implementation but one of ``impls.models``.
    """
    rows = [entry for entry in BUILT_IN if entry.tier in ("matched", "reference") and entry.framework in READERS]
    return {entry.short: replace(entry, module=f"impls.models.{entry.framework}") for entry in rows}


def installed() -> tuple[Entry, ...]:
    """The built-in rows and those of installed packages that use the entry-point group."""
    return BUILT_IN + tuple(
        named(point.name, point.module, point.attr) for point in sorted(entry_points(group=ENTRY_POINTS))
    )


def from_file(path: Path) -> Entry:
    """The row of a plugin file; its name is the file's stem."""
    return named(path.stem.replace("_", "-"), str(path.resolve()), "Implementation")


def named(name: str, module: str, attribute: str) -> Entry:
    """A row whose tier and framework are read from its name; a name without a known tier is of the tier ``plugin``."""
    name = re.sub(r"[^\w.-]+", "-", name)  # it becomes part of file names
    tier, _, rest = name.partition("-")
    if tier not in TIERS or not rest:
        tier, rest = "plugin", name
    by_default = tier in ("documented", "matched")
    return Entry(name, tier, rest.split("-")[0], module, attribute, all_packages(), by_default=by_default)


def all_packages() -> tuple[str, ...]:
    """Every distribution that some built-in row records: what a foreign implementation may be using."""
    return tuple(dict.fromkeys(package for entry in BUILT_IN for package in entry.packages))


def module_file(module: str) -> str | None:
    """Where a module lies. ``find_spec`` alone would import the packages around it, and with them their framework."""
    top, *rest = module.split(".")
    name, spec = top, find_spec(top)
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, spec.submodule_search_locations)
    return spec.origin if spec and spec.has_location else None

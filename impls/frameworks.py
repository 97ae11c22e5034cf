"""The frameworks, one row each: all that is kept by hand about one stands here. Nothing is imported to read it.

What a framework can do is not listed but found: an implementation is a file ``impls/TIER/FRAMEWORK.py``, a capability
a file ``impls/CAPABILITY/FRAMEWORK.py`` (:func:`impls.registry.capable`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "1"}


@dataclass(frozen=True)
class Framework:
    """What is known of one framework.

    ``label`` is its name for people and ``colour`` its colour in all charts. ``package`` is what is installed and
    imported; it is also Keras' name for the framework as a backend. ``adam`` is the form of Adam that its own optimiser
    runs, with its own epsilon, and ``channels`` says where its images have them. ``environment`` must be set before it
    is imported. ``tier_packages`` and ``tier_environment`` hold what it needs besides in one tier. ``backends`` are the
    frameworks that can compute for it, the default first; it has none where it computes by itself. ``variants`` are
    programs that differ from its own in one thing, each with what is said of it for people. ``native`` is the
    suffix of its own file format, empty where it has none; ``compiler`` is what compiles its part of the floor.
    ``restarts_peak`` is False where its counter of the device's memory cannot begin a new peak after loading.
    ``documented_image_s`` is roughly what the tutorials' program spends on getting one image ready, where it does so
    image by image in Python; only forecasts of a run's time use it.
    """

    name: str
    label: str
    colour: str
    package: str
    adam: tuple[str, float] = ("pytorch", 1e-8)
    channels: Literal["first", "last"] = "last"
    environment: Mapping[str, str] = field(default_factory=dict)
    tier_packages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tier_environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    backends: tuple[str, ...] = ()
    variants: Mapping[str, str] = field(default_factory=dict)
    native: str = ""
    compiler: str = ""
    restarts_peak: bool = True
    documented_image_s: float = 0.0


ROWS = (
    Framework(
        "pytorch",
        "PyTorch",
        "#d55e00",
        "torch",
        channels="first",
        tier_packages={"documented": ("torchvision",)},
        # each process compiles, as JAX and TensorFlow do
        tier_environment={"tuned": {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}},
        native=".pt",
        documented_image_s=1e-4,
    ),
    Framework(
        "keras",
        "Keras",
        "#0072b2",
        "keras",
        adam=("keras", 1e-7),
        backends=("tensorflow", "jax", "pytorch"),
        variants={"no-autotune": "without autotuning"},
        native=".keras",
    ),
    Framework("tensorflow", "TensorFlow", "#3d9fdb", "tensorflow", environment=QUIET, compiler="XLA"),
    Framework("jax", "JAX", "#009e73", "jax", compiler="XLA", restarts_peak=False),
    Framework("numpy", "NumPy", "#7a7a7a", "numpy"),
)
FRAMEWORKS: Mapping[str, Framework] = {row.name: row for row in ROWS}
"""The rows by name, in the order in which they are shown."""
COMPARED = ("pytorch", "keras")
"""The two that the tutorials compare: they run by default, and the answer's sentence is about them."""

EXAMPLE = "tensorflow=/envs/tf/bin/python"
"""How a user names another interpreter for a framework."""


def short_names(row: Framework) -> dict[str, str]:
    """What can stand behind the tier in an implementation's name: ``keras`` and, on other backends, ``keras-jax``.

    Each with the name of the backend, empty for a framework that computes by itself.
    """
    others = {f"{row.name}-{FRAMEWORKS[backend].package}": backend for backend in row.backends[1:]}
    return {row.name: row.backends[0] if row.backends else "", **others}


def labels() -> Iterator[tuple[str, str]]:
    """Names for people, of a framework on each backend and of its variants, which run on the default one."""
    for row in ROWS:
        of_row = {
            short: f"{row.label} on {FRAMEWORKS[backend].label}" if backend else row.label
            for short, backend in short_names(row).items()
        }
        yield from of_row.items()
        yield from ((f"{row.name}-{variant}", f"{of_row[row.name]} {words}") for variant, words in row.variants.items())


LABELS: Mapping[str, str] = dict(labels())
"""Names for people, by the name of an implementation without its tier, in the order in which they are shown."""

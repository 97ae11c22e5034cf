"""The table of implementations: how plugins are named, how other packages add rows, what a cell's process is told."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from impls import registry
from impls.environment import environment
from impls.registry import BUILT_IN, Entry, from_file, installed, named

Install = Callable[[str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """``install("name = module:Class")``: a distribution with these entry points, as pip would leave it on the path."""

    def install(points: str) -> None:
        folder = tmp_path / "site" / "stranger-1.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[{registry.ENTRY_POINTS}]\n{dedent(points)}\n")
        monkeypatch.syspath_prepend(str(folder.parent))

    return install


def test_names_are_unique_and_made_of_tier_and_framework() -> None:
    """``<tier>-<framework>[-<backend>]`` in every built-in row but the one that is no framework at all."""
    assert len({entry.name for entry in BUILT_IN}) == len(BUILT_IN)
    for entry in BUILT_IN:
        assert entry.tier in registry.TIERS
        if entry.name != "null":
            assert entry.name == f"{entry.tier}-{entry.short}"
            assert entry.short.split("-")[0] == entry.framework


def test_each_built_in_row_names_a_file_that_is_there() -> None:
    """Found without importing any of them."""
    root = Path(registry.__file__).parent.parent
    for entry in BUILT_IN:
        assert (root / (entry.module.replace(".", "/") + ".py")).is_file(), entry.name


def test_the_documents_frameworks_run_by_default() -> None:
    """Whoever asks for nothing in particular compares these four; Keras' other backends are there to be asked for."""
    names = {entry.name for entry in BUILT_IN if entry.by_default}
    assert names == {"documented-pytorch", "documented-keras", "matched-pytorch", "matched-keras"}


def test_keras_is_one_file_on_three_backends() -> None:
    """The rows differ in what the process is told, and in the packages whose versions are recorded."""
    rows = [entry for entry in BUILT_IN if entry.module == "impls.matched.keras"]
    assert [(row.name, row.environment["KERAS_BACKEND"]) for row in rows] == [
        ("matched-keras", "tensorflow"), ("matched-keras-jax", "jax"), ("matched-keras-torch", "torch"),
    ]  # fmt: skip
    assert all(row.environment["KERAS_BACKEND"] in row.packages for row in rows)


def test_a_variant_is_a_program_beside_its_framework() -> None:
    """Told as its framework's own is, on the same backend; it runs when it is named, and predicts for nobody else."""
    rows = {entry.name: entry for entry in BUILT_IN}
    own, variant = rows["matched-keras"], rows["matched-keras-no-autotune"]
    assert (variant.module, variant.short) == ("impls.matched.keras_no_autotune", "keras-no-autotune")
    assert (variant.environment, variant.packages, variant.engine) == (own.environment, own.packages, own.engine)
    assert variant.gated and not variant.by_default
    assert "keras-no-autotune" not in registry.predictors()
    assert "documented-keras-no-autotune" not in rows


@pytest.mark.parametrize(
    ("stem", "name", "tier", "framework", "short"),
    [
        ("matched_mine", "matched-mine", "matched", "mine", "mine"),
        ("tuned_keras_jax", "tuned-keras-jax", "tuned", "keras", "keras-jax"),
        ("documented-jax", "documented-jax", "documented", "jax", "jax"),
        ("mine", "mine", "plugin", "mine", "mine"),
        ("my_own_net", "my-own-net", "plugin", "my", "my-own-net"),
        ("matched", "matched", "plugin", "matched", "matched"),
        ("matched_", "matched-", "plugin", "matched", "matched-"),
        ("unmatched_mine", "unmatched-mine", "plugin", "unmatched", "unmatched-mine"),
    ],
)
def test_a_plugin_is_named_after_its_file(stem: str, name: str, tier: str, framework: str, short: str) -> None:
    """Hyphens for underscores; a name that begins with a known tier is of that tier."""
    entry = from_file(Path(f"{stem}.py"))
    assert (entry.name, entry.tier, entry.framework, entry.short) == (name, tier, framework, short)


def test_a_plugins_module_is_its_file_wherever_the_child_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An absolute path; the class has the name that the contract gives it."""
    monkeypatch.chdir(tmp_path)
    entry = from_file(Path("mine.py"))
    assert (entry.module, entry.attribute) == (str(tmp_path / "mine.py"), "Implementation")


def test_the_versions_of_all_packages_are_recorded_for_a_plugin() -> None:
    """It may be using any of them; each is named once."""
    packages = from_file(Path("mine.py")).packages
    assert set(packages) >= {"torch", "keras", "tensorflow", "numpy"}
    assert len(set(packages)) == len(packages)


def test_installed_packages_add_rows_after_the_built_in_ones(install: Install) -> None:
    """The entry point's name is the row's, its value says where the class is."""
    install(
        """
        tuned-stranger = stranger.tuned:Fast
        matched-stranger-gpu = stranger:Implementation
        """
    )
    entries = installed()
    assert entries[: len(BUILT_IN)] == BUILT_IN
    added = {entry.name: entry for entry in entries[len(BUILT_IN) :]}
    assert list(added) == sorted(added)
    tuned = added["tuned-stranger"]
    assert (tuned.tier, tuned.framework, tuned.module, tuned.attribute) == (
        "tuned",
        "stranger",
        "stranger.tuned",
        "Fast",
    )
    assert (added["matched-stranger-gpu"].tier, added["matched-stranger-gpu"].short) == ("matched", "stranger-gpu")


def test_rows_are_listed_without_importing_what_they_name(install: Install) -> None:
    """A module that is not there is no reason not to list the others."""
    install("mine = no_such_package.module:Implementation")
    assert named("mine", "no_such_package.module", "Implementation") in installed()


@pytest.mark.process
def test_the_table_imports_no_framework() -> None:
    """Neither reading it nor asking for the rows of others."""
    code = (
        "import sys; from impls import registry; registry.installed(); print(*{n.split('.')[0] for n in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"torch", "keras", "tensorflow", "jax", "numpy"}.isdisjoint(done.stdout.split())


ROW = Entry("matched-mine", "matched", "mine", "nowhere", environment={"KERAS_BACKEND": "jax"})
THREADS = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "NPROC"]


def test_every_library_is_told_the_same_number_of_threads() -> None:
    """In the variable that each of them reads."""
    variables = environment(ROW, "cpu", 3)
    assert [variables[name] for name in THREADS] == ["3"] * len(THREADS)


@pytest.mark.parametrize(("device", "hidden"), [("cpu", True), ("cuda", False), ("mps", False)])
def test_only_a_cpu_cell_sees_no_gpu(device: str, hidden: bool) -> None:
    """The devices are hidden before the framework is imported."""
    assert (environment(ROW, device, 1).get("CUDA_VISIBLE_DEVICES") == "-1") is hidden


def test_reduced_precision_is_off() -> None:
    """TF32 would make one framework faster by doing other arithmetic."""
    assert environment(ROW, "cuda", 1)["NVIDIA_TF32_OVERRIDE"] == "0"


def test_a_rows_own_variables_go_last() -> None:
    """They are added, and win over the common ones."""
    assert environment(ROW, "cpu", 1)["KERAS_BACKEND"] == "jax"
    stubborn = Entry("mine", "plugin", "mine", "nowhere", environment={"OMP_NUM_THREADS": "1"})
    assert environment(stubborn, "cpu", 4)["OMP_NUM_THREADS"] == "1"


def test_all_variables_are_text() -> None:
    """The system takes nothing else."""
    for entry in BUILT_IN:
        assert all(isinstance(value, str) for value in environment(entry, "cpu", 2).values())


QUIET = {"TF_CPP_MIN_LOG_LEVEL": "1"}
TENSORFLOW = {"KERAS_BACKEND": "tensorflow", **QUIET}
KERAS = ("keras", "tensorflow", "numpy")
ROWS = {
    "documented-pytorch": ("impls.documented.pytorch", ("torch", "torchvision", "numpy"), {}),
    "documented-keras": ("impls.documented.keras", KERAS, TENSORFLOW),
    "matched-pytorch": ("impls.matched.pytorch", ("torch", "numpy"), {}),
    "matched-keras": ("impls.matched.keras", KERAS, TENSORFLOW),
    "matched-keras-jax": ("impls.matched.keras", ("keras", "jax", "numpy"), {"KERAS_BACKEND": "jax"}),
    "matched-keras-torch": ("impls.matched.keras", ("keras", "torch", "numpy"), {"KERAS_BACKEND": "torch"}),
    "matched-keras-no-autotune": ("impls.matched.keras_no_autotune", KERAS, TENSORFLOW),
    "matched-jax": ("impls.matched.jax", ("jax", "numpy"), {}),
    "tuned-pytorch": ("impls.tuned.pytorch", ("torch", "numpy"), {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}),
    "tuned-keras": ("impls.tuned.keras", KERAS, TENSORFLOW),
    "tuned-tensorflow": ("impls.tuned.tensorflow", ("tensorflow", "numpy"), QUIET),
    "tuned-jax": ("impls.tuned.jax", ("jax", "numpy"), {}),
    "reference-numpy": ("impls.oracle.training", ("numpy",), {}),
    "null": ("impls.null", ("numpy",), {}),
}
"""Every built-in row: where it lies, the packages whose versions are recorded, the variables that it sets."""
FLOORS = {
    "pytorch": ("torch", "numpy"),
    "tensorflow": ("tensorflow", "numpy"),
    "jax": ("jax", "numpy"),
    "numpy": ("numpy",),
}


def test_the_rows_that_are_found_are_these() -> None:
    """Names, modules, packages and variables; a framework's table and its files make no others."""
    assert {entry.name: (entry.module, entry.packages, dict(entry.environment)) for entry in BUILT_IN} == ROWS
    assert list(ROWS) == [entry.name for entry in BUILT_IN]
    assert [entry.name for entry in BUILT_IN if not entry.gated] == ["null"]
    assert {entry.framework: entry.packages for entry in registry.floors()} == FLOORS
    for entry in registry.floors():
        assert (entry.name, entry.module) == (f"floor-{entry.framework}", f"impls.floor.{entry.framework}")
        assert (entry.attribute, entry.environment, entry.gated) == ("Floor", QUIET, False)


@pytest.mark.parametrize(
    ("name", "engine", "names"),
    [
        ("matched-pytorch", "pytorch", ("pytorch", "torch")),
        ("matched-keras", "tensorflow", ("tensorflow",)),
        ("matched-keras-torch", "pytorch", ("pytorch", "torch")),
        ("reference-numpy", "numpy", ("numpy",)),
        ("null", "null", ("null",)),
    ],
)
def test_an_engine_has_its_frameworks_name_and_its_packages(name: str, engine: str, names: tuple[str, ...]) -> None:
    """What computes under Keras is the backend, whatever Keras calls it."""
    (entry,) = (entry for entry in BUILT_IN if entry.name == name)
    assert (entry.engine, entry.engine_names) == (engine, names)


def test_a_row_knows_the_file_of_its_source(tmp_path: Path) -> None:
    """Of a module as of a plugin; a module that nobody has installed has none."""
    entry = BUILT_IN[0]
    assert (entry.file, entry.is_plugin) == (str(Path(registry.__file__).parent / "documented" / "pytorch.py"), False)
    plugin = from_file(tmp_path / "mine.py")
    assert (plugin.file, plugin.is_plugin) == (str(tmp_path / "mine.py"), True)
    absent = named("mine", "no_such_package.module", "Implementation")
    assert (absent.file, absent.is_plugin) == (None, False)


def test_a_framework_is_known_by_its_own_rows() -> None:
    """Not by those on another backend."""
    assert {tier: entry.name for tier, entry in registry.of_framework("keras").items()} == {
        tier: f"{tier}-keras" for tier in ("documented", "matched", "tuned")
    }
    assert list(registry.of_framework("jax")) == ["matched", "tuned"]

"""The pytest-benchmark suite: its options, what it measures, and what it adds to pytest-benchmark's output.

``pytest bench --benchmark-only`` runs it; the benchmarks and their fixtures are in ``bench/suite``.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, Literal

import pytest

from bench.errors import FcnBenchError, NotHere
from bench.machine import description
from bench.report import benchmark_json
from bench.session.choice import Choice, Options, choose
from bench.store import contents
from bench.store.contents import Contents
from bench.store.records.training import TrainingResult
from bench.store.records.verification import Verification
from impls.frameworks import COMPARED

REPEATED: dict[str, tuple[Callable[[str], Any], str]] = {
    "workload": (str, "Network to train; may be repeated [default: mlp-128-64]."),
    "implementation": (str, "Implementation to run; may be repeated [default: documented and matched]."),
    "device": (str, "cpu, cuda, cuda:N, mps, auto; may be repeated [default: what this machine has]."),
    "threads": (int, "CPU threads; may be repeated [default: all CPUs that may be used but one]."),
    "plugin": (Path, "Python file with an implementation of yours; may be repeated."),
}
SINGLE: dict[str, tuple[Callable[[str], Any], str]] = {
    "rounds": (int, "Rounds of every benchmark [default: 2 to 50, by what it measures]."),
    "data": (Path, "Directory with the four IDX files [default: FCNBENCH_DATA, else cached MNIST]."),
    "workloads": (Path, "TOML file with networks of your own."),
    "seed": (int, "Draws start weights and batch order [default: 1]."),
    "block": (int, "Start and train like this block of 'fcnbench run' [default: 1]."),
    "worker-timeout": (float, "Seconds after which a process that does not answer is killed [default: 3600]."),
}
OPTIONS = {**REPEATED, **SINGLE}
QUICK = tuple(f"matched-{name}" for name in COMPARED)
ASKED, CHOICE = pytest.StashKey[Options](), pytest.StashKey[Choice]()
WAITS = pytest.StashKey[list[float]]()
"""Seconds of every way to the null implementation's worker and back, filled by the benchmarks."""
CELLS = pytest.StashKey[list[TrainingResult]]()
"""The records behind the training epochs, filled by the benchmarks."""
VERIFIED = pytest.StashKey[dict[tuple[str, str, str], Verification | None]]()
"""What verification said, by network, implementation and device; None of what is not verified."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of ``fcnbench run`` that make sense here; each may stand in the ini file as ``fcnbench_NAME``."""
    group = parser.getgroup("fcnbench")
    for name, (kind, text) in OPTIONS.items():
        group.addoption(f"--{name}", action="append" if name in REPEATED else "store", type=kind, help=text)
        form: Literal["args", "string"] = "args" if name in REPEATED else "string"
        parser.addini(ini(name), text, type=form)
    group.addoption(
        "--quick",
        action="store_true",
        help="Matched tier, one round, a tenth of the training images, no first epochs apart.",
    )


def ini(name: str) -> str:
    """What an option is called in the ini file."""
    return f"fcnbench_{name.replace('-', '_')}"


def option(config: pytest.Config, name: str) -> Any:
    """An option's value from the command line, else from the ini file, else None.

    Raises FcnBenchError for a value in the ini file that cannot be read, or a number that is too small.
    """
    kind, _ = OPTIONS[name]
    value, written = config.getoption(name.replace("-", "_")), config.getini(ini(name))
    if value is None and written:
        try:
            value = [kind(item) for item in written] if name in REPEATED else kind(written)
        except ValueError:
            raise FcnBenchError(f"{ini(name)} {written!r} in the ini file: expected numbers") from None
    least = 0 if name == "seed" else 1
    if isinstance(value, int | float) and value < least:
        raise FcnBenchError(f"--{name} {value}: expected {least} or more")
    return value


def asked(config: pytest.Config) -> Options:
    """The options as ``fcnbench run`` would have them."""
    data = option(config, "data") or os.environ.get("FCNBENCH_DATA")
    quick = QUICK if config.getoption("quick") else None
    seed = option(config, "seed")
    return Options(
        workload=option(config, "workload"),
        implementation=option(config, "implementation") or (None if option(config, "plugin") else quick),
        plugin=option(config, "plugin"),
        device=option(config, "device"),
        threads=option(config, "threads"),
        blocks=option(config, "block") or 1,
        seed=1 if seed is None else seed,
        data=Path(data) if data else None,
        workloads=option(config, "workloads"),
        timeout_s=option(config, "worker-timeout") or 3600.0,
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what would spoil the figures, and choose what is measured, before anything is collected."""
    config.addinivalue_line("markers", "first_workload: asked of the first network and number of threads alone")
    config.addinivalue_line("markers", "not_quick: left out with --quick")
    if config.getoption("dist", "no") != "no" or os.environ.get("PYTEST_XDIST_WORKER"):
        raise pytest.UsageError("-n: benchmarks that run side by side disturb each other; leave it out, or give -n 0")
    if config.getoption("benchmark_cprofile"):
        raise pytest.UsageError("--benchmark-cprofile: would show this process waiting for a worker; leave it out")
    try:
        config.stash[ASKED] = asked(config)
        config.stash[CHOICE] = choose(config.stash[ASKED])
        option(config, "rounds")
    except FcnBenchError as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[WAITS], config.stash[CELLS], config.stash[VERIFIED] = [], [], {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One benchmark for each network, implementation, device and number of threads, named so that ``-k`` finds it."""
    if "implementation" not in metafunc.fixturenames:
        return
    choice = metafunc.config.stash[CHOICE]
    workloads, threads = choice.workloads, choice.threads
    if metafunc.definition.get_closest_marker("first_workload"):
        workloads, threads = workloads[:1], threads[:1]
    cases = [
        (workload.name, entry.name, device, count)
        for workload in workloads
        for device in choice.devices
        for count in threads
        for entry in choice.entries
    ]
    suffix = "-quick" if metafunc.config.getoption("quick") else ""
    names = [benchmark_json.parameter(*case, suffix) for case in cases]
    metafunc.parametrize(("workload", "implementation", "device", "threads"), cases, ids=names)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long where it has to be quick."""
    if config.getoption("quick"):
        left_out = [item for item in items if item.get_closest_marker("not_quick")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(wrapper=True)
def in_one_line() -> Iterator[None]:
    """Show what a user can mend without a traceback: a failure, or a skip where an implementation cannot run here."""
    try:
        yield
    except NotHere as error:
        raise pytest.skip.Exception(str(error)) from None
    except FcnBenchError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


pytest_runtest_setup = pytest_runtest_call = pytest_runtest_teardown = in_one_line
"""Around every part of a benchmark."""


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Say what the machine is as ``fcnbench export-benchmark`` does, so that the same machine reads the same."""
    described = benchmark_json.machine_info(description.machine())
    machine_info.clear()
    machine_info |= described


def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """Add the records, from which ``fcnbench import-benchmark`` makes a result directory."""
    cells, answers = config.stash[CELLS], config.stash[VERIFIED].values()
    stored = Contents(cells, [answer for answer in answers if answer], [description.machine()])
    output_json["fcnbench"] = contents.encoded(stored)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what the way to a worker and back takes, which is in no figure."""
    if waits := config.stash.get(WAITS, []):
        terminalreporter.section("fcnbench")
        terminalreporter.write_line(
            f"To ask a worker and hear its answer takes {median(waits) * 1e3:.3f} ms (null implementation, median of "
            f"{len(waits)}; {max(waits) * 1e3:.3f} ms at most). It is in no figure: the clock is read in the worker, "
            "while its device is idle."
        )

"""Devices by name: what a process is told before it imports anything, what may be asked for, what can be used here."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
from synthetic import result

from bench.display import naming
from bench.errors import FcnBenchError
from bench.machine import cpus as machine_cpus
from bench.machine import description, gpu
from bench.session.choice import chosen_threads
from bench.session.devices import chosen_devices
from bench.worker import availability, interpreters, process
from bench.worker.availability import Usable, at_a_glance
from bench.worker.process import Placement, entry_point
from bench.worker.requests import Build
from impls import environment, registry
from impls.registry import BUILT_IN, Entry
from impls.workload import Workload

ROW = Entry("matched-mine", "matched", "mine", "nowhere")


@pytest.mark.parametrize(
    ("listed", "left"),
    [
        (None, None),
        ("", ()),
        ("-1", ()),
        ("0", ("0",)),
        ("2, 3", ("2", "3")),
        ("0,-1,1", ("0",)),
        ("GPU-12ab,1", ("GPU-12ab", "1")),
        ("MIG-34cd", ("MIG-34cd",)),
        ("NoDevFiles", ()),
    ],
)
def test_the_gpus_that_are_left_are_those_that_cuda_would_show(
    listed: str | None, left: tuple[str, ...] | None
) -> None:
    """Numbers and UUIDs up to the first entry that is none; nothing said leaves all."""
    inherited = {} if listed is None else {"CUDA_VISIBLE_DEVICES": listed}
    assert environment.visible(inherited) == left


@pytest.mark.parametrize(
    ("device", "listed", "told"),
    [
        ("cuda", None, "0"),
        ("cuda:1", None, "1"),
        ("cuda", "2,3", "2"),
        ("cuda:1", "2,3", "3"),
        ("cuda:1", "2", "-1"),
        ("cuda", "", "-1"),
        ("cuda:1", "MIG-a,MIG-b", "MIG-b"),
        ("cpu", "2,3", "-1"),
    ],
)
def test_a_cell_sees_its_own_gpu_only(device: str, listed: str | None, told: str) -> None:
    """The one at that position of those that this process was left with; none where the list is shorter."""
    inherited = {} if listed is None else {"CUDA_VISIBLE_DEVICES": listed}
    assert environment.environment(ROW, device, 1, inherited)["CUDA_VISIBLE_DEVICES"] == told


def test_gpus_are_counted_as_their_driver_counts_them_unless_the_user_says_otherwise() -> None:
    """Else ``cuda:1`` and nvidia-smi's GPU 1 may be two."""
    assert environment.environment(ROW, "cuda:1", 1, {})["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    asked = {"CUDA_DEVICE_ORDER": "FASTEST_FIRST"}
    assert environment.environment(ROW, "cuda", 1, asked)["CUDA_DEVICE_ORDER"] == "FASTEST_FIRST"


def test_a_cpu_cell_hides_what_a_framework_would_take_by_itself() -> None:
    """JAX and Keras on PyTorch take a GPU unasked, also Apple's."""
    told = environment.environment(ROW, "cpu", 1, {})
    assert (told["JAX_PLATFORMS"], told["KERAS_TORCH_DEVICE"]) == ("cpu", "cpu")
    assert environment.environment(ROW, "mps", 1, {})["KERAS_TORCH_DEVICE"] == "mps"
    assert "JAX_PLATFORMS" not in environment.environment(ROW, "cuda:1", 1, {})


@pytest.mark.parametrize("entry", BUILT_IN, ids=lambda entry: entry.name)
def test_no_framework_takes_the_whole_memory_of_a_gpu(entry: Entry) -> None:
    """TensorFlow's grows, XLA's is not taken in advance; Keras imports TensorFlow on its other backends too."""
    told = environment.environment(entry, "cuda", 1, {})
    assert (told["TF_FORCE_GPU_ALLOW_GROWTH"], told["XLA_PYTHON_CLIENT_PREALLOCATE"]) == ("true", "false")


@pytest.mark.process
def test_an_implementation_is_asked_for_cuda_whichever_gpu_it_is(
    tmp_path: Path, tiny: Workload, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its process the GPU is the only one, so that a position would be wrong."""
    plugin = tmp_path / "told.py"
    plugin.write_text(
        "from impls.contract import Unavailable\nimport os\n"
        "class Implementation:\n"
        "    def __init__(self, workload, device, seed):\n"
        "        raise Unavailable(device + ' of ' + os.environ['CUDA_VISIBLE_DEVICES'])\n"
        "    load = set_weights = get_weights = train_epoch = predict = sync = device_memory = lambda self: None\n"
    )
    entry = registry.from_file(plugin)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    request = Build(entry_point(entry), tiny, "cuda:1")
    answer = process.ask(entry, request, Placement.of("cuda:1"), tmp_path / "log", 60)
    assert answer.outcome == ("skipped", "cuda of 7")


@pytest.mark.parametrize(
    ("names", "present", "chosen"),
    [
        (["auto"], ("cpu", "cuda"), ["cuda"]),
        (["auto"], ("cpu", "mps"), ["mps"]),
        (["auto"], ("cpu",), ["cpu"]),
        (["auto", "cpu"], ("cpu",), ["cpu"]),
        (["cuda:1", "cpu"], ("cpu", "cuda"), ["cuda:1", "cpu"]),
        (["cuda"], ("cpu",), ["cuda"]),
        (None, ("cpu", "cuda"), ["cpu", "cuda"]),
    ],
)
def test_auto_is_the_best_that_the_machine_has(
    monkeypatch: pytest.MonkeyPatch, names: Sequence[str] | None, present: tuple[str, ...], chosen: list[str]
) -> None:
    """CUDA before MPS before the CPU; what was named stays, also where it is missing: its cells say so."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(gpu, "gpu_names", lambda: ("one", "two") if "cuda" in present else ())
    assert chosen_devices(names, present) == chosen


@pytest.mark.parametrize(
    ("name", "listed", "line"),
    [
        ("cuda:2", None, "--device cuda:2: this process may use 2 GPUs; give cuda:0 to cuda:1"),
        ("cuda:1", "1", "--device cuda:1: this process may use 1 GPU; give cuda"),
        ("cuda:x", None, "unknown device 'cuda:x': did you mean 'cuda:0'?"),
        ("gpu", None, "unknown device 'gpu': did you mean 'cpu'?"),
    ],
)
def test_a_gpu_that_cannot_be_meant_is_refused_with_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, listed: str | None, line: str
) -> None:
    """A position beyond those that may be used here, or no device at all."""
    monkeypatch.setattr(gpu, "gpu_names", lambda: ("one", "two"))
    if listed is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    with pytest.raises(FcnBenchError) as found:
        chosen_devices([name], ("cpu", "cuda"))
    assert str(found.value) == line


def test_a_hidden_gpu_is_none_of_the_machines_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever hides it wants no CUDA cells."""
    monkeypatch.setattr(gpu, "gpu_names", lambda: ("one",))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "cuda" not in description.devices()
    assert at_a_glance(BUILT_IN[-1], "cuda", ("cpu",)) == Usable("no", "CUDA_VISIBLE_DEVICES leaves no GPU to see")


def test_a_position_is_no_part_of_a_file_name() -> None:
    """A colon is none on Windows; people read CUDA 1."""
    assert ":" not in result(device="cuda:1").cell.key
    assert naming.place("cuda:1", 2) == "CUDA 1, 2 threads"


def test_what_is_not_installed_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen without starting anything."""
    monkeypatch.setattr(
        availability, "versions", lambda entry: dict.fromkeys(entry.packages, "1.0") | {"jax": "not installed"}
    )
    jax = next(entry for entry in BUILT_IN if "jax" in entry.packages)
    assert at_a_glance(jax, "cpu", ("cpu",)).text == "no: jax is not installed"


@pytest.mark.process
def test_an_implementation_that_is_asked_says_itself_why_it_cannot(tiny: Workload, tmp_path: Path) -> None:
    """It is started in a process of its own, as a cell would be, and builds the network on the device."""
    numpy = next(entry for entry in BUILT_IN if entry.framework == "numpy")
    assert availability.usable(numpy, "cpu", tiny).text == "yes"
    assert availability.usable(numpy, "cuda", tiny).text.startswith("no: ")


@pytest.mark.process
def test_the_list_starts_no_framework() -> None:
    """Whoever only looks does not wait."""
    code = (
        "import sys, json; from bench.cli import list as list_; list_.text(None, 140); "
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = printed_by(code)
    assert {"torch", "keras", "tensorflow", "jax", "pandas"}.isdisjoint(json.loads(done))


def printed_by(code: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def fcnbench(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command line, as a user runs it."""
    command = [sys.executable, "-P", "-m", "bench.cli.main", *map(str, arguments)]
    path = os.pathsep.join(map(str, (interpreters.ROOT, *sys.path)))
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})


@pytest.mark.process
def test_a_cell_without_its_device_is_skipped_and_says_so_everywhere(
    tiny_data: Path, workload_file: Path, tmp_path: Path
) -> None:
    """Empty in the CSV but for the reason, "not measured" in words; the other device's figures stand as ever."""
    out = tmp_path / "out"
    asked = ("--implementation", "reference-numpy", "--device", "cpu", "--device", "cuda", "--blocks", 1, "--out", out)
    done = fcnbench("run", *asked, "--workloads", workload_file, "--data", tiny_data)
    assert done.returncode == 0, done.stdout + done.stderr
    runs = pd.read_csv(out / "runs.csv")
    lost, measured = runs[runs["device"] == "cuda"], runs[runs["device"] == "cpu"]
    reason = "reference-numpy cannot use device 'cuda': NumPy has only 'cpu'"
    assert set(lost["status"]) == {"skipped"} and set(lost["reason"]) == {reason}
    figures = [name for name in runs if name.endswith(("_s", "_bytes", "_j")) and name not in ("process_s", *COUNTED)]
    assert lost[[*figures, "accuracy", "test_loss"]].isna().all(axis=None)
    assert measured["epoch_s"].notna().all()
    for text in (done.stdout, (out / "report.md").read_text()):
        assert "Nothing was measured for tiny, CUDA" in text and "NumPy has only" in text
    assert "cuda" not in (out / "tables" / "summary.csv").read_text()
    assert not list((out / "charts").glob("*cuda*"))


COUNTED = ("parent_cpu_s", "others_cpu_s", "steal_s", "throttled_s", "import_s", "swapped_bytes", *(
    f"after_import_{kind}_bytes" for kind in ("rss", "uss")))  # fmt: skip
"""What a process has before it finds that it has no device."""


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_a_process_on_one_cpu_uses_one_thread_and_says_so(
    plugin: Callable[..., Path], tiny: Workload, tmp_path: Path
) -> None:
    """Affinity of whoever starts it decides: what is planned, what libraries are told and what it may use are one."""
    own = """
        import os

        class Implementation(Regression):
            def __init__(self, workload, device, seed):
                raise Unavailable(f"{len(os.sched_getaffinity(0))} CPU, told {os.environ['OMP_NUM_THREADS']}")
        """
    entry, mask = registry.from_file(plugin("mine", own)), os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(mask)})
    try:
        (threads,) = chosen_threads(None, len(machine_cpus.available_cpus()))
        request = Build(entry_point(entry), tiny, "cpu")
        answer = process.ask(entry, request, Placement.of("cpu", threads), tmp_path / "log", 60)
    finally:
        os.sched_setaffinity(0, mask)
    assert (threads, answer.outcome) == (1, ("skipped", "1 CPU, told 1"))


@pytest.mark.parametrize(("quota", "cpus", "threads"), [(1.5, 1, 1), (0.5, 1, 1), (3.0, 3, 2), (None, 4, 3)])
def test_a_containers_quota_decides_on_the_threads(
    monkeypatch: pytest.MonkeyPatch, quota: float | None, cpus: int, threads: int
) -> None:
    """One CPU stays free, of whole CPUs of time, but there is always a thread; more threads than CPUs are refused."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    monkeypatch.setattr(machine_cpus, "cpu_quota", lambda: quota)
    available = len(machine_cpus.available_cpus())
    assert chosen_threads(None, available) == [threads]
    assert chosen_threads([cpus], available) == [cpus]
    with pytest.raises(FcnBenchError, match=f"--threads {cpus + 1}: this process may use {cpus} CPUs"):
        chosen_threads([cpus + 1], available)

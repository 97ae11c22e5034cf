"""What may be used of a machine, read from control groups as Linux lays them out, and what the machine is called."""

import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from bench.machine import cpus, description, gpu

Tree = Callable[..., tuple[Path, Path]]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """``tree(membership, {path: content})``: the root of a made-up hierarchy, and the file that says where we are."""

    def tree(membership: str, files: dict[str, str]) -> tuple[Path, Path]:
        root = tmp_path / "cgroup"
        for name, content in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content + "\n")
        (tmp_path / "self").write_text(membership + "\n")
        return root, tmp_path / "self"

    return tree


@pytest.fixture
def own_cpus() -> Iterator[set[int]]:
    """The affinity mask of this process, which is put back afterwards."""
    own = os.sched_getaffinity(0)
    yield own
    os.sched_setaffinity(0, own)


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("0::/", {"cpu.max": "150000 100000"}, 1.5),
        ("0::/", {"cpu.max": "max 100000"}, None),
        ("0::/", {}, None),
        ("0::/a/b", {"a/b/cpu.max": "50000 100000"}, 0.5),
        ("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "200000 100000"}, 2.0),
        ("0::/a/b", {"a/b/cpu.max": "400000 100000", "a/cpu.max": "200000 100000", "cpu.max": "300000 100000"}, 2.0),
        ("0::/a", {"b/cpu.max": "50000 100000"}, None),
        ("0::/a", {"a/cpu.max": "garbage", "cpu.max": "200000 100000"}, 2.0),
        ("0::/not/seen/from/here", {"cpu.max": "200000 100000"}, 2.0),
    ],
)
def test_the_quota_of_version_2_is_the_least_on_the_way_to_the_root(
    tree: Tree, membership: str, files: dict[str, str], expected: float | None
) -> None:
    """``cpu.max`` holds the time and the period, or ``max``; a group's parents limit it too, its neighbours do not."""
    assert cpus.cpu_quota(*tree(membership, files)) == expected


@pytest.mark.parametrize(
    ("membership", "quota", "period", "expected"),
    [
        ("4:cpu,cpuacct:/", "cpu,cpuacct", "300000", 3.0),
        ("4:cpu,cpuacct:/", "cpu,cpuacct", "-1", None),
        ("4:cpu,cpuacct:/a", "cpu,cpuacct/a", "50000", 0.5),
        ("9:name=systemd:/\n4:cpu:/a/b\n0::/", "cpu/a", "200000", 2.0),
        ("4:cpu:/docker/0123", "cpu", "200000", 2.0),
        ("4:memory:/a", "cpu/a", "200000", None),
    ],
)
def test_the_quota_of_version_1_is_found_in_its_controllers_tree(
    tree: Tree, membership: str, quota: str, period: str, expected: float | None
) -> None:
    """Two files, -1 for no limit; in a container the group's own path is not seen, but its root is the limit."""
    files = {f"{quota}/cpu.cfs_quota_us": period, f"{quota}/cpu.cfs_period_us": "100000"}
    assert cpus.cpu_quota(*tree(membership, files)) == expected


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("0::/a", {"a/memory.max": "1048576", "memory.max": "max"}, 2**20),
        ("0::/a", {"a/memory.max": "max"}, None),
        ("0::/a", {"a/memory.max": "2097152", "memory.max": "1048576"}, 2**20),
        ("8:memory:/a", {"memory/a/memory.limit_in_bytes": "1048576"}, 2**20),
        ("8:memory:/", {"memory/memory.limit_in_bytes": "9223372036854771712"}, None),
        ("0::/", {}, None),
    ],
)
def test_the_memory_limit_is_the_least_that_is_one(
    tree: Tree, membership: str, files: dict[str, str], expected: int | None
) -> None:
    """In both versions; a figure beyond the machine's memory, as version 1 writes for none, is no limit."""
    assert cpus.memory_limit(*tree(membership, files)) == expected


def test_without_control_groups_there_is_no_limit(tmp_path: Path) -> None:
    """macOS and Windows have no such files."""
    nowhere = (tmp_path / "cgroup", tmp_path / "self")
    assert cpus.cpu_quota(*nowhere) is None
    assert cpus.memory_limit(*nowhere) is None


def test_the_cpus_are_those_of_the_mask(own_cpus: set[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts the program with fewer CPUs gets no more."""
    monkeypatch.setattr(cpus, "cpu_quota", lambda: None)
    assert cpus.available_cpus() == tuple(sorted(own_cpus))
    os.sched_setaffinity(0, {max(own_cpus)})
    assert cpus.available_cpus() == (max(own_cpus),)


@pytest.mark.parametrize(("quota", "left"), [(None, 4), (2.0, 2), (2.9, 2), (0.5, 1), (64.0, 4)])
def test_the_quota_cuts_the_mask_but_leaves_one(
    monkeypatch: pytest.MonkeyPatch, quota: float | None, left: int
) -> None:
    """Half a CPU can still run one thread; a quota beyond what there is gives what there is."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 7, 9})
    monkeypatch.setattr(cpus, "cpu_quota", lambda: quota)
    assert cpus.available_cpus() == (3, 5, 7, 9)[:left]


def test_without_a_mask_all_cpus_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS has no affinity."""
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(cpus, "cpu_quota", lambda: None)
    assert len(cpus.available_cpus()) == psutil.cpu_count()


def test_a_machine_is_described_and_named_for_what_decides_speed(
    monkeypatch: pytest.MonkeyPatch, own_cpus: set[int]
) -> None:
    """The same machine has the same name each time; with another GPU or fewer CPUs it has another."""
    monkeypatch.setattr(description, "cpu_name", lambda: "Some CPU")
    monkeypatch.setattr(gpu, "gpu_names", lambda: ())
    first = description.machine()
    assert description.machine() == first
    assert first.cpu == "Some CPU" and first.gpus == ""
    assert 1 <= first.available_cpus <= first.logical_cpus
    assert first.ram_bytes == psutil.virtual_memory().total
    assert all(value not in ("", "unknown") for name, value in asdict(first).items() if not name.startswith("gpu"))
    monkeypatch.setattr(gpu, "gpu_names", lambda: ("Some GPU", "Other GPU"))
    second = description.machine()
    assert second.gpus == "Some GPU; Other GPU"
    monkeypatch.setattr(cpus, "available_cpus", lambda: tuple(range(99)))
    assert len({first.machine, second.machine, description.machine().machine}) == 3


@pytest.mark.process
def test_the_processor_has_a_name() -> None:
    """As its maker writes it, not just the architecture."""
    assert description.cpu_name() not in ("", "unknown")


def test_a_machine_without_a_driver_has_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is there, the driver is not: that is an answer, no error."""
    import pynvml

    def no_driver() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", no_driver)
    assert gpu.gpu_names() == ()
    assert description.devices() == ("cpu",)


@pytest.mark.parametrize(
    ("gpus", "system", "chip", "expected"),
    [
        (("Some GPU",), "Linux", "x86_64", ("cpu", "cuda")),
        ((), "Darwin", "arm64", ("cpu", "mps")),
        ((), "Darwin", "x86_64", ("cpu",)),
        ((), "Linux", "aarch64", ("cpu",)),
    ],
)
def test_devices_are_those_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, gpus: tuple[str, ...], system: str, chip: str, expected: tuple[str, ...]
) -> None:
    """The CPU first; CUDA where there is an NVIDIA device, MPS on Apple's own chips."""
    monkeypatch.setattr(gpu, "gpu_names", lambda: gpus)
    monkeypatch.setattr(description.platform, "system", lambda: system)
    monkeypatch.setattr(description.platform, "machine", lambda: chip)
    assert description.devices() == expected


def test_processes_on_the_gpus_are_counted_as_far_as_the_driver_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """All devices together; nothing where there is none; not known where the driver refuses."""
    import pynvml

    monkeypatch.setattr(gpu, "gpus", lambda: nullcontext((pynvml, ["one", "two"])))
    monkeypatch.setattr(
        pynvml, "nvmlDeviceGetComputeRunningProcesses", lambda handle: [1, 2] if handle == "one" else [3]
    )
    assert gpu.gpu_processes() == 3

    def refuse(handle: str) -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    monkeypatch.setattr(pynvml, "nvmlDeviceGetComputeRunningProcesses", refuse)
    assert gpu.gpu_processes() is None
    monkeypatch.setattr(gpu, "gpus", lambda: nullcontext((pynvml, [])))
    assert gpu.gpu_processes() == 0

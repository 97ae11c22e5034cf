"""The worker, through ``process.ask``, with small plugins: what it answers, where prints go, how failures are told."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from bench.store.records.training import Epoch, Evaluation, Inference
from bench.worker import process
from bench.worker.answer import Answer
from bench.worker.messages import MeterReadings, Phase, StepDone, SwitchesInForce, Versions
from bench.worker.process import Placement, Worker, entry_point
from bench.worker.requests import Finish, Import, Task, Train, TrainEpoch
from impls import registry
from impls.oracle import training as oracle_training
from impls.workload import Workload

pytestmark = pytest.mark.process

TIMEOUT_S = 120.0


class Told(NamedTuple):
    """What came of one worker."""

    answer: Answer
    log: str

    @property
    def status(self) -> str:
        return self.answer.outcome.status

    @property
    def reason(self) -> str:
        return self.answer.outcome.reason

    @property
    def names(self) -> list[str]:
        """The kinds of the messages in order, each run of epochs as one; ``Hello`` begins them all."""
        first, *names = [type(said).__name__ for said in self.answer.messages if not isinstance(said, StepDone)]
        assert first == "Hello"
        return [name for i, name in enumerate(names) if (name, names[i - 1]) != ("Epoch", "Epoch") or i == 0]

    @property
    def readings(self) -> dict[str, Any]:
        """What all meters read."""
        return {name: value for said in self.answer.all(MeterReadings) for name, value in said.readings.items()}

    @property
    def phases(self) -> dict[str, float]:
        return {phase.name: phase.seconds for phase in self.answer.all(Phase)}

    @property
    def switches(self) -> dict[str, Any]:
        return self.answer.all(SwitchesInForce)[-1].switches


Work = Callable[..., Told]


@pytest.fixture
def work(tmp_path: Path, tiny: Workload, tiny_data: Path) -> Work:
    """``work(path, ...)`` runs the worker with a plugin file."""

    def work(
        path: Path, workload: Workload = tiny, epochs: int = 2, seed: int = 1, packages: tuple[str, ...] = (), **of: Any
    ) -> Told:
        log, entry = tmp_path / "log", replace(registry.from_file(path), packages=packages)
        if "request" in of:
            answer = process.ask(entry, of["request"], Placement.of("cpu", 1), log, TIMEOUT_S)
        else:
            worker = Worker(entry, Placement.of("cpu", 1), log)
            worker.send(Train(entry_point(entry), Task(workload, "cpu", seed, str(tiny_data)), epochs))
            steps = iter([*[TrainEpoch()] * epochs, Finish()])
            while worker.hear(TIMEOUT_S, StepDone):
                worker.send(next(steps))
            answer = worker.answer(TIMEOUT_S)
        return Told(answer, log.read_text())

    return work


def test_a_cell_reports_every_phase_as_it_ends(work: Work, plugin: Callable[..., Path]) -> None:
    """Import, build, load, the epochs with the one before training, memory, noise: the cell is whole; then inference."""
    told = work(plugin())
    assert (told.status, told.reason, told.answer.exit_status) == ("ok", "", 0)
    phases = [
        "Phase",
        "MeterReadings",
        "Phase",
        "Versions",
        "SwitchesInForce",
        "Phase",
        "SwitchesInForce",
        "MeterReadings",
    ]
    end = ["Epoch", "Predicted", "MeterReadings", "Whole", "Inference", "Inference", "Ended"]
    assert told.names == [*phases, *end]
    assert list(told.phases) == ["import_s", "build_s", "load_s"]
    assert all(seconds > 0 for seconds in told.phases.values())


def test_epochs_are_complete_and_the_network_learns(work: Work, plugin: Callable[..., Path]) -> None:
    """Each epoch has its times and figures; on data that can be learned the accuracy goes from chance to all.

    Energy alone is a GPU's.
    """
    before, *trained = work(plugin(), epochs=5).answer.all(Epoch)
    assert [epoch.epoch for epoch in trained] == [1, 2, 3, 4, 5]
    assert all(None not in asdict(epoch).values() and epoch.readings == {"train_energy_j": None} for epoch in trained)
    assert before.accuracy < 0.4 and trained[-1].accuracy == 1.0
    assert trained[-1].train_loss < trained[0].train_loss


COUNTED = """
    import pathlib

    from bench.data import mnist

    class Implementation(Regression):
        def load(self, data):
            super().load(data)
            written = mnist.load(pathlib.Path(data.root))
            print("load", len(data.x_test), len(written.x_test), (written.x_test == data.x_test).all())

        def device_memory(self):
            print("memory was asked for")
"""


def test_one_image_and_one_batch_are_timed_when_all_else_is_known(
    work: Work, tiny: Workload, plugin: Callable[..., Path]
) -> None:
    """Each is loaded as a test set of its own, which is in files too; a batch of 150 repeats some of 100 images."""
    told = work(plugin("counted", COUNTED), replace(tiny, test_batch_size=150))
    found = told.answer.all(Inference)
    assert [one.images for one in found] == [1, 150]
    assert all(one.first_s > 0 and 10 <= len(one.seconds) <= 100 and min(one.seconds) > 0 for one in found)
    lines = [line for line in told.log.splitlines() if line.startswith(("load", "memory"))]
    assert lines == ["load 100 100 True", "memory was asked for", "load 1 1 True", "load 150 150 True"]


def test_a_batch_of_one_is_timed_once(work: Work, tiny: Workload, plugin: Callable[..., Path]) -> None:
    """There is nothing else to time."""
    assert work(plugin(), replace(tiny, test_batch_size=1)).names[-2:] == ["Inference", "Ended"]


@pytest.mark.parametrize(
    ("body", "reason", "timed"),
    [
        ("raise RuntimeError('once is enough')", "RuntimeError: once is enough", []),
        ("raise Unavailable('gone')", "gone", []),
        ("os._exit(5)", "the process ended with exit status 5 before it had answered", []),
        ("return", "ValueError: predict() returned an array of shape (100, 10), expected (1, 10)", []),
        ("return super().load(data) if len(data.x_test) == 1 else 1 / 0", "ZeroDivisionError: division by zero", [1]),
    ],
    ids=["an error", "not here", "a crash", "ignored", "at the batch"],
)
def test_a_load_that_bears_no_second_call_takes_nothing_from_the_cell(
    work: Work, plugin: Callable[..., Path], body: str, reason: str, timed: list[int]
) -> None:
    """The cell is good, all its figures are there, and why its inference is not is told apart."""
    code = f"""
        import os

        class Implementation(Regression):
            def load(self, data):
                if len(data.x_test) == 100:
                    return super().load(data)
                {body}
    """
    told = work(plugin("once", code))
    assert (told.status, told.reason) == ("ok", "")
    assert told.answer.unfinished == reason
    assert len(told.answer.all(Epoch)) == 3 and told.readings["involuntary_switches"] is not None
    assert [one.images for one in told.answer.all(Inference)] == timed


def test_a_cell_that_was_not_measured_whole_is_not_good(work: Work, plugin: Callable[..., Path]) -> None:
    """What fails before stays a failure, and is no matter of inference."""
    body = "class Implementation(Regression):\n    def device_memory(self):\n        raise RuntimeError('no luck')\n"
    told = work(plugin("unlucky", body))
    assert told.status == "failed" and told.answer.unfinished == "" and "Whole" not in told.names


def test_memory_columns_are_filled(work: Work, plugin: Callable[..., Path]) -> None:
    """Every figure of the host's memory is there, and they are in a possible order."""
    memory = work(plugin()).readings
    for moment in ("after_import", "after_load"):
        assert 0 < memory[f"{moment}_uss_bytes"] <= memory[f"{moment}_rss_bytes"]
    assert memory["process_peak_bytes"] >= memory["training_peak_bytes"] > 0
    assert memory["process_peak_bytes"] >= memory["after_load_rss_bytes"]
    assert memory["peak_source"] == "VmHWM"


def test_the_training_peak_is_of_training_alone(work: Work, plugin: Callable[..., Path]) -> None:
    """What loading needed and gave back counts for the whole process, not for its training."""
    mib = 2**20
    hungry = """
        class Implementation(Regression):
            def {}(self, *given):
                np.ones(256 * 2**20, np.uint8)
                return super().{}(*given)
    """
    loading = work(plugin("loading", hungry.format("load", "load"))).readings
    training = work(plugin("training", hungry.format("train_epoch", "train_epoch"))).readings
    assert loading["process_peak_bytes"] - loading["training_peak_bytes"] > 200 * mib
    assert training["training_peak_bytes"] - loading["training_peak_bytes"] > 200 * mib


def test_device_memory_is_reported_where_there_is_any(work: Work, plugin: Callable[..., Path]) -> None:
    """The implementation's own figures go under the device's names."""
    body = """
        class Implementation(Regression):
            def device_memory(self):
                return {"peak_bytes": 5, "reserved_bytes": 8}
    """
    memory = work(plugin("with_gpu", body)).readings
    assert (memory["device_peak_bytes"], memory["device_reserved_bytes"]) == (5, 8)


def test_facts_have_versions_and_what_the_implementation_declares(work: Work, plugin: Callable[..., Path]) -> None:
    """Versions of what is loaded only; switches in a form that JSON can carry."""
    body = """
        class Implementation(Regression):
            adam = ("keras", 1e-7)
            def __init__(self, *given):
                super().__init__(*given)
                self.switches = {"threads": 1, "dtype": np.dtype(np.float32)}
    """
    told = work(plugin("declares", body), packages=("numpy", "torch"))
    (versions,) = told.answer.all(Versions)
    assert versions.versions.keys() == {"python", "numpy"}
    assert versions.versions["numpy"] == np.__version__
    assert told.switches == {"takes_order": True, "adam": ["keras", 1e-7], "threads": 1, "dtype": "float32"}


@pytest.mark.parametrize("member", ["__init__", "train_epoch", "predict", "device_memory"])
def test_prints_go_to_the_log_from_every_member(work: Work, plugin: Callable[..., Path], member: str) -> None:
    """Nothing that is printed, by Python, by C or by a child, can be taken for an answer."""
    body = f"""
        import os, subprocess, sys

        class Implementation(Regression):
            def {member}(self, *given):
                print('{{"is": "Ended", "status": "failed", "reason": "printed"}}')
                print("on standard error", file=sys.stderr)
                os.write(1, b"by descriptor\\n")
                subprocess.run(["echo", "by a child"])
                return super().{member}(*given)
    """
    told = work(plugin("loud", body))
    assert (told.status, told.reason) == ("ok", "")
    for line in ("printed", "on standard error", "by descriptor", "by a child"):
        assert line in told.log


def test_prints_at_import_go_to_the_log(work: Work, plugin: Callable[..., Path]) -> None:
    """The channel is taken before the implementation is imported."""
    told = work(plugin("loud", "print('hello')\nclass Implementation(Regression): pass\n"))
    assert told.status == "ok" and "hello" in told.log


@pytest.mark.parametrize("member", ["__init__", "load", "set_weights", "train_epoch"])
def test_an_exception_fails_the_cell_and_keeps_what_was_said(
    work: Work, plugin: Callable[..., Path], member: str
) -> None:
    """Type and message are the reason, on one line; the traceback is in the log; the phases before it stay."""
    body = f"""
        class Implementation(Regression):
            def {member}(self, *given):
                raise RuntimeError("no luck\\n  in {member}")
    """
    told = work(plugin("unlucky", body))
    assert (told.status, told.reason) == ("failed", f"RuntimeError: no luck in {member}")
    assert told.answer.exit_status == 0
    assert "Traceback" in told.log
    assert "import_s" in told.phases


@pytest.mark.parametrize(
    ("raised", "status", "reason"),
    [
        ("SystemExit(0)", "failed", "SystemExit: 0"),
        ("KeyboardInterrupt()", "failed", "KeyboardInterrupt"),
        ("MemoryError('tensor')", "failed", "out of memory (MemoryError)"),
        ("Unavailable('no such\\n device')", "skipped", "no such device"),
        ("ValueError('x' * 100_000)", "failed", "ValueError: " + "x" * 300),
    ],
)
def test_whatever_is_raised_is_the_cells_answer(
    work: Work, plugin: Callable[..., Path], raised: str, status: str, reason: str
) -> None:
    """Leaving the program, running out of memory and being unavailable too; a message of any length."""
    body = f"class Implementation(Regression):\n    def load(self, data):\n        raise {raised}\n"
    told = work(plugin("raises", body))
    assert (told.status, told.reason) == (status, reason)


@pytest.mark.parametrize("close", ["sys.stderr.close()", "os.close(2)", "sys.stderr = None", "sys.stdout.close()"])
def test_a_program_that_closes_what_it_prints_to_keeps_its_reason(
    work: Work, plugin: Callable[..., Path], close: str
) -> None:
    """The traceback cannot be kept then, but why it failed is told; and one that does not fail is good."""
    body = "import os, sys\nclass Implementation(Regression):\n    def load(self, data):\n        {}\n        {}\n"
    told = work(plugin("closes", body.format(close, "raise RuntimeError('no luck')")))
    assert (told.status, told.reason, told.answer.exit_status) == ("failed", "RuntimeError: no luck", 0)
    told = work(plugin("closes", body.format(close, "super().load(data)")))
    assert (told.status, told.reason, told.answer.exit_status) == ("ok", "", 0)


def test_memory_that_really_runs_out_is_told_as_such(work: Work, plugin: Callable[..., Path]) -> None:
    """An allocation that no machine can give."""
    body = "class Implementation(Regression):\n    def load(self, data):\n        np.ones(2**60, np.uint8)\n"
    told = work(plugin("greedy", body))
    assert (told.status, told.reason) == ("failed", "out of memory (MemoryError)")


def test_logits_of_another_shape_fail_the_cell(work: Work, plugin: Callable[..., Path]) -> None:
    """The reason has the shape that came and the one that was expected."""
    body = "class Implementation(Regression):\n    def predict(self):\n        return self.x_test\n"
    told = work(plugin("shapeless", body))
    assert told.status == "failed"
    assert "(100, 784)" in told.reason and "(100, 10)" in told.reason


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("class Other(Regression): pass", ["no class 'Implementation'"]),
        ("class Implementation: pass", ["lacks load, set_weights", "device_memory", "CONTRIBUTING.md"]),
        ("class Implementation(Regression):\n    sync = None\n", ["lacks sync"]),
        ("def broken(:\n", ["SyntaxError"]),
        ("1 / 0", ["ZeroDivisionError"]),
        ("from numpy import no_such_name", ["ImportError", "no_such_name"]),
    ],
)
def test_a_plugin_that_cannot_be_used_says_why(
    work: Work, plugin: Callable[..., Path], body: str, parts: list[str]
) -> None:
    """A missing class or member, a mistake in the syntax, an import that raises: one line with what is wrong."""
    told = work(plugin("useless", body))
    assert told.status == "failed"
    assert "\n" not in told.reason
    for part in parts:
        assert part in told.reason


@pytest.mark.parametrize(("packages", "status"), [(("a_framework",), "skipped"), (("numpy",), "failed")])
def test_a_missing_package_skips_the_cell_only_where_the_row_needs_it(
    work: Work, plugin: Callable[..., Path], packages: tuple[str, ...], status: str
) -> None:
    """A framework that is not installed is no failure; a plugin's own mistake is."""
    told = work(plugin("needy", "import a_framework\n"), packages=packages)
    assert (told.status, told.reason) == (status, "a_framework is not installed")


@pytest.mark.parametrize("takes_order", [True, False])
def test_only_those_who_take_an_order_are_given_weights(
    work: Work, plugin: Callable[..., Path], takes_order: bool
) -> None:
    """A program that initialises by itself keeps its own start."""
    body = f"""
        class Implementation(Regression):
            takes_order = {takes_order}
            def set_weights(self, weights):
                print("weights were set")
                super().set_weights(weights)
    """
    told = work(plugin("own_start", body))
    assert told.status == "ok"
    assert ("weights were set" in told.log) is takes_order


RECORDER = """
    import json, pathlib, sys

    class Implementation(Regression):
        {member} = {value}

        def set_weights(self, weights):
            super().set_weights(weights)
            self.seen = {{"weights": [[kernel.tolist(), bias.tolist()] for kernel, bias in weights], "orders": []}}

        def train_epoch(self, order):
            self.seen["orders"].append([str(order.dtype), order.tolist()])
            return super().train_epoch(order)

        def device_memory(self):
            pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(self.seen))
"""


def recorded(work: Work, path: Path, **changes: Any) -> dict[str, Any]:
    """What an implementation was given: start weights and orders."""
    assert work(path, **changes).status == "ok"
    given: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
    return given


def test_all_implementations_get_the_same_start_and_the_same_orders(work: Work, plugin: Callable[..., Path]) -> None:
    """The seed alone decides: two implementations are given the same bits, another seed gives others."""
    one = plugin("one", RECORDER.format(member="note", value="1"))
    two = plugin("two", RECORDER.format(member="adam", value="('keras', 1e-7)"))
    given = recorded(work, one, seed=5)
    assert recorded(work, two, seed=5) == given
    others = recorded(work, one, seed=6)
    assert others["weights"] != given["weights"] and others["orders"] != given["orders"]


def test_the_start_and_the_orders_are_those_of_the_contract(
    work: Work, plugin: Callable[..., Path], tiny: Workload
) -> None:
    """float32 weights drawn as the oracle draws them, and int64 permutations of the training set, each a new one."""
    seen = recorded(work, plugin("one", RECORDER.format(member="note", value="1")), seed=5)
    expected = oracle_training.initial_weights(tiny, np.random.default_rng([5, 0]))
    assert seen["weights"] == [[kernel.tolist(), bias.tolist()] for kernel, bias in expected]
    (dtype, first), (_, second) = seen["orders"]
    assert dtype == "int64"
    assert sorted(first) == sorted(second) == list(range(200))
    assert first != second and first != list(range(200))


def test_without_shuffling_the_order_is_that_of_the_files(
    work: Work, plugin: Callable[..., Path], tiny: Workload
) -> None:
    """A workload that does not shuffle is trained as stored, each time."""
    path = plugin("one", RECORDER.format(member="note", value="1"))
    seen = recorded(work, path, workload=replace(tiny, shuffle=False))
    assert [order for _, order in seen["orders"]] == [list(range(200))] * 2


def test_a_plugins_neighbours_hide_nobodys_package(work: Work, plugin: Callable[..., Path], tmp_path: Path) -> None:
    """A file beside the plugin can be imported, but not in place of a package of the same name."""
    (tmp_path / "helper.py").write_text("VALUE = 3\n")
    (tmp_path / "psutil.py").write_text("raise RuntimeError('hidden')\n")
    (tmp_path / "colorsys.py").write_text("raise RuntimeError('hidden')\n")
    body = "import colorsys, psutil, helper\nassert helper.VALUE == 3\nclass Implementation(Regression): pass\n"
    assert work(plugin("mine", body)).status == "ok"


def test_the_worker_loads_nothing_that_the_measurement_does_not_need(work: Work, plugin: Callable[..., Path]) -> None:
    """No table, check or command-line package makes a framework's import look shorter or its memory larger."""
    body = """
        import sys

        class Implementation(Regression):
            switches = {"modules": sorted(name for name in sys.modules if "." not in name)}
    """
    modules = set(work(plugin("lists", body)).switches["modules"])
    assert "numpy" in modules
    assert modules.isdisjoint({"pandas", "pydantic", "typer", "rich", "matplotlib", "jinja2", "scipy", "torch"})


def test_the_end_is_told_even_if_leaving_would_hang(work: Work, plugin: Callable[..., Path]) -> None:
    """Exit handlers and threads of a framework are not waited for."""
    body = """
        import atexit, threading, time

        atexit.register(time.sleep, 1000)
        threading.Thread(target=time.sleep, args=(1000,)).start()

        class Implementation(Regression):
            pass
    """
    told = work(plugin("clingy", body))
    assert (told.status, told.answer.exit_status) == ("ok", 0)


def test_a_probe_imports_and_trains_nothing(work: Work, plugin: Callable[..., Path]) -> None:
    """It answers whether the plugin can be used, without building it."""
    body = "class Implementation(Regression):\n    def __init__(self):\n        raise RuntimeError('built')\n"
    path = plugin("probed", body)
    told = work(path, request=Import(entry_point(registry.from_file(path))))
    assert (told.status, told.names) == ("ok", ["Ended"])
    path = plugin("probed", "1 / 0")
    assert work(path, request=Import(entry_point(registry.from_file(path)))).status == "failed"


HELD_OUT = """
    import pathlib

    class Implementation(Regression):
        def load(self, data):
            super().load(data)
            self.sizes = (len(data.x_train), len(data.x_test), pathlib.Path(data.root).name[:17])

        def train_epoch(self, order):
            print("order", len(order), *self.sizes)
            return super().train_epoch(order)
"""


def test_images_are_held_out_and_looked_at_on_the_way(work: Work, tiny: Workload, plugin: Callable[..., Path]) -> None:
    """A quarter of 200 images is not trained on; it and the rest are predicted behind the test set, every 4 batches."""
    held = replace(tiny, validation=0.25, evaluate_every=4)
    told = work(plugin(body=HELD_OUT), held, epochs=1)
    assert told.status == "ok"
    rows = told.answer.all(Evaluation)
    assert [(row.epoch, row.batches) for row in rows] == [(0, 0), (1, 4), (1, 8)]
    assert rows[-1].validation_accuracy > rows[0].validation_accuracy
    sizes = [line.split()[1:] for line in told.log.splitlines() if line.startswith("order")]
    assert sizes == [["80", "150", "300", "fcnbench-holdout-"], ["70", "150", "300", "fcnbench-holdout-"]]


def test_a_program_that_shuffles_by_itself_is_not_interrupted(
    work: Work, tiny: Workload, plugin: Callable[..., Path]
) -> None:
    """It trains a whole epoch, and the images held out are looked at before and after it."""
    body = HELD_OUT.replace("(Regression):", "(Regression):\n        takes_order = False")
    told = work(plugin(body=body), replace(tiny, validation=0.25, evaluate_every=4), epochs=1)
    rows = told.answer.all(Evaluation)
    assert [(row.epoch, row.batches) for row in rows] == [(0, 0), (1, 8)]


def test_a_validation_share_that_holds_out_nothing_is_said(
    work: Work, tiny: Workload, plugin: Callable[..., Path]
) -> None:
    """One line with the share, how many images that is, and how many there may be."""
    told = work(plugin(), replace(tiny, validation=0.001))
    assert told.status == "failed"
    assert "validation 0.001 of 200 training images is 0, expected 1 to 199" in told.reason

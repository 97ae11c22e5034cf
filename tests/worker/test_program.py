"""The steps of a program in this very process: what is said when one image and one batch are predicted."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bench.store.records.training import Inference
from bench.worker.process import entry_point
from bench.worker.program import TimedProgram
from bench.worker.requests import Task
from impls import registry
from impls.workload import Workload


def inferred(path: Path, folder: Path, workload: Workload, data: Path) -> list[Inference]:
    """What a plugin's file is timed at after loading; its network is not trained."""
    said: list[Any] = []
    entry = entry_point(replace(registry.from_file(path), packages=()))
    program = TimedProgram(entry, Task(workload, "cpu", 1, str(data)), said.append, folder)
    program.import_()
    program.build()
    program.load()
    program.infer()
    return [message for message in said if isinstance(message, Inference)]


def test_the_call_that_answers_is_kept_as_the_program_says_it(
    tmp_path: Path, tiny: Workload, tiny_data: Path, plugin: Callable[..., Path]
) -> None:
    """It may be another one for one image; what is no text is shown as one."""
    body = """
        class Implementation(Regression):
            @property
            def switches(self):
                return {"predict": "one" if len(self.x_test) == 1 else 2}
    """
    found = inferred(plugin("says", body), tmp_path, tiny, tiny_data)
    assert [(one.images, one.call) for one in found] == [(1, "one"), (tiny.test_batch_size, "2")]


def test_a_program_that_does_not_say_its_call_is_timed_all_the_same(
    tmp_path: Path, tiny: Workload, tiny_data: Path, plugin: Callable[..., Path]
) -> None:
    """As plugins of before; none is made up for it."""
    found = inferred(plugin(), tmp_path, tiny, tiny_data)
    assert [one.call for one in found] == ["", ""] and all(asdict(one)["seconds"] for one in found)

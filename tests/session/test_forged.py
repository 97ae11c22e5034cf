"""Plugins that speak on their worker's own channel: whatever they say there, their cell fails and the session goes on."""

from collections.abc import Callable
from pathlib import Path

import pytest
from children import alone
from synthetic import MACHINE

from bench.report import build
from bench.session.blocks.loop import measure_blocks
from bench.session.plan import Plan
from bench.session.session import Session
from bench.session.verification import verify
from bench.store import archive
from bench.store.records.verification import Verification
from impls import registry
from impls.workload import Workload

pytestmark = pytest.mark.process

FORGE = """
import json, os

def say(kind, /, **values):
    line = json.dumps({{"is": kind, **values}}) + "\\n"
    for descriptor in range(3, 100):  # the channel is the one pipe beside the standard ones
        try:
            if os.readlink(f"/proc/self/fd/{{descriptor}}").startswith("pipe:"):
                os.write(descriptor, line.encode())
        except OSError:
            continue

def epoch(number, **changes):
    figures = {{"train_s": 1.0, "train_cpu_s": 1.0, "predict_s": 1.0, "train_loss": 1.0, "test_loss": 1.0}}
    say("Epoch", epoch=number, **{{**figures, "accuracy": 0.5, "readings": {{}}, **changes}})

class Implementation(Regression):
    def load(self, data):
        super().load(data)
        self.timed = "fcnbench-gate-" not in str(data.root)

    def train_epoch(self, order):
        if self.timed:
            {said}
        return super().train_epoch(order)
"""
FORGED = {
    "hello": ('say("Hello")', "Hello.protocol: Field required"),
    "another protocol": ('say("Hello", protocol=99)', "the worker speaks protocol 99"),
    "no table": ('say("MeterReadings", readings=[1, 2])', "MeterReadings.readings: "),
    "no object": ('say("Versions", versions="2.0")', "Versions.versions: "),
    "unknown fields": ("epoch(1, more=3)", "Epoch: unknown more"),
    "a word": ('epoch(1, train_s="fast")', "Epoch.train_s: "),
    "a word read by a meter": ('epoch(1, readings={"train_energy_j": "much"})', "expected a number"),
    "a number for a text": ('say("Ended", status="ok", reason=1)', "Ended.reason: "),
    "a second epoch 1": ("epoch(1)", "reported the epochs 0, 1, 1"),
    "an epoch after the end": ("epoch(1); epoch(2); say('Whole'); say('Ended', status='ok')", "epochs 0 to 2, expected 0 to 1"),
    "a backward epoch": ("epoch(1); epoch(0)", "reported the epochs 0, 1, 0"),
    "an early end": ("say('Ended', status='ok')", "epochs 0 to 0, expected 0 to 1"),
    "an early end of all": ("say('Whole')\n            os._exit(0)", "epochs 0 to 0, expected 0 to 1"),
    "too few digits": ("epoch(1); say('Predicted', digits='1'); say('Whole'); os._exit(0)", "predicted 1 test images, expected 100"),
    "no digits": ("epoch(1); say('Predicted', digits='x' * 100); say('Whole'); os._exit(0)", ""),
    "not a number": ("epoch(1, train_s=float('nan'))", "said what is no message"),
    "infinity": ("epoch(1, predict_s=float('inf'))", "said what is no message"),
    "negative seconds": ("epoch(1, train_s=-1.0)", "said what no record can hold"),
    "accuracy": ("epoch(1, accuracy=1.5)", "said what no record can hold"),
    "a path": ("say('ModelKept', sha256='../../x')", "hexadecimal"),
    "half a character": ('raise RuntimeError("\\ud800")', "RuntimeError"),
    "an escape": ('raise RuntimeError("\\x1b[31mred\\n\\x1b]0;title\\x07")', "RuntimeError: red"),
    "a huge line": ("say('SwitchesInForce', switches={'much': 'x' * 5_000_000}); say('Nothing')", "Nothing is no message"),
    "many lines": ("[os.close(d) for d in (1, 2)]; raise ValueError('closed')", "ValueError: closed"),
}  # fmt: skip
Prepared = Callable[[str], tuple[Session, Plan]]


@pytest.fixture
def prepared(tmp_path: Path, tiny: Workload, tiny_data: Path, plugin: Callable[..., Path]) -> Prepared:
    """``prepared(said)``: a session with a plugin that says this when its first epoch is timed, and an honest one."""

    def prepared(said: str) -> tuple[Session, Plan]:
        paths = [plugin("forged", FORGE.format(said=said)), plugin("plain")]
        entries = {entry.name: entry for entry in map(registry.from_file, paths)}
        plan = Plan([tiny], list(entries.values()), ["cpu"], [1], 1, 1, 1, "d")
        return Session(tmp_path / "out", entries, tiny_data, MACHINE, 60.0), plan

    return prepared


@pytest.mark.parametrize(("said", "reason"), FORGED.values(), ids=FORGED)
def test_what_is_forged_fails_its_cell(prepared: Prepared, said: str, reason: str) -> None:
    """With one line that says why; what is stored can be read, and its epochs are those that came in order."""
    session, plan = prepared(said)
    with archive.opened(session.directory):
        result = alone(session, next(cell for cell in plan.cells() if cell.implementation == "forged"))
        archive.save(session.directory, result)
    assert result.status == "failed" and reason in result.reason
    assert result.reason.isprintable() and result.reason.encode() and len(result.reason) < 500
    (stored,) = archive.results(session.directory)
    assert stored == result
    assert [epoch.epoch for epoch in stored.epochs] == list(range(len(stored.epochs)))


def test_the_session_goes_on_and_can_be_reported(prepared: Prepared) -> None:
    """The other cells are measured and the report is made."""
    session, plan = prepared("epoch(1); epoch(2, accuracy=0.5); say('MeterReadings', readings={'steal_s': 'much'})")
    with archive.opened(session.directory):
        results = measure_blocks(session, plan.cells(), {}, lambda *_, **__: None)
        build.build(session.directory)
    assert {(result.cell.implementation, result.status) for result in results.values()} >= {
        ("forged", "failed"),
        ("plain", "ok"),
    }


@pytest.mark.parametrize(
    ("raised", "reason"),
    [('RuntimeError("\\ud800")', "RuntimeError"), ('Unavailable("\\x1b[2Jgone")', "gone")],
)
def test_the_reason_of_a_check_is_cleaned(
    prepared: Prepared, plugin: Callable[..., Path], raised: str, reason: str
) -> None:
    """An honest exception with half a character, and one that would clear a terminal."""
    session, plan = prepared("pass")
    plugin("forged", f"class Implementation(Regression):\n    def train_epoch(self, order): raise {raised}\n")
    answers: list[Verification] = []
    with archive.opened(session.directory):
        verify(session, plan, lambda answer, old: answers.append(answer))
        assert archive.records(session.directory, Verification) == answers
    assert [(answer.reason, answer.status) for answer in answers if answer.implementation == "plain"] == [
        ("", "passed")
    ]
    assert [answer.reason for answer in answers if answer.implementation == "forged"] == [reason]

"""Real children, a few lines of Python each, that do what processes do: answer, chatter, crash, hang, leave others.

No time is compared with a clock on the wall: what must not be waited for outlives the test.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from bench.worker import process as worker_process
from bench.worker.answer import KINDS, Answer, decoded, log_tail, signal_name
from bench.worker.interpreters import ROOT
from bench.worker.messages import PROTOCOL, Ended, Hello, ModelKept, Phase, SwitchesInForce
from bench.worker.process import Placement, entry_point
from bench.worker.requests import Start, Task, Train
from impls import registry
from impls.registry import Entry
from impls.workload import Workload

pytestmark = pytest.mark.process

SAY = f"""#!{sys.executable}
import json, os, signal, subprocess, sys, time

def say(kind, /, **values):
    print(json.dumps({{"is": kind, **values}}), flush=True)

def tell(**facts):
    say("SwitchesInForce", switches=facts)

def leave_behind(**how):
    left = subprocess.Popen(["sleep", "1000"], **how)
    tell(left=left.pid)

"""
HELLO = f'say("Hello", protocol={PROTOCOL})\n'
END = 'say("Ended", status="ok", reason="")\n'
LONG_S, SHORT_S = 60.0, 2.0
Run = Callable[..., Answer]


NULL = next(entry for entry in registry.BUILT_IN if entry.name == "null")
TRAIN = Start(entry_point(NULL))


def child(path: Path, code: str) -> Entry:
    """A row whose interpreter is a program that runs this code, whatever it is asked to start."""
    path.write_text(code, encoding="utf-8")
    path.chmod(0o755)
    return replace(NULL, python=str(path))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """``run(code)``: the answer of a child that says ``Hello`` and runs this code."""

    def run(code: str, timeout_s: float = LONG_S, cpus: tuple[int, ...] | None = None, before: str = "") -> Answer:
        entry = child(tmp_path / "child", SAY + before + HELLO + dedent(code))
        mask = tuple(sorted(os.sched_getaffinity(0))) if cpus is None else cpus
        return worker_process.ask(entry, TRAIN, Placement("cpu", mask), tmp_path / "log", timeout_s)

    return run


def told(answer: Answer, name: str) -> Any:
    """What the child told by that name."""
    (value,) = (fact for switches in answer.all(SwitchesInForce) if (fact := switches.switches.get(name)) is not None)
    return value


def test_an_answer_arrives_in_order_and_whole(run: Run) -> None:
    """Messages are as they were said, the exit status is 0 and the child's own word is what counts."""
    answer = run('say("Phase", name="import_s", seconds=1.5)\nsay("ModelKept", sha256="aa" * 32)\n' + END)
    assert answer.messages == (Hello(PROTOCOL), Phase("import_s", 1.5), ModelKept("aa" * 32), Ended("ok"))
    assert answer.exit_status == 0 and answer.outcome == ("ok", "")


def test_the_child_is_sent_its_request(run: Run) -> None:
    """One JSON line on standard input, which stays open after it."""
    request = told(run("tell(request=json.loads(sys.stdin.readline()))"), "request")
    assert request == {"is": "Start", "protocol": PROTOCOL, "entry": {**asdict(TRAIN.entry), "packages": ["numpy"]}}


def test_the_environment_is_added_to_the_parents(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child has what the parent has, with its placement's own variables over it."""
    monkeypatch.setenv("KEPT", "parent")
    monkeypatch.setenv("OMP_NUM_THREADS", "parent")
    answer = run('tell(kept=os.environ["KEPT"], replaced=os.environ["OMP_NUM_THREADS"])', cpus=(0,))
    assert (told(answer, "kept"), told(answer, "replaced")) == ("parent", "1")


JUNK = """
print("Using 2 threads")
print("[1, 2]", 3, "null", '{"name": "half"}', '{"is": "Nothing"}', "[" * 100_000, sep="\\n", flush=True)
os.write(1, b"\\xff\\xfe\\x00\\n")
"""


def test_junk_before_the_first_message_and_after_the_last_is_no_answer(run: Run) -> None:
    """An interpreter may print at its start; text, bytes or JSON of another kind."""
    answer = run(END + JUNK, before=JUNK)
    assert answer.messages == (Hello(PROTOCOL), Ended("ok"))
    assert answer.outcome == ("ok", "")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("print('Using 2 threads', flush=True)", "said what is no message"),
        ("print('[1]', flush=True)", "said what is no message"),
        ('say("Nothing")', "speaks another protocol (Nothing is no message)"),
        ('say("Phase", name="import_s", seconds="1")', "no record can hold (Phase.seconds: "),
        ('say("Phase", name="import_s", seconds=float("nan"))', "said what is no message"),
        ('say("Phase", name="import_s", seconds=1e999)', "said what is no message"),
        ('say("Phase", name="import_s")', "no record can hold (Phase.seconds: "),
        ('say("Phase", name="lunch_s", seconds=1.0)', "no record can hold (Phase.name: "),
        ('say("Ended", status="good", reason="")', "no record can hold (Ended.status: "),
        ('say(["Whole"])', "speaks another protocol (['Whole'] is no message)"),
        ('say("Ended", status="ok", reason="", helpers_cpu_s="much")', "no record can hold (Ended.helpers_cpu_s: "),
        (
            'say("Ended", status="ok", reason="", helpers_cpu_s=-1.0)',
            "no record can hold (Ended: helpers_cpu_s is -1.0",
        ),
        ('say("Whole", more=1)', "no record can hold (Whole: unknown more)"),
        ('say("ModelKept", sha256="../../x")', "no record can hold (ModelKept: sha256 is "),
        (
            'say("MeterReadings", readings={"steal_s": "much"})',
            "no record can hold (MeterReadings: readings.steal_s is 'much'",
        ),
        (
            'say("MeterReadings", readings={"held_bytes": -1})',
            "no record can hold (MeterReadings: readings.held_bytes is -1",
        ),
        ('say("Inference", images=1, first_s=1.0, seconds=[-1.0])', "no record can hold (Inference: seconds is -1.0"),
        ('say("Inference", images=2**64, first_s=1.0, seconds=[1.0])', "no record can hold (Inference: images is "),
        ('say("Phase", name="import_s", seconds=10**400)', "no record can hold (Phase.seconds: "),
        ('print("[" * 100_000, flush=True)', "said what is no message"),
        ('say("Epoch", epoch=True, train_s=1.0, predict_s=1.0, accuracy=1.0)', "no record can hold (Epoch."),
        ('say("MeterReadings", readings={"a_bytes": [1]})', "no record can hold (MeterReadings.readings.a_bytes"),
    ],
)
def test_what_is_no_message_fails_the_answer(run: Run, line: str, why: str) -> None:
    """The reason says what was wrong; what was said before is kept, and nothing that comes after is heard."""
    answer = run(f'say("ModelKept", sha256="aa" * 32)\n{line}\nsay("Whole")\n{END}')
    assert answer.messages == (Hello(PROTOCOL), ModelKept("aa" * 32))
    assert answer.outcome.status == "failed" and why in answer.outcome.reason and "\n" not in answer.outcome.reason


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_line_without_its_values_is_refused(name: str) -> None:
    """Of every kind of message that has any."""
    if name != "Whole":
        with pytest.raises(ValueError, match="no record can hold"):
            decoded(b'{"is": "%s"}\n' % name.encode())


@pytest.mark.parametrize("reason", ["caf\udce9", "\x1b[31mred\x1b[0m \x00", "two\nlines\u2028and\ttabs"])
def test_reasons_are_one_line_that_can_be_stored_and_shown(reason: str) -> None:
    """Without control characters and halves of characters."""
    answer = Answer((Hello(PROTOCOL), Ended("failed", reason)), 0, 1.0, 1.0, 0.1, 0.1)
    assert answer.outcome.reason.isprintable() and answer.outcome.reason.encode()


def test_texts_are_cleaned_when_they_are_heard(run: Run) -> None:
    """Whatever they are part of: halves of characters, escapes of a terminal, control characters, several lines."""
    answer = run(
        """tell(**{"a\\nb": ["caf\\udce9", "\\x1b[31mred\\x1b[0m\\x00", "\\x1b]0;title\\x07one\\n\\ttwo \\u202e"]})"""
    )
    assert told(answer, "a b") == ["caf", "red", "one two"]


def test_a_crash_is_told_with_its_exit_status(run: Run) -> None:
    """What was said before is kept; the reason names the status."""
    answer = run('say("Phase", name="import_s", seconds=1.5)\nsys.exit(77)')
    assert answer.all(Phase) == (Phase("import_s", 1.5),)
    assert answer.exit_status == 77
    status, reason = answer.outcome
    assert status == "failed" and "exit status 77" in reason


def test_leaving_without_an_answer_is_a_failure(run: Run) -> None:
    """Exit status 0 alone is not good: somebody called ``os._exit``."""
    status, reason = run("os._exit(0)").outcome
    assert status == "failed" and "exit status 0" in reason


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGRTMIN + 3])
def test_death_by_a_signal_is_told_with_its_name(run: Run, number: int) -> None:
    """Any signal, those without a name of their own too; SIGKILL comes with what it mostly means."""
    answer = run(f"os.kill(os.getpid(), {int(number)})")
    assert answer.exit_status == -number
    status, reason = answer.outcome
    assert status == "failed" and signal_name(number) in reason
    assert ("out of memory" in reason) is (number == signal.SIGKILL)


def test_a_child_that_hangs_is_killed_with_all_that_it_started(run: Run, ends: Callable[[int], bool]) -> None:
    """The timeout ends the process group, and the reason says what to do about it."""
    answer = run("leave_behind()\ntell(self=os.getpid())\ntime.sleep(1000)", timeout_s=SHORT_S)
    assert answer.exit_status is None
    status, reason = answer.outcome
    assert status == "failed" and "within 2 s" in reason and "--timeout" in reason
    assert ends(told(answer, "self"))
    assert ends(told(answer, "left"))


def test_a_child_that_ignores_signals_is_killed_all_the_same(run: Run, ends: Callable[[int], bool]) -> None:
    """Asking politely would wait for ever."""
    answer = run(
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        tell(self=os.getpid())
        while True:
            time.sleep(1000)
        """,
        timeout_s=SHORT_S,
    )
    assert answer.exit_status is None
    assert ends(told(answer, "self"))


def test_a_child_that_never_stops_talking_is_killed_at_its_time(run: Run) -> None:
    """A channel that always has one more line does not put the deadline off; the child would have ended by itself."""
    answer = run("end = time.time() + 10\nwhile time.time() < end: os.write(1, b'\\n' * 65536)", timeout_s=0.5)
    assert answer.exit_status is None


def test_whoever_holds_the_channel_is_not_waited_for_but_ended(run: Run, ends: Callable[[int], bool]) -> None:
    """A process of the same group that outlives the child, with the channel open, goes with it."""
    answer = run("leave_behind()\n" + END)
    assert answer.outcome == ("ok", "")
    assert ends(told(answer, "left"))


def test_whoever_left_the_group_is_ended_too(run: Run, ends: Callable[[int], bool]) -> None:
    """A daemon in a session of its own, also the child of one that has ended since."""
    daemon = """
        code = "import subprocess; print(subprocess.Popen(['sleep', '1000'], start_new_session=True, stdout=-3).pid)"
        tell(orphan=int(subprocess.check_output([sys.executable, "-c", code])))
        leave_behind(start_new_session=True)
    """
    for end in (END, "os.kill(os.getpid(), signal.SIGKILL)"):
        answer = run(dedent(daemon) + end)
        assert ends(told(answer, "left")) and ends(told(answer, "orphan"))


def test_a_child_that_says_too_much_is_not_heard_for_ever(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says is kept in memory; the reason says how much there may be."""
    monkeypatch.setattr(worker_process, "MOST_BYTES", 100_000)
    answer = run("while True: tell(much='x' * 1000)")
    assert answer.outcome == ("failed", "said more than 100,000 bytes")


@pytest.mark.parametrize("code", ["os.close(0)\n", "sys.stdin.close()\n", ""])
def test_a_child_need_not_read_its_request(run: Run, code: str) -> None:
    """One that closes its input or never looks at it is heard like any other."""
    assert run(code + "time.sleep(0.1)\n" + END).outcome == ("ok", "")


def test_a_child_that_is_dead_before_it_is_sent_anything_is_told_by_its_status(tmp_path: Path) -> None:
    """A request that nobody can take is no error of the parent's."""
    much = Start(
        replace(TRAIN.entry, module="x" * 10_000_000)
    )  # more than a pipe holds: writing it meets the closed end
    entry = child(tmp_path / "child", SAY + "os._exit(9)")
    answer = worker_process.ask(entry, much, Placement.of("cpu"), tmp_path / "log", LONG_S)
    assert answer.exit_status == 9


def test_a_huge_line_passes(run: Run) -> None:
    """Ten megabytes in one message arrive whole."""
    answer = run('tell(much="x" * 10_000_000)\n' + END)
    assert told(answer, "much") == "x" * 10_000_000
    assert answer.outcome == ("ok", "")


def test_half_a_line_is_no_message(run: Run) -> None:
    """A child that dies while it speaks has said what was whole before."""
    half = """print('{"is": "Ended", "sta', end="", flush=True)"""
    answer = run(f'say("Phase", name="import_s", seconds=1.5)\n{half}\nos.kill(os.getpid(), signal.SIGKILL)')
    assert answer.messages == (Hello(PROTOCOL), Phase("import_s", 1.5)) and answer.invalid == ""
    assert answer.outcome[0] == "failed"


def test_what_the_child_prints_on_standard_error_is_in_the_log(run: Run, tmp_path: Path) -> None:
    """The log has it as it was written, and the tail has its last twenty lines, whatever bytes are in it."""
    run("for i in range(100): print('line', i, file=sys.stderr)\nos.write(2, b'\\xff odd')")
    assert (tmp_path / "log").read_bytes().startswith(b"line 0\n")
    tail = log_tail(tmp_path / "log").splitlines()
    assert len(tail) == 20
    assert tail[-2] == "line 99" and tail[-1].endswith(" odd")


def test_the_tail_of_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """A missing log must not hide the reason for which it was looked at."""
    assert log_tail(tmp_path / "none") == ""


def test_the_child_runs_on_its_cpus_and_the_parent_keeps_its_own(run: Run) -> None:
    """The mask is in force before the child's first instruction, and off the parent afterwards."""
    own = os.sched_getaffinity(0)
    answer = run("tell(cpus=sorted(os.sched_getaffinity(0)))", cpus=(max(own),))
    assert told(answer, "cpus") == [max(own)]
    assert os.sched_getaffinity(0) == own


def test_the_parent_keeps_its_cpus_when_nothing_could_be_started(tmp_path: Path) -> None:
    """A command that does not exist raises, and leaves no trace on the parent."""
    own = os.sched_getaffinity(0)
    with pytest.raises(FileNotFoundError):
        entry = replace(NULL, python=str(tmp_path / "no-python"))
        worker_process.ask(entry, TRAIN, Placement("cpu", (max(own),)), tmp_path / "log", LONG_S)
    assert os.sched_getaffinity(0) == own


def test_the_parent_sleeps_while_the_child_runs(run: Run) -> None:
    """Its CPU time is a small share of the wall time: nothing polls while something is timed."""
    answer = run("time.sleep(2)\n" + END)
    assert answer.outcome == ("ok", "")
    assert answer.parent_cpu_s < 0.02 * answer.wall_s


def test_the_childs_cpu_time_is_counted(run: Run) -> None:
    """What it burned is told apart from what the parent used; a sleeping child burns hardly any of its time."""
    busy = run("start = time.process_time()\nwhile time.process_time() < start + 0.5: pass")
    asleep = run("time.sleep(0.5)")
    assert busy.child_cpu_s >= 0.5 > busy.parent_cpu_s
    assert busy.child_cpu_s > asleep.child_cpu_s + 0.3


def test_the_cpu_time_of_a_childs_helpers_is_its_own(run: Run) -> None:
    """A worker tells at its end what its helpers took; they are killed with it, and the system adds them to nobody."""
    burn = "import time\nwhile time.process_time() < 0.5: pass\nprint(flush=True)\ntime.sleep(1000)"
    answer = run(f"""
        sys.path.append({str(ROOT)!r})
        from bench.worker import channel
        helper = subprocess.Popen([sys.executable, "-c", {burn!r}], stdout=subprocess.PIPE)
        helper.stdout.readline()
        say("Ended", status="ok", reason="", helpers_cpu_s=channel.helpers_cpu_s())
        os._exit(0)
        """)
    (ended,) = answer.all(Ended)
    assert ended.helpers_cpu_s > 0.4 and answer.child_cpu_s - ended.helpers_cpu_s > 0.1


def test_the_log_of_an_earlier_child_is_not_kept(run: Run, tmp_path: Path) -> None:
    """A cell that is measured again has a log of its own."""
    run("print('first', file=sys.stderr)")
    run("print('second', file=sys.stderr)")
    assert (tmp_path / "log").read_text() == "second\n"


def test_ctrl_c_in_the_parent_ends_the_child(
    tmp_path: Path, appears: Callable[[Path], str], ends: Callable[[int], bool]
) -> None:
    """KeyboardInterrupt is passed on to the caller, after the child and what it started are gone."""
    code = f"""
        import os, pathlib, subprocess, time
        left = subprocess.Popen(["sleep", "1000"])
        pathlib.Path({str(tmp_path / "pids.new")!r}).write_text(f"{{os.getpid()}} {{left.pid}}")
        os.rename({str(tmp_path / "pids.new")!r}, {str(tmp_path / "pids")!r})
        time.sleep(1000)
    """
    entry = child(tmp_path / "child", f"#!{sys.executable}{dedent(code)}")
    parent = f"""
        import os, pathlib, signal, sys
        from bench.worker import process
        from bench.worker.requests import EntryPoint, Start
        from impls.registry import Entry
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            process.ask({entry!r}, {TRAIN!r}, process.Placement.of("cpu"), pathlib.Path({str(tmp_path / "log")!r}), 600)
        except KeyboardInterrupt:
            print("interrupted")
    """
    process = subprocess.Popen([sys.executable, "-c", dedent(parent)], stdout=subprocess.PIPE, text=True)
    pids = [int(pid) for pid in appears(tmp_path / "pids").split()]
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=LONG_S)
    assert (out, process.returncode) == ("interrupted\n", 0)
    assert all(ends(pid) for pid in pids)


@pytest.mark.parametrize(
    ("phase", "code"),
    [
        ("load", "time.sleep(1000)"),
        ("train_epoch", "time.sleep(1000)"),
        ("train_epoch", "re.match('(a+)+$', 'a' * 60 + 'b')"),  # which lets no other thread of Python run
        ("train_epoch", "os.kill(os.getpid(), signal.SIGSTOP)"),
    ],
    ids=["load", "train_epoch", "locked", "stopped"],
)
def test_a_worker_lives_no_longer_than_its_parent(
    tmp_path: Path,
    phase: str,
    code: str,
    plugin: Callable[..., Path],
    tiny: Workload,
    tiny_data: Path,
    appears: Callable[[Path], str],
    ends: Callable[[int], bool],
) -> None:
    """``kill -9`` of the parent ends it, whatever it is doing, and a daemon that it has started."""
    stuck = plugin(
        "stuck",
        f"""
        import os, pathlib, re, signal, subprocess, time
        class Implementation(Regression):
            def {phase}(self, _):
                left = subprocess.Popen(["sleep", "1000"], start_new_session=True)
                pathlib.Path({str(tmp_path / "pids")!r}).write_text(f"{{os.getpid()}} {{left.pid}}")
                {code}
        """,
    )
    entry = registry.from_file(stuck)
    request = Train(entry_point(entry), Task(tiny, "cpu", 1, str(tiny_data)), 1)
    parent = f"""
        import os, pathlib
        from bench.worker import process
        from bench.worker.requests import EntryPoint, Task, Train, TrainEpoch
        from impls.registry import Entry
        from impls.workload import SGD, Dense, Workload
        worker = process.Worker({entry!r}, process.Placement.of("cpu"), pathlib.Path({str(tmp_path / "log")!r}))
        worker.send({request!r})
        worker.send(TrainEpoch())
        worker.hear(600)
    """
    process = subprocess.Popen([sys.executable, "-c", dedent(parent)])
    pids = [int(pid) for pid in appears(tmp_path / "pids").split()]
    process.kill()
    process.wait()
    assert all(ends(pid) for pid in pids)

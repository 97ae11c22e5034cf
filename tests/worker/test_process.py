"""Real children, a few lines of Python each, that do what processes do: answer, chatter, crash, hang, leave others.

No time is compared with a clock on the wall: what must not be waited for outlives the test.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from textwrap import dedent
from typing import Any

import psutil
import pytest

from bench.worker import messages
from bench.worker import process as worker_process
from bench.worker.process import Answer
from impls import registry
from impls.workload import Workload

SAY = """
import json, os, signal, subprocess, sys, time

def say(name, **values):
    print(json.dumps({"name": name, "values": values}), flush=True)

def leave_behind(**how):
    left = subprocess.Popen(["sleep", "1000"], **how)
    say("left", pid=left.pid)

"""
END = 'say("end", status="ok", reason="")\n'
LONG_S, SHORT_S = 60.0, 2.0
Run = Callable[..., Answer]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """``run(code)``: the answer of a child that runs this code."""

    def run(code: str, timeout_s: float = LONG_S, cpus: tuple[int, ...] | None = None, **environment: str) -> Answer:
        command = (sys.executable, "-c", SAY + dedent(code))
        mask = tuple(sorted(os.sched_getaffinity(0))) if cpus is None else cpus
        return worker_process.launch({"seed": 7}, environment, mask, tmp_path / "log", timeout_s, command)

    return run


@pytest.fixture
def strays() -> Iterator[list[int]]:
    """Processes that a test expects to live on; they are ended after it."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def said(answer: Answer, name: str) -> dict[str, Any]:
    """The values of the one event of that name."""
    (values,) = (event.values for event in answer.events if event.name == name)
    return values


def test_an_answer_arrives_in_order_and_whole(run: Run) -> None:
    """Events are as they were said, the exit status is 0 and the child's own word is what counts."""
    answer = run('say("phase", import_s=1.5)\nsay("epoch", epoch=0)\n' + END)
    assert [event.name for event in answer.events] == ["phase", "epoch", "end"]
    assert answer.events[0].values == {"import_s": 1.5}
    assert answer.exit_status == 0
    assert answer.end(LONG_S) == ("ok", "")


def test_the_child_is_sent_its_request(run: Run) -> None:
    """One JSON line on standard input, which stays open after it."""
    assert said(run('say("got", request=json.loads(sys.stdin.readline()))'), "got") == {"request": {"seed": 7}}


def test_the_environment_is_added_to_the_parents(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child has what the parent has, with the cell's own variables over it."""
    monkeypatch.setenv("KEPT", "parent")
    monkeypatch.setenv("REPLACED", "parent")
    seen = said(run('say("seen", kept=os.environ["KEPT"], replaced=os.environ["REPLACED"])', REPLACED="cell"), "seen")
    assert seen == {"kept": "parent", "replaced": "cell"}


def test_junk_around_the_answer_is_no_answer(run: Run) -> None:
    """Whatever else stands on the channel, text, bytes or JSON of another kind, is passed over."""
    answer = run(
        """
        print("Using 2 threads")
        print("[1, 2]", 3, "null", '{"name": "half"}', '{"other": 1}', sep="\\n", flush=True)
        os.write(1, b"\\xff\\xfe\\x00\\n")
        say("end", status="ok", reason="")
        print("bye", "[" * 100_000, sep="\\n", flush=True)
        """
    )
    assert [event.name for event in answer.events] == ["end"]
    assert answer.end(LONG_S) == ("ok", "")


def test_a_crash_is_told_with_its_exit_status(run: Run) -> None:
    """What was said before is kept; the reason names the status."""
    answer = run('say("phase", import_s=1.5)\nsys.exit(77)')
    assert said(answer, "phase") == {"import_s": 1.5}
    assert answer.exit_status == 77
    status, reason = answer.end(LONG_S)
    assert status == "failed" and "exit status 77" in reason


def test_leaving_without_an_answer_is_a_failure(run: Run) -> None:
    """Exit status 0 alone is not good: somebody called ``os._exit``."""
    status, reason = run("os._exit(0)").end(LONG_S)
    assert status == "failed" and "exit status 0" in reason


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGRTMIN + 3])
def test_death_by_a_signal_is_told_with_its_name(run: Run, number: int) -> None:
    """Any signal, those without a name of their own too; SIGKILL comes with what it mostly means."""
    answer = run(f"os.kill(os.getpid(), {int(number)})")
    assert answer.exit_status == -number
    status, reason = answer.end(LONG_S)
    assert status == "failed" and worker_process.signal_name(number) in reason
    assert ("out of memory" in reason) is (number == signal.SIGKILL)


def test_a_child_that_hangs_is_killed_with_all_that_it_started(run: Run, ends: Callable[[int], bool]) -> None:
    """The timeout ends the process group, and the reason says what to do about it."""
    answer = run('leave_behind()\nsay("self", pid=os.getpid())\ntime.sleep(1000)', timeout_s=SHORT_S)
    assert answer.exit_status is None
    status, reason = answer.end(SHORT_S)
    assert status == "failed" and "within 2 s" in reason and "--timeout" in reason
    assert ends(said(answer, "self")["pid"])
    assert ends(said(answer, "left")["pid"])


def test_a_child_that_ignores_signals_is_killed_all_the_same(run: Run, ends: Callable[[int], bool]) -> None:
    """Asking politely would wait for ever."""
    answer = run(
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        say("self", pid=os.getpid())
        while True:
            time.sleep(1000)
        """,
        timeout_s=SHORT_S,
    )
    assert answer.exit_status is None
    assert ends(said(answer, "self")["pid"])


def test_a_child_that_never_stops_talking_is_killed_at_its_time(run: Run) -> None:
    """A channel that always has one more line does not put the deadline off; the child would have ended by itself."""
    answer = run("end = time.time() + 10\nwhile time.time() < end: os.write(1, b'\\n' * 65536)", timeout_s=0.5)
    assert answer.exit_status is None


def test_whoever_holds_the_channel_is_not_waited_for_but_ended(run: Run, ends: Callable[[int], bool]) -> None:
    """A process of the same group that outlives the child, with the channel open, goes with it."""
    answer = run("leave_behind()\n" + END)
    assert answer.end(LONG_S) == ("ok", "")
    assert ends(said(answer, "left")["pid"])


def test_a_daemon_that_holds_the_channel_is_not_waited_for(run: Run, strays: list[int]) -> None:
    """One that left the group is out of reach; it still runs when the answer is there."""
    answer = run("leave_behind(start_new_session=True)\n" + END)
    strays.append(said(answer, "left")["pid"])
    assert answer.end(LONG_S) == ("ok", "")
    assert psutil.Process(strays[0]).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("code", ["os.close(0)\n", "sys.stdin.close()\n", ""])
def test_a_child_need_not_read_its_request(run: Run, code: str) -> None:
    """One that closes its input or never looks at it is heard like any other."""
    assert run(code + "time.sleep(0.1)\n" + END).end(LONG_S) == ("ok", "")


def test_a_child_that_is_dead_before_it_is_sent_anything_is_told_by_its_status(tmp_path: Path) -> None:
    """A request that nobody can take is no error of the parent's."""
    request = {"much": "x" * 10_000_000}  # more than a pipe holds, so that writing it meets the closed end
    command = (sys.executable, "-c", "import os; os._exit(9)")
    answer = worker_process.launch(request, {}, tuple(os.sched_getaffinity(0)), tmp_path / "log", LONG_S, command)
    assert answer.exit_status == 9


def test_a_huge_line_passes(run: Run) -> None:
    """Ten megabytes in one event arrive whole."""
    answer = run('say("much", text="x" * 10_000_000)\n' + END)
    assert said(answer, "much")["text"] == "x" * 10_000_000
    assert answer.end(LONG_S) == ("ok", "")


def test_half_a_line_is_no_event(run: Run) -> None:
    """A child that dies while it speaks has said what was whole before."""
    half = """print('{"name": "end", "values": {"sta', end="", flush=True)"""
    answer = run(f'say("phase", import_s=1.5)\n{half}\nos.kill(os.getpid(), signal.SIGKILL)')
    assert [event.name for event in answer.events] == ["phase"]
    assert answer.end(LONG_S)[0] == "failed"


def test_what_the_child_prints_on_standard_error_is_in_the_log(run: Run, tmp_path: Path) -> None:
    """The log has it as it was written, and the tail has its last twenty lines, whatever bytes are in it."""
    run("for i in range(100): print('line', i, file=sys.stderr)\nos.write(2, b'\\xff odd')")
    assert (tmp_path / "log").read_bytes().startswith(b"line 0\n")
    tail = worker_process.log_tail(tmp_path / "log").splitlines()
    assert len(tail) == 20
    assert tail[-2] == "line 99" and tail[-1].endswith(" odd")


def test_the_tail_of_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """A missing log must not hide the reason for which it was looked at."""
    assert worker_process.log_tail(tmp_path / "none") == ""


def test_the_child_runs_on_its_cpus_and_the_parent_keeps_its_own(run: Run) -> None:
    """The mask is in force before the child's first instruction, and off the parent afterwards."""
    own = os.sched_getaffinity(0)
    answer = run('say("mask", cpus=sorted(os.sched_getaffinity(0)))', cpus=(max(own),))
    assert said(answer, "mask")["cpus"] == [max(own)]
    assert os.sched_getaffinity(0) == own


def test_the_parent_keeps_its_cpus_when_nothing_could_be_started(tmp_path: Path) -> None:
    """A command that does not exist raises, and leaves no trace on the parent."""
    own = os.sched_getaffinity(0)
    with pytest.raises(FileNotFoundError):
        worker_process.launch({}, {}, (max(own),), tmp_path / "log", LONG_S, (str(tmp_path / "no-python"),))
    assert os.sched_getaffinity(0) == own


def test_the_parent_sleeps_while_the_child_runs(run: Run) -> None:
    """Its CPU time is a small share of the wall time: nothing polls while something is timed."""
    answer = run("time.sleep(2)\n" + END)
    assert answer.end(LONG_S) == ("ok", "")
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
        from bench import worker
        helper = subprocess.Popen([sys.executable, "-c", {burn!r}], stdout=subprocess.PIPE)
        helper.stdout.readline()
        say("end", status="ok", reason="", helpers_cpu_s=worker.helpers_cpu_s())
        os._exit(0)
        """)
    own = answer.child_cpu_s - said(answer, "end")["helpers_cpu_s"]
    assert said(answer, "end")["helpers_cpu_s"] > 0.4 and own > 0.1


def test_the_log_of_an_earlier_child_is_not_kept(run: Run, tmp_path: Path) -> None:
    """A cell that is measured again has a log of its own."""
    run("print('first', file=sys.stderr)")
    run("print('second', file=sys.stderr)")
    assert (tmp_path / "log").read_text() == "second\n"


def test_ctrl_c_in_the_parent_ends_the_child(
    tmp_path: Path, appears: Callable[[Path], str], ends: Callable[[int], bool]
) -> None:
    """KeyboardInterrupt is passed on to the caller, after the child and what it started are gone."""
    child = f"""
        import os, pathlib, subprocess, time
        left = subprocess.Popen(["sleep", "1000"])
        pathlib.Path({str(tmp_path / "pids.new")!r}).write_text(f"{{os.getpid()}} {{left.pid}}")
        os.rename({str(tmp_path / "pids.new")!r}, {str(tmp_path / "pids")!r})
        time.sleep(1000)
    """
    parent = f"""
        import os, pathlib, signal, sys
        from bench import launch
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            launch.launch({{}}, {{}}, tuple(os.sched_getaffinity(0)), pathlib.Path({str(tmp_path / "log")!r}), 600,
                          (sys.executable, "-c", {dedent(child)!r}))
        except KeyboardInterrupt:
            print("interrupted")
    """
    process = subprocess.Popen([sys.executable, "-c", dedent(parent)], stdout=subprocess.PIPE, text=True)
    pids = [int(pid) for pid in appears(tmp_path / "pids").split()]
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=LONG_S)
    assert (out, process.returncode) == ("interrupted\n", 0)
    assert all(ends(pid) for pid in pids)


@pytest.mark.parametrize("phase", ["load", "train_epoch"])
def test_a_worker_lives_no_longer_than_its_parent(
    tmp_path: Path,
    phase: str,
    plugin: Callable[..., Path],
    tiny: Workload,
    tiny_data: Path,
    appears: Callable[[Path], str],
    ends: Callable[[int], bool],
) -> None:
    """``kill -9`` of the parent closes the worker's input, which ends it, whatever it is doing."""
    stuck = plugin(
        "stuck",
        f"""
        import os, pathlib, time
        class Implementation(Regression):
            def {phase}(self, _):
                pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(os.getpid()))
                time.sleep(1000)
        """,
    )
    request = messages.request(
        "measure", registry.from_file(stuck), workload=asdict(tiny), device="cpu", seed=1, data=str(tiny_data), epochs=1
    )
    parent = f"""
        import os, pathlib
        from bench import launch
        launch.launch({request!r}, {{}}, tuple(os.sched_getaffinity(0)), pathlib.Path({str(tmp_path / "log")!r}), 600)
    """
    process = subprocess.Popen([sys.executable, "-c", dedent(parent)])
    pid = int(appears(tmp_path / "pid"))
    process.kill()
    process.wait()
    assert ends(pid)

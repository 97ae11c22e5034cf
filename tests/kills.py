"""Sessions that are killed, by every signal, at any moment and inside a save; what is left of them afterwards.

``python tests/kills.py 60`` prints how many kills there were of each kind, and every rule that one has broken.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil
from conftest import PLAIN, PLUGIN, TINY_TOML

from bench import files
from bench.data import mnist
from bench.errors import FcnBenchError
from bench.store import archive

ROOT = Path(__file__).parents[1]
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL)
PATIENCE_S = 2.0
LONGEST_S = 120.0
TOKEN = "FCNBENCH_KILLS"
"""A variable that everything of a run inherits."""
HOOK = """
import os, signal, sys

who, number, left = os.environ["FCNBENCH_KILL"].split()
mine = {"parent": "bench.cli.main", "child": "bench.worker.main"}[who] in sys.orig_argv
left = int(left)

def watched(function):
    def called(*arguments, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), int(number))
        return function(*arguments, **named)
    return called

if mine:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.fsync, os.replace = watched(os.fsync), watched(os.replace)
"""
"""Kills its own process at one of the two steps of a save: once all is written, and before it gets its name."""


@dataclass
class Site:
    """Where a session lies, with all that it needs, and what was finished in it before."""

    folder: Path
    finished: dict[str, bytes] = field(default_factory=dict)
    rounds: int = 0

    @property
    def out(self) -> Path:
        """The result directory; a fresh one after each session that has come to its end."""
        return self.folder / f"out-{self.rounds}"

    def start(self, hook: str = "") -> "subprocess.Popen[bytes]":
        """A quick session of four cells; ``hook`` is for :data:`HOOK`."""
        paths = [str(ROOT), *([str(self.folder / "hook")] if hook else [])]
        return subprocess.Popen(
            [
                sys.executable, "-c", LISTENING, "-m", "bench.cli.main", "run", "--implementation", "plain",
                "--plugin", str(self.folder / "plain.py"), "--workloads", str(self.folder / "networks.toml"),
                "--data", str(self.folder / "data"), "--device", "cpu", "--threads", "1", "--blocks", "2",
                "--epochs", "3", "--out", str(self.out),
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
            env={
                **os.environ, TOKEN: str(self.folder), "TMPDIR": str(self.folder / "tmp"),
                "PYTHONPATH": os.pathsep.join(paths), "FCNBENCH_KILL": hook,
            },
        )  # fmt: skip


LISTENING = (
    "import runpy, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "sys.argv = sys.argv[2:]; runpy.run_module('bench.cli.main', run_name='__main__')"
)
"""Ctrl-C is listened to, whatever this script was started by."""


def prepare(folder: Path) -> Site:
    """Small data, a plugin, a network and the hook."""
    (folder / "plain.py").write_text(PLUGIN + PLAIN)
    (folder / "networks.toml").write_text(TINY_TOML)
    for name in ("tmp", "hook", "data"):
        (folder / name).mkdir()
    (folder / "hook" / "sitecustomize.py").write_text(HOOK)
    draw = np.random.default_rng(1)
    sets = [(draw.integers(0, 255, (n, 28, 28), np.uint8), (np.arange(n) % 10).astype(np.uint8)) for n in (200, 100)]
    mnist.write(folder / "data", *sets[0], *sets[1])
    return Site(folder)


def left_behind(site: Site, within_s: float) -> list[str]:
    """What still runs, or is stopped, of a session that has ended so long ago."""
    deadline = time.monotonic() + within_s
    while True:
        running = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(TOKEN) == str(site.folder) and process.status() != psutil.STATUS_ZOMBIE:
                    running.append(f"{process.pid} {process.status()} {' '.join(process.cmdline())[:80]}")
            except (psutil.Error, OSError):
                continue
        if not running or time.monotonic() > deadline:
            return running
        time.sleep(0.02)


def workers(parent: int) -> list[psutil.Process]:
    """The workers of a session that live."""
    try:
        children = psutil.Process(parent).children()
        return [child for child in children if "bench.worker.main" in child.cmdline()]
    except psutil.Error:
        return []


@dataclass(frozen=True)
class Kill:
    """Who gets which signal: at the ``step``-th step of its saves, or after ``after_s`` seconds where that is 0.

    Who is ``parent``, ``child``, or ``stopped``: the parent, while its child is stopped.
    """

    who: str
    number: signal.Signals
    step: int = 0
    after_s: float = 0.0

    @property
    def way(self) -> str:
        """Who, the signal, and when."""
        return f"{self.who} {self.number.name} {'inside a save' if self.step else 'at any moment'}"

    def of(self, site: Site) -> tuple[int, str]:
        """Start or continue the session and kill it once; its exit status and the last line of its errors."""
        process = site.start(f"{self.who} {int(self.number)} {self.step}" if self.step else "")
        if not self.step:
            deadline = time.monotonic() + self.after_s
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            children = []
            while self.who != "parent" and process.poll() is None and not (children := workers(process.pid)):
                time.sleep(0.01)
            if self.who == "stopped" and children:
                children[-1].send_signal(signal.SIGSTOP)
            (children[-1] if self.who == "child" and children else process).send_signal(self.number)
        _, errors = process.communicate(timeout=LONGEST_S)
        return process.returncode, "".join(errors.decode().splitlines()[-1:])


def drawn(draw: random.Random, length_s: float) -> Kill:
    """Any of them; half of those that can be are inside a save."""
    who = draw.choice(("parent", "parent", "child", "stopped"))
    if who != "stopped" and draw.random() < 0.5:
        return Kill(who, draw.choice(SIGNALS), draw.randint(1, 20 if who == "parent" else 3))
    return Kill(who, draw.choice(SIGNALS), 0, draw.uniform(0.2, length_s))


def broken_rules(site: Site, status: int, error: str) -> Iterator[str]:
    """What is wrong after a session has ended, of itself or not."""
    yield from (f"left running: {process}" for process in left_behind(site, PATIENCE_S))
    for path in site.out.rglob("*.json"):
        try:
            json.loads(path.read_text())
        except ValueError:
            yield f"half a file: {path}"
    try:
        results = archive.everything(site.out) if archive.has_results(site.out) else []
    except FcnBenchError as damage:
        yield f"cannot be read: {damage}"
        return
    cells = {path.name: path.read_bytes() for path in (site.out / "cells").glob("*.json")}
    for name, content in site.finished.items():
        if cells.get(name) != content:
            yield f"lost or changed: {name}"
    site.finished |= {
        f"{result.cell.key}.json": cells[f"{result.cell.key}.json"] for result in results if result.status == "ok"
    }
    if "unexpected" in error or "Traceback" in error:
        yield f"not our own words: {error}"
    if status == 0:
        yield from unclean(site, len(results))


def unclean(site: Site, cells: int) -> Iterator[str]:
    """What is wrong with a session that has come to its end; the next one has a fresh directory."""
    if cells != 4:
        yield f"{cells} cells of 4"
    unfinished = [*site.out.rglob(files.UNFINISHED.format("*")), *site.out.glob(archive.SCRATCH)]
    yield from (f"left in the directory: {path}" for path in unfinished)
    yield from (f"left among temporary files: {path}" for path in (site.folder / "tmp").iterdir())
    site.rounds, site.finished = site.rounds + 1, {}


def kill_sessions(folder: Path, kills: Iterable[Kill]) -> tuple[Counter[str], list[str]]:
    """Kill a session each time, then let the last one end: how often which way, and the rules that were broken."""
    site, ways, broken = prepare(folder), Counter[str](), list[str]()
    for kill in kills:
        status, error = kill.of(site)
        ways[f"{kill.way}{', too late' if status == 0 else ''}"] += 1
        broken += [f"{kill.way} (status {status}): {rule}" for rule in broken_rules(site, status, error)]
    process = site.start()
    _, errors = process.communicate(timeout=LONGEST_S)
    broken += [f"at the end: {rule}" for rule in broken_rules(site, process.returncode, errors.decode())]
    if process.returncode:
        broken.append(f"at the end: exit status {process.returncode}: {errors.decode()[-200:]}")
    return ways, broken


def main(arguments: Sequence[str]) -> None:
    """Print the figures."""
    number, draw = int(arguments[0]), random.Random(int(arguments[1]) if len(arguments) > 1 else 1)
    with TemporaryDirectory(prefix="kills-") as folder:
        ways, broken = kill_sessions(Path(folder), [drawn(draw, length_s=10.0) for _ in range(number)])
    for way, times in sorted(ways.items()):
        print(f"{times:5} {way}")
    print(f"{ways.total():5} kills, {len(broken)} rules broken", *broken, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])

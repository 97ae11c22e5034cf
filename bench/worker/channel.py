"""The child's end of the pipe: its messages, its requests, and how a job ends."""

import ctypes
import os
import queue
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psutil

from bench.display.text import one_line
from bench.store.records.cell import Status
from bench.worker import messages, requests
from impls.contract import Unavailable

LONGEST = 300
"""Characters of a reason; an exception's message may be of any length."""
PR_SET_PDEATHSIG = 1
"""Of ``prctl`` in ``linux/prctl.h``."""
LINES: "queue.SimpleQueue[str]" = queue.SimpleQueue()
"""What the parent has sent and nobody has received yet; a process has one parent."""


def die_with_parent(parent: int) -> None:
    """Have Linux kill this process when its parent dies, also while it is stopped or holds the interpreter's lock.

    What counts is the end of the *thread* that started it. Ends at once where the parent has died before this call;
    between the two of them may be the program that ``--python`` names.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent and parent not in [ancestor.pid for ancestor in psutil.Process().parents()]:
        os._exit(3)


def helpers_cpu_s() -> float:
    """CPU seconds of the processes that this one started and that still live, such as a compiler's pool.

    The system counts them nowhere as this process's: it never waits for them.
    """
    spent = 0.0
    for helper in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # ended since
            spent += sum(helper.cpu_times()[:4])  # its own and that of its ended children, in user and system mode
    return spent


@dataclass
class Ending:
    """How a piece of work ended; filled in when it has."""

    status: Status = "ok"
    reason: str = ""


@contextmanager
def ending(packages: Sequence[str]) -> Iterator[Ending]:
    """How the block ends; nothing that it raises gets out. A package of ``packages`` that is missing skips it."""
    end = Ending()
    try:
        yield end
    except Unavailable as missing:
        end.status, end.reason = "skipped", message(missing)
    except ModuleNotFoundError as missing:
        log_traceback()
        end.status = "skipped" if missing.name in packages else "failed"
        end.reason = f"{missing.name} is not installed" if missing.name else message(missing)
    except MemoryError:
        log_traceback()
        end.status, end.reason = "failed", "out of memory (MemoryError)"
    except BaseException as error:  # a plugin may raise anything, SystemExit too; all of it is this cell's answer
        log_traceback()
        end.status, end.reason = "failed", f"{type(error).__name__}: {message(error)}".removesuffix(": ")


def message(error: BaseException) -> str:
    """An exception's message on one line, at most :data:`LONGEST` characters of it."""
    return one_line(str(error))[:LONGEST]


def log_traceback() -> None:
    """Print the exception that is being handled; where a program has closed standard error, it is not kept."""
    with suppress(OSError, ValueError):
        traceback.print_exc()


def take_answer_channel() -> messages.Send:
    """Keep standard output for messages alone and send all that is printed from now on to the log."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def send(message: Any) -> None:
        answers.write(messages.encode(message))
        answers.flush()  # the parent may be waiting for it, and the process may die next

    return send


def listen() -> None:
    """Pass on what the parent sends, and end when standard input closes: it has died, by whatever cause."""
    for line in sys.stdin:
        LINES.put(line)
    os._exit(3)


def receive() -> Any:
    """The next request or step; waits for it."""
    return requests.decode_request(LINES.get())

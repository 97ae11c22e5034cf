"""The child's end of the pipe: its answers, its requests, and how a job ends."""

import json
import os
import queue
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any

import psutil

from bench.worker.messages import Emit, Event
from impls.contract import Unavailable


def helpers_cpu_s() -> float:
    """CPU seconds of the processes that this one started and that still live, such as a compiler's pool.

    The system counts them nowhere as this process's: it never waits for them.
    """
    spent = 0.0
    for helper in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # ended since
            spent += sum(helper.cpu_times()[:4])  # its own and that of its ended children, in user and system mode
    return spent


@contextmanager
def ended(request: dict[str, Any]) -> Iterator[dict[str, str]]:
    """How the block ends: ``status`` and ``reason`` are filled in when it has, and nothing that it raises gets out."""
    end = {"status": "ok", "reason": ""}
    try:
        yield end
    except Unavailable as missing:
        end |= {"status": "skipped", "reason": one_line(missing)}
    except ModuleNotFoundError as missing:
        traceback.print_exc()
        known = missing.name in request["packages"]
        reason = f"{missing.name} is not installed" if missing.name else one_line(missing)
        end |= {"status": "skipped" if known else "failed", "reason": reason}
    except MemoryError:
        traceback.print_exc()
        end |= {"status": "failed", "reason": "out of memory (MemoryError)"}
    except BaseException as error:  # a plugin may raise anything, SystemExit too; all of it is this cell's answer
        traceback.print_exc()
        end |= {"status": "failed", "reason": f"{type(error).__name__}: {one_line(error)}"}


def take_answer_channel() -> Emit:
    """Keep standard output for events alone and send all that is printed from now on to the log."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def emit(event: Event) -> None:
        answers.write(json.dumps(asdict(event)) + "\n")
        answers.flush()

    return emit


def listen(questions: "queue.SimpleQueue[dict[str, Any]]") -> None:
    """Pass on what is asked, and end when standard input closes: the parent has died, by whatever cause."""
    for line in sys.stdin:
        questions.put(json.loads(line))
    os._exit(3)


def one_line(error: BaseException) -> str:
    """An exception's message on one line, at most 300 characters."""
    return " ".join(str(error).split())[:300]

"""What a worker said and how it ended: its lines become checked messages, and the messages a status."""

import json
import os
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import IO, Annotated, Any, NamedTuple, TypeVar, Union

from pydantic import ConfigDict, Discriminator, Tag, TypeAdapter, ValidationError

from bench.display.text import one_line
from bench.store.formats import problem
from bench.store.records import training
from bench.store.records.cell import Readings, Status
from bench.store.records.export import Export
from bench.store.records.floor import Part
from bench.store.records.probe import Mode
from bench.store.records.sweep import SweepPoint
from bench.store.records.verification import Check
from bench.worker import messages
from bench.worker.messages import PROTOCOL, Ended, Hello, Logits, PartEnded, Whole

KINDS: Mapping[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        Hello, messages.Phase, messages.Versions, messages.SwitchesInForce, messages.MeterReadings, messages.ModelKept,
        Whole, messages.StepDone, messages.BreakdownImages, messages.BreakdownRound, messages.DefaultMode,
        messages.LostMode, messages.DebuggingTools, Logits, PartEnded, Ended,
        training.Epoch, training.Evaluation, training.Predicted, training.Inference,
        Part, SweepPoint, Check, Mode, Export,
    )
}  # fmt: skip
"""Everything that a worker may say; records travel as they are stored."""
TAGGED: Any = tuple(Annotated[kind, Tag(name)] for name, kind in KINDS.items())
MESSAGES: TypeAdapter[Any] = TypeAdapter(
    Annotated[Union[TAGGED], Discriminator(lambda values: values["is"])],  # noqa: UP007  # made from a table
    config=ConfigDict(strict=True, allow_inf_nan=False),
)
M = TypeVar("M")
LOG_TAIL_LINES = 20
LONGEST_REASON = 400
"""Characters; an exception's message may be of any length."""
ONE_VERSION = f"this is protocol {PROTOCOL}: use one version of fcnbench for both"


class Outcome(NamedTuple):
    """How something ended that a worker was asked for, and why, where it is not ``ok``."""

    status: Status
    reason: str = ""


@dataclass(frozen=True)
class Answer:
    """What a worker said and how it ended. ``exit_status`` is negative for a signal, None if it had to be killed.

    ``invalid`` is what was wrong with the first line that is no message; nothing that came after it is heard.
    ``child_cpu_s`` is the CPU time of the child and of all that it started and waited for, or still had at its end.
    ``readings`` are what the parent's meters read around the process.
    """

    messages: tuple[Any, ...]
    exit_status: int | None
    timeout_s: float
    wall_s: float
    parent_cpu_s: float
    child_cpu_s: float
    invalid: str = ""
    started: str = ""
    readings: Readings = field(default_factory=dict)

    def all(self, kind: type[M]) -> tuple[M, ...]:
        """The messages of one kind, in their order."""
        return tuple(message for message in self.messages if isinstance(message, kind))

    def last(self, kind: type[M], default: M) -> M:
        """The last message of a kind, which counts where it was said again; the default where there is none."""
        return (default, *self.all(kind))[-1]

    def parts(self, kind: type[Logits] | type[PartEnded], number: int) -> list[Any]:
        """How each of ``number`` things ended that the worker was asked for at once.

        Those that it did not come to have the status with which it ended, and that is not ``ok``.
        """
        status, reason = self.outcome
        missing = kind("failed" if status == "ok" else status, reason)
        return [*self.all(kind), *[missing] * number][:number]

    def checks(self) -> tuple[list[tuple[list[Check], Outcome]], list[Check]]:
        """The checks of each network that was done with, and how they ended; those that belong to none."""
        parts: list[tuple[list[Check], Outcome]] = []
        checks: list[Check] = []
        for message in self.messages:
            if isinstance(message, Check):
                checks.append(message)
            elif isinstance(message, PartEnded):
                parts.append((checks, Outcome(message.status, message.reason)))
                checks = []
        return parts, checks

    @property
    def ended(self) -> bool:
        """Whether the process said itself how it ended."""
        return bool(self.all(Ended))

    @property
    def outcome(self) -> Outcome:
        """Status and reason of what was asked: ``ok`` from the moment on when all of it had been answered."""
        return Outcome("ok") if self.all(Whole) else self.last_word

    @property
    def unfinished(self) -> str:
        """Why what follows upon a whole cell did not come to its end; empty where it did, or there was none."""
        return self.last_word.reason if self.all(Whole) else ""

    @property
    def last_word(self) -> Outcome:
        """Status and reason of the process: the child's own word, or what its death says."""
        for hello in self.all(Hello):
            if hello.protocol != PROTOCOL:
                return Outcome("failed", f"the worker speaks protocol {hello.protocol}, {ONE_VERSION}")
        if self.invalid:
            return Outcome("failed", one_line(self.invalid)[:LONGEST_REASON])
        for ended in self.all(Ended):
            return Outcome(ended.status, one_line(ended.reason)[:LONGEST_REASON])
        return Outcome("failed", self.death)

    @property
    def death(self) -> str:
        """What became of a process that did not say how it ended."""
        if self.exit_status is None:
            return f"no answer within {self.timeout_s:g} s: killed (give it more with --timeout)"
        if self.exit_status < 0:
            name = signal_name(-self.exit_status)
            return f"the process was ended by {name}" + (": often the system, out of memory" * (name == "SIGKILL"))
        unknown = "" if self.messages else f"; it did not say which protocol it speaks, {ONE_VERSION}"
        return f"the process ended with exit status {self.exit_status} before it had answered{unknown}"


def helpers_cpu_s(messages: Iterable[Any]) -> float:
    """CPU seconds of processes that the worker still had at its end."""
    return sum(message.helpers_cpu_s for message in messages if isinstance(message, Ended))


def understood(lines: Iterable[bytes]) -> tuple[tuple[Any, ...], str]:
    """The messages among a worker's lines, and what is wrong with the line that ends them too early, if one does.

    Lines before ``Hello`` are not the worker's: an interpreter may print at its start. Nor is what follows upon
    ``Ended``, or a line that is not whole, since its process died over it.
    """
    heard: list[Any] = []
    for line in lines:
        if not line.endswith(b"\n"):
            break
        try:
            message = decoded(line)
        except ValueError as error:
            if heard:
                return tuple(heard), str(error)
            continue
        if heard or isinstance(message, Hello):
            heard.append(message)
        if isinstance(message, Ended) or (isinstance(message, Hello) and message.protocol != PROTOCOL):
            break
    return tuple(heard), ""


def decoded(line: bytes) -> Any:
    """The message of a line, checked: its kind, the names, types and bounds of its values. Raises ValueError.

    All its texts are cleaned here, so that none of them has to be where it is shown.
    """
    try:
        values = cleaned(json.loads(line.decode()))
        kind = values["is"]
        again = json.dumps(values, allow_nan=False)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"said what is no message ({error}), {ONE_VERSION}") from error
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"speaks another protocol ({kind} is no message), {ONE_VERSION}")
    if unknown := values.keys() - {"is", *(each.name for each in fields(KINDS[kind]))}:
        raise ValueError(f"said what no record can hold ({kind}: unknown {', '.join(sorted(unknown))})")
    try:
        return MESSAGES.validate_json(again)
    except ValidationError as error:
        raise ValueError(
            f"said what no record can hold ({problem(error)}); see the contract in CONTRIBUTING.md"
        ) from error


def cleaned(values: Any) -> Any:
    """The values of a message with every text on one line that can be shown."""
    match values:
        case str():
            return one_line(values)
        case list():
            return [cleaned(value) for value in values]
        case dict():
            return {one_line(name): cleaned(value) for name, value in values.items()}
    return values


def signal_name(number: int) -> str:
    """``SIGKILL`` for 9; the real-time signals have a number only."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def log_tail(log: Path) -> str:
    """The last lines of a log, as text."""
    try:
        with log.open("rb") as file:
            return tail(file)
    except OSError:
        return ""


def tail(file: IO[bytes]) -> str:
    """The last lines of an open log, as text."""
    file.seek(0, os.SEEK_END)
    file.seek(max(0, file.tell() - 8192))
    text = file.read().decode("utf-8", errors="replace")
    return "\n".join(text.splitlines()[-LOG_TAIL_LINES:])


def last_line(text: str) -> str:
    """The last line of a text, as part of a reason."""
    return one_line("".join(text.splitlines()[-1:]))

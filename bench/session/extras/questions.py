"""Questions that are asked once, and whose answers are kept while they hold."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.session import digest
from bench.session.plan import Plan
from bench.store import archive
from bench.store.records.breakdown import Breakdown
from bench.store.records.export import StoredExport
from bench.store.records.probe import Probe
from bench.worker import interpreters
from impls.registry import Entry
from impls.workload import Workload

Extra = Probe | Breakdown | StoredExport


@dataclass(frozen=True)
class ExtraQuestion:
    """What may have to be asked: the record without an answer, a line that announces it, and who gets the answer."""

    record: Extra
    line: str
    ask: Callable[[], Extra]


def ask_all(questions: Iterable[ExtraQuestion], directory: Path, fresh: bool, say: Callable[[str], None]) -> None:
    """Ask what was not answered before, or no longer holds, and keep each answer; ``say`` is called with each line.

    What fails or is missing is kept as such and fails no run.
    """
    stored: dict[type[Extra], dict[str, Extra]] = {}
    for question in questions:
        kind = type(question.record)
        if kind not in stored:
            stored[kind] = {} if fresh else {old.file_name: old for old in archive.records(directory, kind)}
        old = stored[kind].get(question.record.file_name)
        if old is None or old.digest != question.record.digest or old.status != "ok":
            say(question.line)
            archive.save_record(directory, question.ask())


def answer_digest(job: str, entry: Entry, workload: Workload, plan: Plan, variables: Mapping[str, str]) -> str:
    """What would change an answer: code, versions, data, the environment."""
    versions = interpreters.versions(entry)
    return digest.of_job(job, [entry.module], asdict(workload), plan.data, versions, variables)

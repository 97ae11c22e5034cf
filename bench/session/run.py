"""A run from beginning to end. Each of its stages goes on where an earlier run of the same directory ended."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.session import extras, progress, sizing
from bench.session.blocks.loop import measure_blocks
from bench.session.choice import Options
from bench.session.forecast import Forecast, unanswered
from bench.session.plan import Plan
from bench.session.session import Say, Session
from bench.session.verification import verifications, verify
from bench.store import archive, predictions, sources
from bench.store.records.cell import Result
from bench.store.records.training import TrainingResult
from bench.store.records.verification import Verification

REPEATED = 5
"""One block in so many may be measured again where something disturbed it, unless another number is given."""
Answer = Callable[[], None]
"""Shows what is answered so far: called whenever a stage is complete and others follow."""


def extra(plan: Plan, session: Session, options: Options, say: Say) -> None:
    """Measure what stands beside the training runs: probes, breakdowns, exports."""
    extras.ask(plan, session, archive.trained(archive.everything(session.directory)), options.fresh, say)


def run(plan: Plan, session: Session, options: Options, say: Say, answer: Answer) -> bool:
    """Verify and measure whatever of the plan is not stored yet, stage by stage; ``answer`` shows what each has found.

    The directory must be open. Returns whether all cells of the plan are without failure, and all implementations do
    the same work. Raises FcnBenchError where the directory holds what cannot be compared with the plan.
    """
    out, cells = session.directory, plan.cells()
    done = [] if options.fresh or not archive.has_results(out) else archive.everything(out)
    archive.check_same_terms(cells, done, session.machine.machine, out)
    archive.save_record(out, session.machine)
    kept = archive.finished(done, options.fresh)
    asked = unanswered(plan, verifications(out))
    forecast = Forecast(cells, kept, plan.repeated_s, asked, options.with_extras)
    say(progress.introduction(plan, session.machine.cpu, forecast.left.total(), out, forecast.seconds_left()))

    plan = Course(plan, session, options, say, answer, forecast).run(kept)
    results = archive.everything(out)
    predictions.keep(out, session.data, archive.trained(results), plan.data)
    sources.keep(out, plan.entries)
    planned = {cell.key for cell in plan.cells()}
    failed = any(result.status == "failed" for result in results if result.cell.key in planned)
    return not failed and not any(verified.status == "failed" for verified in verifications(out))


@dataclass
class Course:
    """The stages of a run: the work of each is verified, measured and answered before the next begins."""

    plan: Plan
    session: Session
    options: Options
    say: Say
    answer: Answer
    forecast: Forecast

    def run(self, kept: Mapping[str, Result]) -> Plan:
        """Verify, then measure what is not ``kept``; the plan that was carried out in the end.

        Where a precision or a time decides on the number of blocks, ``plan.blocks`` are the pilot, and no figure that
        is measured after it has a say in that number. What failed in the pilot is not tried twice.
        """
        results, pilot = dict(kept), sizing.needed(self.options)
        if pilot:
            verified_s = 0.0
            for stage in self.plan.stages():
                verified_s += self.verify(stage)
                results = self.measure(stage, results)
            self.size(archive.trained(results.values()), verified_s)
        for stage in self.plan.stages():
            if not pilot:
                self.verify(stage)
            results = self.measure(stage, results)
            if stage != self.plan.stages()[-1]:
                self.answer()
        return self.plan

    def verify(self, stage: int) -> float:
        """Ask whether the implementations of a stage do the same work; the seconds that took."""
        started = latest = time.monotonic()

        def answered(answer: Verification, old: bool) -> None:
            nonlocal latest
            self.say(progress.answered(answer, old))
            if not old:
                self.forecast.verified(time.monotonic() - latest)
            latest = time.monotonic()

        verify(self.session, replace(self.plan, entries=self.plan.entries_of(stage)), answered)
        return time.monotonic() - started

    def measure(self, stage: int, results: Mapping[str, Result]) -> dict[str, Result]:
        """Measure the blocks of a stage; all results by key."""
        blocks, cells = self.plan.blocks, self.plan.cells([stage])
        repeats = blocks // REPEATED if self.options.repeats is None else self.options.repeats
        return measure_blocks(self.session, cells, results, self.say, repeats, self.plan.repeated_s, self.forecast)

    def size(self, pilot: Sequence[TrainingResult], verified_s: float) -> None:
        """Fix the number of blocks, and keep it."""
        out = self.session.directory
        size = sizing.decided(pilot, verifications(out), self.options, self.plan.blocks, verified_s)
        self.say(progress.sized(size))
        archive.save_size(out, size)
        new = range(self.plan.blocks + 1, size.blocks + 1)
        self.plan = replace(self.plan, blocks=size.blocks)
        self.forecast.again(cell for cell in self.plan.cells() if cell.block in new)

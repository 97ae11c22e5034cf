"""The stages of a run: the work of each is verified, measured and answered before the next begins."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.session import progress, sizing
from bench.session.blocks.loop import measure_blocks
from bench.session.verification import verifications, verify
from bench.store import archive

if TYPE_CHECKING:
    from bench.session.blocks.forecast import Forecast
    from bench.session.choice import Options
    from bench.session.plan import Plan
    from bench.session.session import Say, Session
    from bench.store.records.cell import Result
    from bench.store.records.training import TrainingResult
    from bench.store.records.verification import Verification

REPEATED = 5
"""One block in so many may be measured again where something disturbed it, unless another number is given."""
Answer = Callable[[], None]
"""Shows what is answered so far: called whenever a stage is complete and others follow."""


@dataclass
class Course:
    """The stages of a run: the work of each is verified, measured and answered before the next begins."""

    plan: "Plan"
    session: "Session"
    options: "Options"
    say: "Say"
    answer: Answer
    forecast: "Forecast"

    def run(self, kept: "Mapping[str, Result]") -> "Plan":
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

        def answered(answer: "Verification", old: bool) -> None:
            nonlocal latest
            self.say(progress.answered(answer, old))
            if not old:
                self.forecast.verified(time.monotonic() - latest)
            latest = time.monotonic()

        stage_plan = replace(self.plan, entries=self.plan.entries_of(stage))
        verify(self.session, stage_plan, answered, threads=max(self.plan.threads))
        return time.monotonic() - started

    def measure(self, stage: int, results: "Mapping[str, Result]") -> "dict[str, Result]":
        """Measure the blocks of a stage; all results by key."""
        blocks, cells = self.plan.blocks, self.plan.cells([stage])
        repeats = blocks // REPEATED if self.options.repeats is None else self.options.repeats
        return measure_blocks(self.session, cells, results, self.say, repeats, self.plan.repeated_s, self.forecast)

    def size(self, pilot: "Sequence[TrainingResult]", verified_s: float) -> None:
        """Fix the number of blocks, and keep it."""
        out = self.session.directory
        size = sizing.decided(pilot, verifications(out), self.options, self.plan.blocks, verified_s)
        self.say(progress.sized(size))
        archive.save_size(out, size)
        new = range(self.plan.blocks + 1, size.blocks + 1)
        self.plan = replace(self.plan, blocks=size.blocks)
        self.forecast.again(cell for cell in self.plan.cells() if cell.block in new)

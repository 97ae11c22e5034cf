"""A run from beginning to end. It goes on where an earlier run of the same directory ended."""

from typing import TYPE_CHECKING

from bench.session import extras, progress
from bench.session.blocks.forecast import Forecast, unanswered
from bench.session.course import Answer, Course
from bench.session.verification import verifications
from bench.store import archive, predictions, sources

if TYPE_CHECKING:
    from bench.session.choice import Options
    from bench.session.plan import Plan
    from bench.session.session import Say, Session


def run(plan: "Plan", session: "Session", options: "Options", say: "Say", answer: Answer) -> bool:
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
    left, left_s = forecast.left.total(), forecast.seconds_left()
    say(progress.introduction(plan, session.machine.cpu, len(cells), left, out, left_s))

    plan = Course(plan, session, options, say, answer, forecast).run(kept)
    results = archive.everything(out)
    predictions.keep(out, session.data, archive.trained(results), plan.data)
    sources.keep(out, plan.entries)
    planned = {cell.key for cell in plan.cells()}
    failed = any(result.status == "failed" for result in results if result.cell.key in planned)
    return not failed and not any(verified.status == "failed" for verified in verifications(out))


def extra(plan: "Plan", session: "Session", options: "Options", say: "Say") -> None:
    """Measure what stands beside the training runs: probes, breakdowns, exports."""
    extras.ask(plan, session, archive.trained(archive.everything(session.directory)), options.fresh, say)

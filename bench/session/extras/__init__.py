"""Measurements beside the training runs: probes, breakdowns, exports. Each is asked once and kept while it holds."""

from collections.abc import Callable, Sequence

from bench.data import tutorials
from bench.session.extras import breakdowns, exports, probes
from bench.session.extras.questions import ask_all
from bench.session.plan import Plan
from bench.session.session import Session
from bench.store.records.training import TrainingResult


def ask(
    plan: Plan, session: Session, trained: Sequence[TrainingResult], fresh: bool, say: Callable[[str], None]
) -> None:
    """Ask all that the plan allows and that is not stored. What is asked of one network is asked of the headline's."""
    headline = tutorials.headline()
    for questions in (
        probes.questions(plan, session, headline),
        breakdowns.questions(plan, session, headline),
        exports.questions(trained, session, headline),
    ):
        ask_all(questions, session.directory, fresh, say)

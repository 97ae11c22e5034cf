"""What is left of a session that is killed; ``tests/kills.py`` does the same many times, at random."""

import signal
from pathlib import Path

import pytest
from kills import Kill, kill_sessions

pytestmark = pytest.mark.process


def test_a_session_that_is_killed_loses_nothing_and_leaves_nobody(tmp_path: Path) -> None:
    """Inside a save of the parent and of its child, and while the child is stopped; the last run comes to its end."""
    kills = [
        Kill("parent", signal.SIGTERM, step=7),
        Kill("child", signal.SIGKILL, step=1),
        Kill("stopped", signal.SIGKILL, after_s=4.0),
    ]
    ways, broken = kill_sessions(tmp_path, kills)
    assert broken == [] and ways.total() == 3
    assert any("inside a save" in way and not way.endswith("too late") for way in ways)

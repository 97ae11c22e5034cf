"""The state of the repository that a run was started from."""

from typing import Any

COMMIT = ("id", "time", "author_time", "dirty", "project", "branch")


def commit() -> dict[str, Any]:
    """The state of the working directory's repository, as pytest-benchmark describes it; ``unversioned`` outside."""
    from pytest_benchmark.utils import get_commit_info  # here: it loads half of the standard library

    return {name: value for name, value in get_commit_info().items() if name in COMMIT}

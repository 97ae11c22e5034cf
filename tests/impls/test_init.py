"""What a plugin imports."""

import subprocess
import sys

import pytest

import impls
from impls import contract, workload


def test_the_public_names_are_the_contracts() -> None:
    """A plugin of before, which imports them from their modules, raises the same exception."""
    assert (impls.Implementation, impls.Data, impls.Unavailable) == (
        contract.Implementation, contract.Data, contract.Unavailable,
    )  # fmt: skip
    assert impls.Workload is workload.Workload
    with pytest.raises(AttributeError, match="'impls' has no attribute 'Nothing'"):
        impls.Nothing  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.process
def test_nothing_is_imported_before_a_name_is_used() -> None:
    """Not even NumPy."""
    code = "import sys, impls; print('numpy' in sys.modules); from impls import Workload; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]

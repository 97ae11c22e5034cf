"""Can this interpreter run a worker, and an implementation on this device?"""

from typing import Any

from bench.worker.messages import Emit
from impls.environment import kind
from impls.loading import find_class
from impls.workload import Workload


def hello(request: dict[str, Any], emit: Emit) -> None:
    """Nothing: that this interpreter can run a worker was said by starting it."""


def probe(request: dict[str, Any], emit: Emit) -> None:
    """Only import the implementation and check its members."""
    find_class(request["module"], request["attribute"])


def usable(request: dict[str, Any], emit: Emit) -> None:
    """Build the implementation on its device, and wait until the device has done what that asks of it."""
    make = find_class(request["module"], request["attribute"])
    make(Workload.from_dict(request["workload"]), kind(request["device"]), 0).sync()

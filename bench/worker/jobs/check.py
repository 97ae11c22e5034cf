"""Can this interpreter run a worker, and an implementation on this device?"""

from bench.worker.messages import Send
from bench.worker.requests import Build, Import, Start
from impls.environment import kind
from impls.loading import find_class


def run(request: Start | Import | Build, send: Send) -> None:
    """Import the implementation and check its members; build it on its device, and wait until the device has done so.

    As far as that is asked for. Nothing is reported but how it ended.
    """
    if isinstance(request, Start):
        return
    make = find_class(request.entry.module, request.entry.attribute)
    if isinstance(request, Build):
        make(request.workload, kind(request.device), 0).sync()

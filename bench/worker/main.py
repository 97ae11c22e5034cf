"""The child: one process, one request, one answer on its own channel.

It reads its request as one JSON line from standard input and writes messages as JSON lines to what was its standard
output. Whatever a framework prints goes to the cell's log, where standard error already goes. When standard input
closes, the parent is gone and so is the child; its last argument is the parent's process id. Only the one job is
imported that is asked for.
"""

import importlib
import os
import sys
import threading
from contextlib import suppress

from bench.worker import channel
from bench.worker.messages import PROTOCOL, Ended, Hello


def main() -> None:
    """Answer one request and exit: 0 when the answer is complete, whatever it is."""
    channel.die_with_parent(int(sys.argv.pop()))
    send = channel.take_answer_channel()
    send(Hello(PROTOCOL))
    threading.Thread(target=channel.listen, daemon=True).start()
    packages: list[str] = []
    with channel.ending(packages) as end:
        request = channel.receive()
        packages += request.entry.packages
        importlib.import_module(f"bench.worker.jobs.{request.job}").run(request, send)
    send(Ended(end.status, end.reason, channel.helpers_cpu_s()))
    with suppress(OSError, ValueError):  # a program may have closed it
        sys.stdout.flush()
    os._exit(0)  # a framework's exit handlers may hang or crash, and have nothing to add


if __name__ == "__main__":
    main()

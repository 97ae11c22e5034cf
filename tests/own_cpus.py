"""Gives each of xdist's workers CPUs of its own, so that programs which two tests measure do not share the first.

Imported before NumPy, which starts as many threads as there are CPUs then.
"""

import os

worker, workers = os.environ.get("PYTEST_XDIST_WORKER", ""), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if worker and hasattr(os, "sched_setaffinity"):
    everyones = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, everyones[int(worker[2:]) :: workers] or everyones)

"""How long TensorFlow waits when an iterator of tf.data ends. Needs TensorFlow alone; prints a CSV.

On one CPU it is plainest: taskset -c 0 python docs/tf_data_wait.py
"""

import os
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf


def dataset(autotune):
    """Numbers, with one of them always got ready ahead; tuned or not."""
    options = tf.data.Options()
    options.autotune.enabled = autotune
    return tf.data.Dataset.range(1000).prefetch(2).with_options(options)


next(iter(dataset(False)))  # what TensorFlow does once
print("autotune,work_s,wait_s,lifetime_s")
for autotune in (True, False):
    for work_s in (0.2, 0.5, 0.8, 1.0, 1.5, 2.0, 3.0, 4.0):
        start = time.perf_counter()
        iterator = iter(dataset(autotune))
        next(iterator)
        time.sleep(work_s)  # the epoch: nobody asks for the next batch
        end = time.perf_counter()
        del iterator  # what Keras does after every epoch
        now = time.perf_counter()
        print(f"{autotune},{work_s},{now - end:.3f},{now - start:.3f}", flush=True)

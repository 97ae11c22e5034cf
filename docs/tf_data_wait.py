"""How long TensorFlow waits when an iterator of tf.data ends. Needs TensorFlow alone; prints a CSV.

On one CPU it is plainest: ``taskset -c 0 python docs/tf_data_wait.py``. docs/waiting.md explains what it shows.
"""

import os
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf


def dataset(autotune, batches=1000):
    """The same batch again and again, with the autotuning of tf.data or without it."""
    options = tf.data.Options()
    options.autotune.enabled = autotune
    return tf.data.Dataset.from_tensors(([[1.0]], [[1.0]])).repeat(batches).prefetch(2).with_options(options)


def work(seconds):
    """What an epoch computes. A program that sleeps instead is woken in another order, and seldom waits."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def alone(autotune, work_s):
    """An iterator is made, asked once, left alone while the program works, and dropped: the wait and its life."""
    start = time.perf_counter()
    iterator = iter(dataset(autotune))
    next(iterator)
    work(work_s)
    end = time.perf_counter()
    del iterator  # as Keras does after every epoch and after every validation
    now = time.perf_counter()
    return now - end, now - start


def fit(autotune, work_s, epochs, validated):
    """Keras' fit with so much work in each pass over the data: what it takes beyond that, and all of it."""
    model = tf.keras.Sequential([tf.keras.Input((1,)), tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(dataset(False, 1), validation_data=dataset(False, 1), verbose=0, shuffle=False)  # traces
    callback = tf.keras.callbacks.Callback()
    callback.on_train_batch_end = callback.on_test_batch_end = lambda batch, logs=None: work(work_s)
    validation = dataset(autotune, 1) if validated else None
    start = time.perf_counter()
    model.fit(
        dataset(autotune, 1), validation_data=validation, epochs=epochs, callbacks=[callback], verbose=0, shuffle=False
    )
    taken = time.perf_counter() - start
    return taken - work_s * epochs * (1 + validated), taken


if __name__ == "__main__":
    alone(False, 0.0)  # what TensorFlow does once
    where = f"{tf.__version__},{len(os.sched_getaffinity(0))}"
    print("tensorflow,cpus,case,autotune,work_s,wait_s,whole_s")
    for autotune in (True, False):
        for work_s in (0.2, 0.5, 0.8, 1.0, 1.5, 2.0, 3.0, 4.0):
            print(where, "iterator", autotune, work_s, *map("{:.3f}".format, alone(autotune, work_s)), sep=",")
        for case, epochs, validated in (("fit", 1, False), ("5 epochs", 5, False), ("5 epochs validated", 5, True)):
            print(where, case, autotune, 0.7, *map("{:.3f}".format, fit(autotune, 0.7, epochs, validated)), sep=",")

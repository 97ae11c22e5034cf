"""Digit by digit: what the test images were taken for, from the stored predictions. Nothing is trained or predicted.

The labels, and those images that somebody took for something else, are kept beside the cells when a run ends, so that
a report needs no data set.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from bench.report.columns import BLOCK, CONFIGURATION, IMPLEMENTATION, PROCESSES, TIER, Column, Table
from bench.store import predictions
from bench.store.predictions import Configuration, TestSet
from bench.store.records.training import TrainingResult

DIGITS = range(10)
BY_DIGIT = Table("Document 1's table by digit: one row for each digit and implementation, from the stored "
                 "predictions.", (
    *CONFIGURATION, TIER, IMPLEMENTATION,
    Column("digit", "digit", "the label"),
    Column("images", "count", "test images with that label"),
    Column("correct", "count", "of these recognised, mean over processes"),
    Column("accuracy", "0 to 1", "the same as a share"),
    PROCESSES,
))  # fmt: skip
CONFUSION = Table("One row for each digit, what it was taken for, and implementation; what never happened has none.", (
    *CONFIGURATION, TIER, IMPLEMENTATION,
    Column("digit", "digit", "the label"),
    Column("taken_for", "digit", "what it was taken for"),
    Column("images", "count", "test images, mean over processes"),
    PROCESSES,
))  # fmt: skip
DISAGREEMENTS = Table("One row for each pair of implementations of a tier and block: the test images on which they "
                      "disagree.", (
    *CONFIGURATION, TIER,
    Column("a", "", "an implementation"),
    Column("b", "", "the other one"),
    BLOCK,
    Column("images", "count", "test images on which they disagree"),
    Column("only_a", "count", "of these recognised by a"),
    Column("only_b", "count", "of these recognised by b"),
    Column("neither", "count", "mistaken by both, each for something else"),
))  # fmt: skip


def by_implementation(results: Sequence[TrainingResult], test: TestSet) -> dict[Configuration, list[TrainingResult]]:
    """The results of each implementation with predictions of this test set, in the order of their blocks."""
    processes: dict[Configuration, list[TrainingResult]] = {}
    for result in sorted(results, key=lambda result: result.cell.block):
        cell = result.cell
        if cell.role == "measured" and result.predicted and len(result.predicted) == len(test.labels):
            processes.setdefault((*cell.place, cell.tier, cell.implementation), []).append(result)
    return processes


def by_digit(results: Sequence[TrainingResult], test: TestSet) -> pd.DataFrame:
    """How many images of each digit were recognised, as the mean over processes, and which share of them that is."""
    rows = []
    for which, processes in by_implementation(results, test).items():
        right = np.mean([predictions.taken_for(result) == test.labels for result in processes], axis=0)
        for digit in DIGITS:
            of_digit = right[test.labels == digit]
            share = float(of_digit.mean()) if len(of_digit) else None
            rows.append((*which, digit, len(of_digit), float(of_digit.sum()), share, len(processes)))
    return BY_DIGIT.frame(rows)


def confusion(results: Sequence[TrainingResult], test: TestSet) -> pd.DataFrame:
    """How many images of each digit were taken for which, as the mean over processes; what never occurs has no row."""
    rows = []
    for which, processes in by_implementation(results, test).items():
        counts = np.zeros((10, 10))
        for result in processes:
            np.add.at(counts, (test.labels, predictions.taken_for(result)), 1)
        rows += [(*which, *map(int, pair), counts[*pair] / len(processes), len(processes))
                 for pair in np.argwhere(counts)]  # fmt: skip
    return CONFUSION.frame(rows)


def disagreements(results: Sequence[TrainingResult], test: TestSet) -> pd.DataFrame:
    """On how many test images two implementations of a tier disagree, block by block, and which of them is right.

    ``only_a`` and ``only_b`` are images that one of the two recognises, ``neither`` those that both mistake, each for
    something else. Implementations of one block have the same seed.
    """
    rows = []
    for (which_a, a), (which_b, b) in combinations(by_implementation(results, test).items(), 2):
        digits_a, digits_b = ({one.cell.block: predictions.taken_for(one) for one in side} for side in (a, b))
        for block in digits_a if which_a[:4] == which_b[:4] else ():
            if block in digits_b:
                apart = digits_a[block] != digits_b[block]
                right = [(digits[block] == test.labels) & apart for digits in (digits_a, digits_b)]
                only_a, only_b, images = (int(mask.sum()) for mask in (*right, apart))
                counts = (images, only_a, only_b, images - only_a - only_b)
                rows.append((*which_a, which_b[4], block, *counts))
    return DISAGREEMENTS.frame(rows)

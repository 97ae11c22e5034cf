"""What a chapter of the report is: its tables, its charts and its parts of the page."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from bench.display.charts import Chart
from bench.display.section import Block, Picture, Section
from bench.report.columns import Table
from bench.report.groups import Group
from bench.report.results import Results

Pictures = Mapping[str, list[Picture]]
"""The charts of a chapter by the key of their group."""


@dataclass(frozen=True)
class Chapter:
    """One subject of the report; what it does not have stays empty.

    ``tables`` explains the frames that ``frames`` makes, by the names of their files; frames of the chapters before it
    are there already. ``words`` turns those with verdicts into what is written. ``charts`` draws those of a group;
    ``kinds`` are the first parts of their names, each with the file that has the figures. ``evidence`` is what the
    chapter adds to a group's evidence, ``parts`` what it adds to other sections of the page, by their anchors, and
    ``section`` a section of its own.
    """

    tables: Mapping[str, Table] = field(default_factory=dict)
    frames: Callable[[Results], Mapping[str, pd.DataFrame]] = lambda results: {}
    words: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    charts: Callable[[Results, Group], Iterable[Chart | None]] = lambda results, group: ()
    evidence: Callable[[Results, Group, list[Picture]], Iterable[Block]] = lambda results, group, pictures: ()
    parts: Mapping[str, Callable[[Results, Pictures], Iterable[Block]]] = field(default_factory=dict)
    section: Callable[[Results, Pictures], Section | None] = lambda results, pictures: None

"""Test accuracy by epoch of a network and of those that differ from it in one thing: a panel per implementation."""

from collections.abc import Iterator
from functools import partial
from itertools import islice

import pandas as pd
from matplotlib.figure import Figure

from bench.display import axes as display_axes
from bench.display import charts, naming, numbers
from bench.display.charts import INK, Chart
from bench.report.groups import Group
from bench.report.results import Results

DASHES = {"solid": "-", "dashed": (0, (4, 1.6)), "dotted": (0, (1, 1.3)), "dash-dotted": (0, (4, 1.3, 1, 1.3))}
"""How the lines are drawn, in words and as matplotlib takes it: the network as it is, then the others."""


def drawn(results: Results, group: Group) -> Iterator[Chart | None]:
    """The chart of the networks that were made from this group's by changing one thing; none where there are none."""
    effects, runs = results.part("effects", group), results.runs
    if effects.empty:
        return
    sides = [
        f"{naming.named(row['implementation'], row['tier'])} with {row['changed']}: "
        f"{numbers.figure('accuracy', row['accuracy'])} becomes {numbers.figure('accuracy', row['other_accuracy'])}"
        for _, row in effects.iterrows()
    ]
    text = f"Test accuracy at the end, mean over processes: {'; '.join(sides)}."
    here = runs[(runs["device"] == group.device) & (runs["threads"] == group.threads)]
    networks = {group.workload: "as it is"} | dict(zip(effects["other"], effects["changed"], strict=True))
    draw = partial(figure, here, results.epochs, dict(islice(networks.items(), len(DASHES))))
    yield charts.draw(f"effect.{group.key}", f"One thing changed: {group.title}", text, draw)


def figure(runs: pd.DataFrame, epochs: pd.DataFrame, networks: dict[str, str], title: str) -> Figure | None:
    """All panels on one scale, that of the error's logarithm; the first of the ``networks`` is the unchanged one."""
    plain = next(iter(networks))
    panels = []
    for name, cells in display_axes.rows(runs[runs["workload"] == plain]):
        same = runs[runs["implementation"] == name]
        lines = {network: display_axes.own_lines(same[same["workload"] == network], epochs) for network in networks}
        lines = {network: line for network, line in lines.items() if len(line)}
        if len(lines) > 1:
            panels.append((name, cells, lines))
    if not panels:
        return None
    key = "; ".join(f"{dash}: {what}" for dash, what in zip(DASHES, networks.values(), strict=False))
    every = pd.concat([line for _, _, lines in panels for line in lines.values()])
    drawn, places = display_axes.panels(title, key, [(name, cells) for name, cells, _ in panels], every)
    for axes, (_, cells, lines) in zip(places, panels, strict=True):
        for network, dash in zip(networks, DASHES.values(), strict=False):
            if network in lines:
                hue = display_axes.colour(cells) if network == plain else INK
                axes.plot(lines[network]["epoch"], lines[network]["y"], color=hue, linestyle=dash, linewidth=1.2)
    return drawn

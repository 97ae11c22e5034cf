"""Test accuracy by epoch with one thing changed: a panel for each implementation, a kind of line for each network."""

import pandas as pd
from matplotlib.figure import Figure

from bench import charts, pictures, words
from bench.answers import Group, part
from bench.pictures import INK, Chart

KIND = "effect"
DASHES = ("-", (0, (4, 1.6)), (0, (1, 1.3)), (0, (4, 1.3, 1, 1.3)))
WORDS = ("solid", "dashed", "dotted", "dash-dotted")


def of_group(group: Group, runs: pd.DataFrame, epochs: pd.DataFrame, effects: pd.DataFrame) -> list[Chart]:
    """The chart of the networks that were made from this group's by changing one thing; none where there are none."""
    own = part(effects, *group.place_key)
    others = list(dict.fromkeys(zip(own["other"], own["changed"], strict=True)))[: len(DASHES) - 1]
    if not others:
        return []
    told = [
        f"{words.named(row['implementation'], row['tier'])} with {row['changed']}: "
        f"{words.figure('accuracy', row['accuracy'])} becomes {words.figure('accuracy', row['other_accuracy'])}"
        for _, row in own.iterrows()
    ]
    text = f"Test accuracy at the end, mean over processes: {'; '.join(told)}."
    at = runs[(runs["device"] == group.device) & (runs["threads"] == group.threads)]
    drawn = pictures.draw(
        f"{KIND}.{group.key}", f"One thing changed: {group.title}", text,
        lambda title: figure(title, group, at, epochs, others),
    )  # fmt: skip
    return [drawn] if drawn else []


def figure(
    title: str, group: Group, runs: pd.DataFrame, epochs: pd.DataFrame, others: list[tuple[str, str]]
) -> Figure | None:
    """All panels on one scale, that of the error's logarithm."""
    networks = [group.workload, *(name for name, _ in others)]
    found = []
    for name, cells in charts.rows(runs[runs["workload"] == group.workload]):
        lines = {
            network: charts.own_lines(runs[(runs["workload"] == network) & (runs["implementation"] == name)], epochs)
            for network in networks
        }
        found.append((name, cells, {network: line for network, line in lines.items() if len(line)}))
    found = [(name, cells, lines) for name, cells, lines in found if len(lines) > 1]
    if not found:
        return None
    kinds = zip(WORDS, ["as it is", *(changed for _, changed in others)], strict=False)
    key = "; ".join(f"{kind}: {what}" for kind, what in kinds)
    every = pd.concat([line for _, _, lines in found for line in lines.values()])
    drawn, places = charts.panels(title, key, [(name, cells) for name, cells, _ in found], every)
    for axes, (_, cells, lines) in zip(places, found, strict=True):
        for network, dash in zip(networks, DASHES, strict=False):
            if network in lines:
                hue = charts.colour(cells) if network == group.workload else INK
                axes.plot(lines[network]["epoch"], lines[network]["y"], color=hue, linestyle=dash, linewidth=1.2)
    return drawn

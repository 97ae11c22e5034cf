"""Where an epoch's time goes: raw seconds of passes -> a row for each stage, a table for people, sentences."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

import pandas as pd

from bench import statistics
from bench.data import tutorials
from bench.display import naming, numbers
from bench.display.tables import Sheet
from bench.report.chapters.claims import table_4
from bench.report.columns import CONFIGURATION, FRAMEWORK, IMPLEMENTATION, MACHINE, TIER, Column, Table
from bench.report.groups import Group, part
from bench.report.runs import measured
from bench.store.records.breakdown import BACKWARD, EPOCH, FEEDING, FORWARD, LOOP, OPTIMISER, PASSES, Breakdown

FED = "data feeding"
STAGES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    FED: ((FEEDING,), (LOOP,)),
    "forward": ((FORWARD,), (FEEDING,)),
    "backward": ((BACKWARD,), (FORWARD,)),
    "optimiser": ((OPTIMISER,), (BACKWARD,)),
    "rest": ((LOOP, EPOCH), (OPTIMISER,)),
}
"""Each stage of an epoch: which passes are added up and which are taken off. All stages together are ``epoch``."""
METHOD = (
    "The same program goes over training images again and again, in a process of its own: with an empty loop, then "
    "with the data fed to it, with the forward pass and the loss, with the gradients, with the optimiser, and as it "
    "is. A stage is what it adds to the pass before; rest is the empty loop, and what the program does besides: "
    "losses, progress, metrics."
)
BELOW, APART = 0.05, 1.5
"""A stage may come out below 0 by this share of an epoch, and the epoch differ from the timed one by this factor."""
AGAIN = "Move breakdowns/ away and run the same command again on a quiet machine."
TOTALS = {"all stages: the epoch of this run": "whole_image_s", "the timed epoch": "timed_image_s"}
BREAKDOWN = Table("Where an epoch's time goes: one row for each stage of each program that was broken down, one "
                  "without figures where that failed.", (
    *CONFIGURATION, IMPLEMENTATION, TIER, FRAMEWORK,
    Column("status", "", "ok, skipped or failed"),
    Column("reason", "", "why it was skipped or failed"),
    Column("stage", "", "data feeding, forward (with the loss), backward, optimiser, or rest (the empty loop; "
           "losses, progress, metrics): what it adds to the pass before"),
    Column("image_s", "s", "the stage, for one training image: difference of the medians of two passes; below 0 "
           "where the noise is greater"),
    Column("image_s_low", "s", "least difference over rounds"),
    Column("image_s_high", "s", "greatest difference over rounds"),
    Column("share", "0 to 1", "of the program's own epoch in the same process"),
    Column("stage_epoch_s", "s", "what image_s makes of an epoch of epoch_images"),
    Column("whole_image_s", "s", "the program's own epoch in the same process, for one training image"),
    Column("timed_image_s", "s", "a steady epoch of the timed cells, for one training image: geometric mean over "
           "processes; empty where there is none"),
    Column("images", "count", "training images of a pass"),
    Column("epoch_images", "count", "training images of an epoch of the timed cells"),
    Column("rounds", "count", "rounds of all passes behind the figures, the first one left out"),
    Column("broken_down", "", "the day"),
    MACHINE,
    Column("versions", "", "of what took part"),
))  # fmt: skip


def breakdown(records: Sequence[Breakdown], runs: pd.DataFrame) -> pd.DataFrame:
    """A row for each stage of each program, one without figures for each program that could not be broken down.

    ``runs`` has the timed cells, whose epochs are set beside the whole.
    """
    order = sorted(records, key=lambda one: (one.workload, one.device, naming.rank(one.implementation, one.tier)))
    return BREAKDOWN.frame(row for one in order for row in rows(one, runs))


def rows(one: Breakdown, runs: pd.DataFrame) -> Iterator[dict[str, object]]:
    """The stages of one program; medians are over the rounds after the first, and so are the ranges."""
    names = ("workload", "device", "threads", "implementation", "tier", "framework", "status", "reason", "machine")
    about = {name: getattr(one, name) for name in names} | {"broken_down": one.started[:10]}
    if not one.whole or one.images is None or one.epoch_images is None:
        reason = one.reason or "it did not come to its end"
        yield about | {"status": "failed" if one.status == "ok" else one.status, "reason": reason}
        return
    rounds = [dict(zip(PASSES, seconds, strict=True)) for seconds in zip(*map(one.passes.get, PASSES), strict=True)][1:]
    typical = {name: median(seconds[name] for seconds in rounds) for name in PASSES}
    whole_image_s = typical[EPOCH] / one.images
    about |= {"images": one.images, "epoch_images": one.epoch_images, "rounds": len(rounds)}
    about |= {"whole_image_s": whole_image_s, "timed_image_s": timed(one, runs) / one.epoch_images}
    about |= {"versions": ", ".join(f"{name} {version}" for name, version in one.versions.items())}
    for stage in STAGES:
        each = [took(stage, seconds) / one.images for seconds in rounds]
        image_s = took(stage, typical) / one.images
        yield about | {
            "stage": stage, "image_s": image_s, "image_s_low": min(each), "image_s_high": max(each),
            "share": image_s * one.images / typical[EPOCH], "stage_epoch_s": image_s * one.epoch_images,
        }  # fmt: skip


def took(stage: str, seconds: Mapping[str, float]) -> float:
    """The seconds of a stage, from those of the passes; below 0 where the noise is greater than the stage."""
    added, taken_off = STAGES[stage]
    return sum(seconds[name] for name in added) - sum(seconds[name] for name in taken_off)


def timed(one: Breakdown, runs: pd.DataFrame) -> float:
    """The steady epoch of the same program's timed cells, in seconds; NaN where there is none."""
    cells = part(measured(runs), one.workload, one.device, one.threads)
    return statistics.program_value(cells.loc[cells["implementation"] == one.implementation, "epoch_s"].astype(float))


def whole(frame: pd.DataFrame, group: Group) -> list[tuple[str, pd.DataFrame]]:
    """The programs of a group that were broken down, each with its stages in their order."""
    stages = group.part(frame)
    stages = stages[stages["status"] == "ok"] if len(stages) else stages
    return [(str(name), own.set_index("stage")) for name, own in stages.groupby("implementation", sort=False)]


def per_image(seconds: float) -> str:
    """``104.2 µs``."""
    return numbers.MISSING if numbers.missing(seconds) else f"{seconds * 1e6:.1f} µs"


def sheet(frame: pd.DataFrame, group: Group) -> Sheet:
    """A row for each stage of each program, then the whole, and the timed run's epoch beside it."""
    lines = []
    for name, stages in whole(frame, group):
        first = stages.iloc[0]
        title = naming.named(name, first["tier"])
        for stage, row in stages.iterrows():
            image_s = f"{per_image(row['image_s'])}\n{row['image_s_low'] * 1e6:.1f} to {row['image_s_high'] * 1e6:.1f}"
            epoch_s = numbers.figure("_s", row["stage_epoch_s"])
            lines.append((title, str(stage), image_s, numbers.percent(row["share"]), epoch_s))
        for total, column in TOTALS.items():
            share = numbers.percent(first[column] / first["whole_image_s"])
            epoch_s = numbers.figure("_s", first[column] * first["epoch_images"])
            lines.append((title, total, per_image(first[column]), share, epoch_s))
    columns = ("implementation", "stage", "per training image", "share", "in an epoch")
    return Sheet(group.title, columns, tuple(lines), texts=2, note=note(frame, group), grouped=True)


def note(frame: pd.DataFrame, group: Group) -> str:
    """What the figures rest on, what came out below 0, and what could not be broken down."""
    sentences = []
    for name, stages in whole(frame, group):
        first = stages.iloc[0]
        rounds = numbers.count(int(first["rounds"]), "round")
        over = f"{rounds} of {int(first['images']):,} training images, {first['broken_down']}"
        sentences.append(f"{naming.named(name, first['tier'])}: medians and ranges over {over}; {first['versions']}.")
        below = [str(stage) for stage in stages.index[stages["image_s"] < 0]]
        if below:
            what = numbers.listed(below).capitalize()
            sentences.append(f"{what} came out below 0: smaller than the noise of this run, and not drawn.")
    for row in group.part(frame).to_dict("records"):
        if row["status"] != "ok":
            named = naming.named(row["implementation"], row["tier"])
            sentences.append(f"{named} was not broken down: {numbers.shorten(row['reason'], 200).rstrip('.')}.")
    return " ".join(sentences)


def sentences(frame: pd.DataFrame, group: Group) -> list[str]:
    """The share of data feeding, what is left without it, and what that makes of the document's figures.

    Of a program whose run apart was disturbed that is said instead.
    """
    programs = {naming.label(name, str(stages["tier"].iloc[0])): stages for name, stages in whole(frame, group)}
    disturbed = [f"The run apart of {name} was disturbed: {why}. {AGAIN}" for name, stages in programs.items()
                 if (why := disturbance(stages))]  # fmt: skip
    programs = {name: stages for name, stages in programs.items() if not disturbance(stages)}
    if not programs:
        return disturbed
    shares = [f"{numbers.percent(fed(stages))} of an epoch of {name}" for name, stages in programs.items()]
    whole_s = {name: float(stages["whole_image_s"].iloc[0]) for name, stages in programs.items()}
    left = {name: whole_s[name] * (1 - fed(stages)) for name, stages in programs.items()}
    said = [
        f"As the tutorials write it, getting the data to the network takes {numbers.listed(shares)}; without it "
        f"{numbers.listed([f'{per_image(seconds)} per image are left of {name}' for name, seconds in left.items()])}."
    ]
    if len(programs) == 2:
        one, other = programs
        said.append(
            f"{one} takes {numbers.ratio(whole_s[one] / whole_s[other])} times as long as {other} with its data "
            f"feeding, and {numbers.ratio(left[one] / left[other])} times without either’s."
        )
    return [*said, *of_the_document(programs, group), *disturbed]


def fed(stages: pd.DataFrame) -> float:
    """The share of data feeding."""
    return float(stages["share"].to_dict()[FED])


def disturbance(stages: pd.DataFrame) -> str:
    """Why a program's stages cannot be trusted: far below 0, or another epoch than the timed one; else empty."""
    if stages["share"].min() < -BELOW:
        return "some of its stages came out far below 0"
    ratio = float(stages["whole_image_s"].iloc[0] / stages["timed_image_s"].iloc[0])
    if not numbers.missing(ratio) and not 1 / APART <= ratio <= APART:
        return f"its epoch took {numbers.ratio(ratio)} times as long as the timed one"
    return ""


def of_the_document(programs: Mapping[str, pd.DataFrame], group: Group) -> Iterator[str]:
    """The document's own epochs, divided in the same shares."""
    claims = pd.DataFrame(tutorials.figure_claims())
    claims = claims[(claims["workload"] == group.workload) & (claims["device"] == group.device)]
    claimed_s = claims[claims["quantity"] == "epoch_s"].set_index("framework")["high"].to_dict()
    said, divided = [], []
    for name, stages in programs.items():
        seconds = claimed_s.get(stages["framework"].iloc[0])
        if seconds is not None:
            said.append(f"{table_4.claimed('_s', seconds, seconds)} for {name}")
            divided.append(f"{numbers.figure('_s', seconds * fed(stages))} of {name}’s")
    if said:
        yield (
            f"The tutorial says {numbers.listed(said)}, on a machine that it does not name: had that divided an epoch "
            f"as this one does, {numbers.listed(divided)} would have been data feeding."
        )

"""An exported network as text: what was written, how it is used, what the check said, and its steps one by one."""

from bench.display import numbers, terminal
from bench.display.tables import Sheet
from bench.models.export import PlannedExport
from bench.store.records.export import Export
from impls.exports.graph import IMAGES, Node, about

WIDTH = 36
"""Characters of a step's name; converters join the names of all that they have fused."""


def text(planned: PlannedExport, made: Export) -> str:
    """All lines, the table of steps last."""
    model = planned.model
    facts = about(model.workload, made.by, {"implementation": model.implementation, "versions": model.versions})
    assert made.agree is not None and made.images is not None and made.largest_difference is not None
    ties = "" if made.agree == made.images else "; the others are ties that rounding decides"
    lines = [
        f"{planned.out}: {made.size_bytes:,} bytes, {planned.title}",
        f"input: {facts['input']}",
        f"scaling, which the file says but does not do: {facts['scaling']}, mean {facts['mean']}, std {facts['std']}",
        f"output: {facts['output']}",
        f"checked: {made.agree:,} of {made.images:,} digits are the same{ties}; the largest difference of a logit "
        f"is {made.largest_difference:.2g}, of {made.limit:.2g} that rounding may make",
        f"one image alone takes {numbers.figure('one_image_s', made.one_image_s)} on one thread",
        f"versions: {', '.join(f'{name} {version}' for name, version in made.versions.items())}",
        terminal.page([], [steps(made, model.workload.parameters)]),
    ]
    return "\n".join(lines)


def steps(made: Export, parameters: int) -> Sheet:
    """A row for each step of the network in the file; the network itself has so many ``parameters``."""
    rows = tuple(
        (numbers.shorten(node.name, WIDTH), node.kind, shape(node), f"{node.parameters:,}", f"{node.size_bytes:,}")
        for node in made.graph
    )
    in_file, size_bytes = sum(node.parameters for node in made.graph), sum(node.size_bytes for node in made.graph)
    total = f"total: {in_file:,} parameters, {size_bytes:,} bytes"
    if in_file != parameters:
        total += f"; the network has {parameters:,}: the converter folded the others into these"
    return Sheet("The network in the file", ("step", "kind", "output", "parameters", "bytes"), rows, 3, total)


def shape(node: Node) -> str:
    """``[n, 28, 28, 32]``; nothing where the file does not say."""
    if node.shape is None:
        return numbers.MISSING
    return f"[{', '.join(IMAGES if size is None else str(size) for size in node.shape)}]"

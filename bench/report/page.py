"""The page: the charts that it carries, its sections with what the chapters add to them, and its two forms."""

from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup

from bench.display import charts, html, markdown, numbers
from bench.display.section import Block, Marked, Picture, Section
from bench.report import scripts
from bench.report.chapter import Chapter, Pictures
from bench.report.chapters import CHAPTERS
from bench.report.results import Results
from impls.environment import kind

INLINED = 150_000
"""Bytes of charts that the page carries itself; it links to the files of those beyond, so that it stays small."""
OPENING = {"answer": ("The answer", "Answer"), "claims": ("What the tutorials claim", "Claims")}
FOLDED = {"comparison": ("All pairs", ""), "evidence": ("All that was measured", "Measured"),
          "detail": ("The tutorials’ tables, one by one", "Tutorials’ tables"),
          "method": ("How it was measured", "Method"),
          "machine": ("Machine, versions, switches", "Machine")}  # fmt: skip
"""The sections that chapters share, by their anchors: titles and labels. Those of a single chapter stand between."""


Drawn = Sequence[tuple[Chapter, Pictures]]
"""All chapters with their charts."""


def draw(results: Results) -> Drawn:
    """The charts of all chapters. The page carries those that are met first, group by group, images last."""
    pictures: list[dict[str, list[Picture]]] = [{group.key: [] for group in results.groups} for _ in CHAPTERS]
    size = 0
    for group in results.groups:
        drawn = [(i, chart) for i, one in enumerate(CHAPTERS) for chart in one.charts(results, group) if chart]
        for i, chart in sorted(drawn, key=lambda item: "<image" in item[1].svg):
            inline = charts.inline(chart)
            size += len(inline)
            data = CHAPTERS[i].kinds[chart.name.partition(".")[0]]
            pictures[i][group.key].append(Picture(chart, data, inline if size <= INLINED else ""))
    return list(zip(CHAPTERS, pictures, strict=True))


def sections(results: Results, drawn: Drawn, files: Sequence[str]) -> list[Section]:
    """The sections of the page; ``files`` are those that it links to."""

    def shared(titles: Mapping[str, tuple[str, str]], folded: bool) -> Iterator[Section]:
        for anchor, (title, label) in titles.items():
            blocks = list(body(anchor))
            if blocks:
                yield Section(title, blocks, anchor, label, folded=folded)

    def body(anchor: str) -> Iterator[Block]:
        if anchor == "evidence":
            yield from evidence(results, drawn)
        for chapter, pictures in drawn:
            if anchor in chapter.parts:
                yield from chapter.parts[anchor](results, pictures)
        if anchor == "evidence":
            links = ", ".join(f"[{name}]({name})" for name in files)
            yield Marked(f"Raw values: {links}; one file for each cell in [cells/](cells/).")

    own = [section for chapter, pictures in drawn if (section := chapter.section(results, pictures))]
    own.sort(key=lambda section: section.folded)
    return [*shared(OPENING, folded=False), *own, *shared(FOLDED, folded=True)]


def evidence(results: Results, drawn: Drawn) -> Iterator[Section]:
    """What the chapters show of each group: charts first, then tables, then what follows from them."""
    for group in results.groups:
        blocks = [
            block for chapter, pictures in drawn for block in chapter.evidence(results, group, pictures[group.key])
        ]
        if len(group.summary):
            yield Section(group.title, sorted(blocks, key=rank))


def rank(block: Block) -> int:
    """Where a block stands among others."""
    return 0 if isinstance(block, Picture) else 2 if isinstance(block, Section) else 1


def html_file(results: Results, made: Sequence[Section]) -> str:
    """The page as one HTML file, which carries the scripts and styles that its sections need."""
    needed = [name for section in made for name in section.files]
    run = [scripts.read(name) for name in (*(name for name in needed if name.endswith(".js")), "sort.js", "unfold.js")]
    return scripts.template("page.html.j2").render(
        title=results.groups[0].workload,
        facts=[Markup(html.escaped(fact)) for fact in facts(results)],
        sections=made,
        body=Markup(html.written(made)),
        styles=[scripts.read(name) for name in needed if name.endswith(".css")],
        scripts=run,
        policy=scripts.policy(run),
    )


def markdown_file(results: Results, made: Sequence[Section]) -> str:
    """The same as one Markdown file."""
    title = f"# fcnbench: {markdown.text(results.groups[0].workload)}"
    return "\n\n".join([title, " · ".join(map(markdown.text, facts(results))), markdown.written(made)]) + "\n"


def facts(results: Results) -> list[str]:
    """How large the session was, when and where it took place."""
    states = [result.status for result in results.trained]
    counts = [f"{states.count(state)} {state}" for state in ("ok", "failed", "skipped") if state in states]
    days = sorted({result.started[:10] for result in results.trained})
    on_gpu = any(kind(result.cell.device) != "cpu" for result in results.trained)
    cpus = [f"{machine.cpu}, {numbers.count(machine.available_cpus, 'CPU')}" for machine in results.machines]
    gpus = [machine.gpus for machine in results.machines if on_gpu and machine.gpus]
    when = " to ".join(dict.fromkeys((days[0], days[-1])))
    return [f"{numbers.count(len(states), 'process', 'es')}: {numbers.listed(counts)}", when, *cpus, *gpus]

"""The programs that were run, kept beside the cells, and the parts of them that tutorial 1 puts side by side.

Its Table 2 is the same layer in both frameworks, its Table 3 the training loop: here they are cut from the files that
were measured, with counts.
"""

import ast
import re
import sys
import tokenize
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from textwrap import dedent

from bench.data import tutorials
from bench.store import sources

LOOP = "train_epoch"
OURS = {"numpy", "impls"}
"""What a program may import without it being a framework's."""


@dataclass(frozen=True)
class Program:
    """What is shown of a program: its line for a dense layer, its training loop, and counts.

    ``lines`` and ``loop_lines`` have code on them: no comment, no docstring, nothing empty. ``calls`` are those in the
    loop, ``names`` what the program uses of its framework, such as ``nn.Linear``.
    """

    layer: str
    loop: str
    lines: int
    loop_lines: int
    calls: int
    names: tuple[str, ...]


def read(directory: Path) -> dict[str, Program]:
    """The kept programs by implementation; those that are no Python, or have no training loop, are left out."""
    code = tutorials.code()
    layers, programs = code.layer_names if code else (), {}
    for name, content in sources.read(directory).items():
        with suppress(SyntaxError, ValueError, LookupError, RecursionError, MemoryError):  # as Python's parser raises
            programs[name] = cut(content.decode(), layers)
    return programs


def cut(text: str, layers: tuple[str, ...]) -> Program:
    """The parts of a program. Raises SyntaxError for what is no Python, LookupError where it has no training loop."""
    tree = ast.parse(text)
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == LOOP]
    if not loops:
        raise LookupError(f"no {LOOP}")
    loop = dedent("\n".join(text.splitlines()[loops[0].lineno - 1 : loops[0].end_lineno]))
    return Program(
        layer=first_call(tree, text, layers),
        loop=loop,
        lines=code_lines(text),
        loop_lines=code_lines(loop),
        calls=sum(isinstance(node, ast.Call) for node in ast.walk(loops[0])),
        names=framework_names(tree),
    )


def first_call(tree: ast.Module, text: str, names: tuple[str, ...]) -> str:
    """The first call of something of one of these names, as it is written; empty where there is none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] in names:
            return ast.get_source_segment(text, node) or ""
    return ""


def framework_names(tree: ast.Module) -> tuple[str, ...]:
    """The dotted names, sorted, that a program uses of what it imports from neither Python, NumPy nor the contract."""
    roots: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                module = node.module if isinstance(node, ast.ImportFrom) else alias.name
                roots[alias.asname or alias.name.partition(".")[0]] = module or ""
    foreign = {name for name, module in roots.items() if module.partition(".")[0] not in OURS | sys.stdlib_module_names}
    used = {dotted(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Name)}
    names = {name for name in used if name.partition(".")[0] in foreign}
    return tuple(sorted(name for name in names if not any(other.startswith(f"{name}.") for other in names)))


def dotted(node: ast.expr) -> str:
    """``nn.functional.relu`` of an expression that is a chain of names, else nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return ""


def code_lines(text: str) -> int:
    """How many lines have code: comments, empty lines and docstrings have none."""
    quiet = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(StringIO(text).readline):
        alone = token.type == tokenize.STRING and re.match(r"\s*[rRbBuU]*['\"]", token.line)
        if token.type not in quiet and not alone:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines)

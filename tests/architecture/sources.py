"""The source tree as the architecture tests see it: rooms, modules, their parsed code."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOUSE = ("domain", "feature_store", "models", "training", "service")
"""The five rooms of the house."""

YARD = ("benchmarks", "demo")
"""What stands on top of it and is part of no answer."""


def room_modules(*rooms: str) -> list[Path]:
    """Every Python module of the rooms, as paths relative to the project, in order."""
    return sorted(
        path.relative_to(ROOT)
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        if "__pycache__" not in path.parts
    )


@cache
def parsed(module: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse((ROOT / module).read_text(), str(module))


@cache
def lines(module: Path) -> int:
    """How many lines a module has."""
    return len((ROOT / module).read_text().splitlines())


def functions(module: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module, nested ones too."""
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def statements(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many statements a function has, its docstring and nested functions' bodies aside."""
    count = 0
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.stmt):
            is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            count += not is_text
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))
    return count


def top_level_imports(module: Path) -> set[str]:
    """The first words of everything a module imports, those inside functions too."""
    names: set[str] = set()
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def third_party_imports(module: Path) -> set[str]:
    """What a module imports that is neither the standard library's nor ours."""
    ours = {*HOUSE, *YARD, "tests"}
    return {
        name for name in top_level_imports(module) if name not in sys.stdlib_module_names
    } - ours

"""Small rooms: lengths of files, sizes of functions, names, docstrings."""

import ast
import statistics
from pathlib import Path

import pytest

from tests.architecture.sources import (
    HOUSE,
    ROOT,
    YARD,
    functions,
    lines,
    parsed,
    room_modules,
    statements,
)

MODULES = room_modules(*HOUSE, *YARD)
TESTS = room_modules("tests")
BANNED = {"utils", "util", "helpers", "helper", "common", "manager", "handler", "processor", "misc"}


@pytest.mark.parametrize("module", [*MODULES, *TESTS], ids=str)
def test_no_file_is_longer_than_400_lines(module: Path) -> None:
    assert lines(module) <= 400


def test_half_of_the_files_are_short() -> None:
    assert statistics.median(lines(module) for module in MODULES) <= 120


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_functions_are_small(module: Path) -> None:
    large = {
        function.name: size for function in functions(module) if (size := statements(function)) > 40
    }
    assert not large, "more than 40 statements"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_functions_take_at_most_six_positional_arguments(module: Path) -> None:
    many: dict[str, int] = {}
    for function in functions(module):
        names = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)]
        count = len(names) - (names[:1] in (["self"], ["cls"]))
        if count > 6 and not _is_kernel(function):
            many[function.name] = count
    assert not many, "more than 6 positional arguments"


def _is_kernel(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Compiled kernels take plain arrays, each its own argument: numba has no cheap structs."""
    return any(
        isinstance(node, ast.Name) and node.id in {"njit", "jit", "compiled", "kernel"}
        for decorator in function.decorator_list
        for node in ast.walk(decorator)
    )


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_module_opens_with_a_docstring(module: Path) -> None:
    text = ast.get_docstring(parsed(module))
    assert text, "what does it do, and what does it not know?"
    assert len(text.splitlines()) <= 24, "two to six lines; more only for a drawing"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_no_module_has_a_name_that_says_nothing(module: Path) -> None:
    assert not BANNED & {module.stem, *module.parts[:-1]}


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_public_functions_and_classes_say_what_they_do(module: Path) -> None:
    silent = [
        node.name
        for node in parsed(module).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not silent


def test_tests_are_at_least_as_long_as_the_source() -> None:
    source = sum(lines(module) for module in room_modules(*HOUSE))
    golden = (path.relative_to(ROOT) for path in (ROOT / "tests" / "golden").rglob("*.json"))
    assert sum(lines(path) for path in (*TESTS, *golden)) >= source


def test_tests_are_no_package() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))

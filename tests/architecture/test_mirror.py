"""Tests mirror the source: `models/recommend/blend.py` → `tests/models/recommend/test_blend.py`."""

import ast
from pathlib import Path

import pytest

from tests.architecture.sources import HOUSE, ROOT, parsed, room_modules


def _has_code(module: Path) -> bool:
    """Tell whether a module defines anything that runs (an `__init__` of imports does not)."""
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for node in parsed(module).body
    )


MODULES = [module for module in room_modules(*HOUSE) if _has_code(module)]


def _mirror(module: Path) -> Path:
    stem = module.parent.name if module.stem == "__init__" else module.stem.strip("_")
    return Path("tests") / module.parent / f"test_{stem}.py"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_module_has_its_test(module: Path) -> None:
    assert (ROOT / _mirror(module)).exists(), f"{_mirror(module)} is missing"

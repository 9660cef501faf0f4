"""The Dockerfile and the compose file, read as text: containers cannot be built in these tests.

What the image runs while it is built (`deploy/warm.py`) is run here for real.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.sources import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
LAST_STAGE = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]


def test_there_are_two_stages_of_a_pinned_base() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert all(re.fullmatch(r"python:3\.\d+-slim-\w+", base) for base in bases)


def test_the_serving_extra_and_nothing_else_is_installed() -> None:
    assert re.findall(r"pip install .*?\"(.+?)\"", DOCKERFILE) == [".[serve]"]
    assert "--constraint constraints.txt" in DOCKERFILE


def test_no_training_code_is_copied() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", LAST_STAGE, re.MULTILINE)
    assert copied == ["domain", "feature_store", "models", "service"]


def test_it_runs_as_an_ordinary_user_who_is_checked_without_curl() -> None:
    assert LAST_STAGE.index("\nUSER 10001") < LAST_STAGE.index("\nCMD ")
    health = LAST_STAGE[LAST_STAGE.index("\nHEALTHCHECK ") :]
    assert '["python", "-c"' in health
    assert "/healthz" in health
    assert "curl" not in DOCKERFILE


def test_everything_copied_is_sent_to_the_builder() -> None:
    allowed = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    sources = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    names = {name for line in sources for name in line.split()}
    assert names <= set(allowed)
    assert all((ROOT / name).exists() for name in allowed)


@pytest.fixture
def services() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


def test_the_redis_of_the_compose_file_loses_nothing(services: dict[str, Any]) -> None:
    command = services["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"


def test_service_and_log_writer_share_one_home_and_one_redis(services: dict[str, Any]) -> None:
    service, writer = services["service"], services["log-writer"]
    assert service["environment"] == writer["environment"]
    assert service["volumes"] == writer["volumes"]
    assert "--no-log-writer" in service["command"]
    assert writer["command"][-2:] == ["feature_store.log", "run"]


def test_warming_compiles_what_is_missing() -> None:
    """Beside the sources, where all other tests look: to compile everything twice takes minutes."""
    caches = ROOT / "models" / "bidding" / "__pycache__"
    for kept in caches.glob("frequency.find_uncapped-*.nb?"):
        kept.unlink()
    env = dict(os.environ)
    for name in ("REDIS_URL", "NUMBA_CACHE_DIR"):
        env.pop(name, None)
    warm = [sys.executable, str(ROOT / "deploy" / "warm.py")]
    subprocess.run(warm, cwd=ROOT, env=env, check=True, timeout=900)
    assert list(caches.glob("frequency.find_uncapped-*.nbc")), "a kernel of bids was not kept"


def test_kernels_are_kept_in_the_cache_that_is_named(tmp_path: Path) -> None:
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    compiling = (
        "from feature_store.records import RECORD; from models.bidding import frequency; "
        "frequency.prepare(RECORD)"
    )
    command = [sys.executable, "-c", compiling]
    subprocess.run(command, cwd=tmp_path, env=env, check=True, timeout=300)
    assert [kept.name for kept in tmp_path.rglob("frequency.find_uncapped-*.nbc")]

"""One shop and one model for all tests of the sweep."""

import shutil
from pathlib import Path

import pytest

from feature_store.history import History
from models.churn.model import ChurnModel
from tests.training.sweep.sweeping import learned_model, release, shop


@pytest.fixture(scope="session")
def history() -> History:
    return shop()


@pytest.fixture(scope="session")
def model(history) -> ChurnModel:
    return learned_model(history)


@pytest.fixture(scope="session")
def _released(tmp_path_factory, model) -> Path:
    home = tmp_path_factory.mktemp("released")
    release(home / "bundles", model)
    return home


@pytest.fixture
def home(_released, tmp_path) -> Path:
    """A home with a released model and nothing else."""
    shutil.copytree(_released, tmp_path / "home")
    return tmp_path / "home"

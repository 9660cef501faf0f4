"""What tests share: where the public logs are, if they are here at all."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A first example may have to wait for the compiler, and machines are shared.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of public logs (SANDERLING_DATA, or shared/data beside the project), or a skip."""
    folder = Path(os.environ.get("SANDERLING_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("the public logs are not here (set SANDERLING_DATA)")
    return folder

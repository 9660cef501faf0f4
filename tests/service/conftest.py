"""The app in memory, one for a module of tests."""

from collections.abc import Iterator

import pytest

from tests.service.serving import App, app_in_memory


@pytest.fixture(scope="module")
def _module_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with app_in_memory(tmp_path_factory.mktemp("home")) as app:
        yield app


@pytest.fixture
def app(_module_app: App) -> Iterator[App]:
    """An app over a store in memory, shared by a module's tests: each uses ids of its own."""
    yield _module_app
    _module_app.store.down = _module_app.store.broken = False

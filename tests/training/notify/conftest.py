"""A target for each test that asks for one."""

from collections.abc import Iterator

import pytest

from tests.training.notify.receiving import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made

"""Patience: tried again while the store is away, given up in the end, never for other errors."""

import pytest

from domain.errors import CallerError, StoreUnavailable
from training.importing.patience import WAITS_S, patiently


class Away:
    """A store that is away for a number of calls."""

    def __init__(self, calls: int, error: Exception | None = None) -> None:
        self.left = calls
        self.error = error or StoreUnavailable("away")

    async def call(self) -> str:
        self.left -= 1
        if self.left >= 0:
            raise self.error
        return "here"


async def outlast(away: Away) -> tuple[str, list[float]]:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    return await patiently(away.call, sleep), waited


@pytest.mark.parametrize("calls", [0, 1, len(WAITS_S)])
async def test_waits_longer_each_time(calls: int) -> None:
    assert await outlast(Away(calls)) == ("here", list(WAITS_S[:calls]))


async def test_gives_up_in_the_end() -> None:
    away = Away(99)
    with pytest.raises(StoreUnavailable):
        await outlast(away)
    assert away.left == 99 - len(WAITS_S) - 1


async def test_what_will_not_pass_is_not_waited_for() -> None:
    away = Away(1, CallerError("wrong"))
    with pytest.raises(CallerError):
        await outlast(away)
    assert away.left == 0

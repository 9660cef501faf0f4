"""Numbers picked from the bytes of rows are those that a model takes from the rows themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.clock import DAY_MS, MINUTE_MS
from domain.events import Event, Kind
from feature_store.memory import MemoryStore
from feature_store.store import EntityState
from feature_store.views.catalogue import views_named
from models.bidding.columns import COMMON, NUMBERS, SCORES, SHARED, VIEWS, common_row
from service.states import view_rows
from service.view_numbers import ViewNumbers

NOW = 1_760_000_000_000
CAP = 40
NUMBERS_AT = slice(len(SHARED) + len(SCORES), COMMON)


@pytest.fixture(scope="module")
def numbers() -> ViewNumbers:
    return ViewNumbers()


async def remembered(*events: tuple[int, Kind, int]) -> EntityState:
    """Answer what a store remembers of events: (ms ago, kind, cents)."""
    store = MemoryStore()
    made = [
        Event(f"e{place}", "uada", kind, NOW - ago, item=f"i{place % 3}", value=cents * 10_000)
        for place, (ago, kind, cents) in enumerate(events)
    ]
    await store.append(made, NOW)
    return (await store.read(["uada"])).states[0]


def expected(state: EntityState) -> np.ndarray:
    rows = view_rows(views_named(VIEWS), [state], [NOW], CAP)
    return common_row({}, None, rows)[NUMBERS_AT]


EVENTS = st.lists(
    st.tuples(
        st.integers(-5_000, 60 * MINUTE_MS) | st.integers(0, 200 * DAY_MS),
        st.sampled_from(Kind),
        st.integers(0, 5_000),
    ),
    max_size=60,
)


@settings(max_examples=60)
@given(EVENTS)
async def test_they_are_what_a_model_learned_from(
    numbers: ViewNumbers, events: list[tuple[int, Kind, int]]
) -> None:
    state = await remembered(*events)
    told = numbers.of(state.records, state.lifetime, NOW, CAP)
    if not any(ago > 0 for ago, _, _ in events):
        # Replay says of such a user that nothing is known (Replayed.found).
        assert told is None
        return
    assert told is not None
    assert told.dtype == np.float64
    np.testing.assert_array_equal(told, expected(state))


async def test_known_numbers(numbers: ViewNumbers) -> None:
    state = await remembered(
        (3 * DAY_MS, Kind.purchase, 1_250), (60_000, Kind.click, 0), (30_000, Kind.add_to_cart, 400)
    )
    told = numbers.of(state.records, state.lifetime, NOW, CAP)
    assert told is not None
    named = dict(zip([one.name for one in NUMBERS], told.tolist(), strict=True))
    assert named == {
        "recency": 3.0, "tenure": 3.0, "orders_28d": 1.0, "orders_180d": 1.0, "value_28d": 12.5,
        "lifetime_events": 3.0, "open": 1.0, "session_events": 2.0, "since_last": 30.0,
        "items": 2.0, "cart_items": 1.0, "cart_value": 4.0,
    }  # fmt: skip


async def test_what_there_is_none_of_is_unknown(numbers: ViewNumbers) -> None:
    state = await remembered((2 * DAY_MS, Kind.click, 0))
    told = numbers.of(state.records, state.lifetime, NOW, CAP)
    assert told is not None
    named = dict(zip([one.name for one in NUMBERS], told.tolist(), strict=True))
    assert np.isnan([named["recency"], named["since_last"]]).all()
    assert (named["tenure"], named["open"], named["orders_28d"]) == (2.0, 0.0, 0.0)


async def test_one_user_leaves_nothing_behind_for_the_next(numbers: ViewNumbers) -> None:
    rich = await remembered((DAY_MS, Kind.purchase, 900), (1_000, Kind.add_to_cart, 500))
    poor = await remembered((5 * DAY_MS, Kind.click, 0))
    alone = ViewNumbers().of(poor.records, poor.lifetime, NOW, CAP)
    first = numbers.of(rich.records, rich.lifetime, NOW, CAP)
    second = numbers.of(poor.records, poor.lifetime, NOW, CAP)
    assert first is not None
    kept = first.copy()
    np.testing.assert_array_equal(second, alone)
    np.testing.assert_array_equal(first, kept)

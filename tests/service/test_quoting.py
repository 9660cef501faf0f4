"""Quotes against landscapes whose best bid is known by hand."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.opportunities import AuctionType
from models.bidding.landscape import Landscape, columns_of
from models.bidding.laws import LOGISTIC
from models.bidding.market import confidence_at, prior_landscape
from service.quoting import Asked, quote

MIDDLE = 1_000_000.0
BUCKETS = 16


def known_landscape(middle: float = MIDDLE, deviation: float = 0.01) -> Landscape:
    """Prices are log-logistic with shape 1 about `middle`: P(win) = b / (b + middle)."""
    d = columns_of(BUCKETS) + 1
    weights = np.zeros(d)
    weights[0] = math.log(middle)
    return Landscape(LOGISTIC, weights, np.eye(d) * deviation**2, BUCKETS)


@dataclass
class Ground:
    """A landscape and what it is said to be worth."""

    landscape: Landscape
    unit: float = 1.0
    sure: float | None = None

    def landscape_confidence(self, places: Sequence[int]) -> float:
        return confidence_at(self.landscape, tuple(places)) if self.sure is None else self.sure

    def scale_of(self, currency: str) -> float:
        return self.unit if currency == "EUR" else 1.0


GROUND = Ground(known_landscape())
ASKED = Asked(8_000_000, 2_000_000, 0, 8_000_000, "USD", AuctionType.first, {"exchange": "north"})
BEST = math.sqrt(MIDDLE**2 + MIDDLE * 8_000_000) - MIDDLE


def test_a_first_price_is_shaded_to_the_known_best() -> None:
    found = quote(ASKED, GROUND)
    assert found.price == pytest.approx(BEST, rel=1e-6)
    assert found.win_probability == pytest.approx(BEST / (BEST + MIDDLE), rel=1e-6)
    assert found.confidence > 0.9
    assert (found.propensity, found.reasons) == (1.0, ("shaded",))


def test_a_second_price_is_the_value_itself() -> None:
    found = quote(ASKED._replace(auction=AuctionType.second), GROUND)
    assert (found.price, found.confidence, found.reasons) == (8_000_000, 1.0, ("value",))
    assert found.win_probability == pytest.approx(8 / 9)
    blind = quote(ASKED._replace(auction=AuctionType.second), Ground(known_landscape(), sure=0.0))
    assert (blind.price, blind.win_probability) == (8_000_000, None)


def test_below_a_confidence_of_one_half_it_is_the_standard_bid() -> None:
    unsure = quote(ASKED, Ground(known_landscape(), sure=0.49))
    assert (unsure.price, unsure.confidence) == (2_000_000, 0.49)
    assert unsure.reasons == ("unsure", "standard_bid")
    assert unsure.win_probability == pytest.approx(2 / 3)
    assert quote(ASKED, Ground(known_landscape(), sure=0.5)).reasons == ("shaded",)
    nothing = quote(ASKED, Ground(prior_landscape(14.0), sure=0.0))
    assert (nothing.price, nothing.win_probability) == (2_000_000, None)
    assert nothing.reasons == ("no_landscape", "standard_bid")


def test_a_landscape_that_has_heard_nothing_is_not_trusted() -> None:
    found = quote(ASKED, Ground(prior_landscape(14.0)))
    assert found.confidence < 0.5
    assert found.price == 2_000_000


def test_the_kill_switch_of_learning_leaves_standard_bids() -> None:
    found = quote(ASKED, GROUND, learned=False)
    assert (found.price, found.win_probability, found.confidence) == (2_000_000, None, 0.0)
    assert found.reasons == ("learning_off", "standard_bid")


def test_prices_of_another_currency_are_scaled() -> None:
    """A euro is two of the landscape's units: half the amounts, the same chances."""
    there = Ground(known_landscape(), unit=2.0)
    halved = ASKED._replace(value=4_000_000, cap=4_000_000, currency="EUR")
    assert quote(halved, there).price == pytest.approx(BEST / 2, abs=1)
    assert quote(halved, there).win_probability == pytest.approx(
        quote(ASKED, GROUND).win_probability, rel=1e-5
    )
    for unit in (0.0, math.nan, math.inf, -1.0):
        unknown = quote(halved, replace(there, unit=unit))
        assert (unknown.price, unknown.confidence) == (2_000_000, 0.0)


def test_words_of_the_context_move_the_bid() -> None:
    landscape = known_landscape()
    dear = landscape.places({"exchange": "north"})[1]
    weights = landscape.weights.copy()
    weights[dear] = 1.0
    ground = Ground(replace(landscape, weights=weights))
    north, south = quote(ASKED, ground), quote(ASKED._replace(words={"exchange": "s"}), ground)
    assert north.price is not None
    assert south.price is not None
    assert north.price > south.price


@pytest.mark.parametrize(
    ("change", "price", "reason"),
    [
        ({"floor": 3_000_000}, 3_000_000, "floor"),
        ({"cap": 1_000_000}, 1_000_000, "cap"),
        ({"floor": 9_000_000}, None, "floor"),
        ({"floor": 2_000_000, "cap": 1_000_000}, None, "floor"),
        ({"value": 0}, None, "floor"),
        ({"floor": -5_000_000}, pytest.approx(BEST, rel=1e-6), "shaded"),
        ({"floor": 3_000_000, "auction": AuctionType.second}, 8_000_000, "value"),
        ({"cap": 1_000_000, "auction": AuctionType.second}, 1_000_000, "cap"),
    ],
)
def test_within_value_cap_and_floor(
    change: dict[str, object], price: int | None, reason: str
) -> None:
    found = quote(ASKED._replace(**change), GROUND)
    assert (found.price, found.reasons[-1]) == (price, reason)


@pytest.mark.parametrize("sure", [math.nan, -1.0, 7.0, math.inf])
def test_a_confidence_that_cannot_be_is_none(sure: float) -> None:
    found = quote(ASKED, Ground(known_landscape(), sure=sure))
    assert (found.price, found.confidence, found.win_probability) == (2_000_000, 0.0, None)


@pytest.mark.parametrize("place", [0, -1])
def test_a_landscape_gone_wrong_is_as_none(place: int) -> None:
    landscape = known_landscape()
    landscape.weights[place] = math.nan
    found = quote(ASKED, Ground(landscape, sure=0.9))
    assert found.price is not None
    assert 0 < found.price <= ASKED.value


@given(
    st.integers(0, 10**15), st.integers(0, 10**15), st.integers(-(10**15), 10**15),
    st.integers(0, 10**15), st.sampled_from([AuctionType.first, AuctionType.second]),
    st.floats(0, 1), st.floats(0, 30), st.booleans(),
)  # fmt: skip
def test_no_quote_is_above_value_or_cap_or_below_the_floor(
    value: int, standard: int, floor: int, cap: int, auction: AuctionType, sure: float,
    location: float, learned: bool,
) -> None:  # fmt: skip
    ground = Ground(known_landscape(math.exp(location)), sure=sure)
    asked = Asked(value, standard, floor, cap, "USD", auction, {})
    found = quote(asked, ground, learned=learned)
    assert found.reasons
    assert 0 <= found.confidence <= 1
    if found.price is not None:
        assert max(floor, 1) <= found.price <= min(value, cap)
        assert found.win_probability is None or 0 <= found.win_probability <= 1

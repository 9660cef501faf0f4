"""An auction in targeting's words: the place and what is above it; of the user what is known."""

from typing import NamedTuple

import pytest

from domain.targeting import DEVICES as WORDS
from domain.targeting import Traits
from service.known_user import NOBODY
from service.openrtb.traits import DEVICES, traits_of
from tests.service.openrtb.making import auction


def test_nothing_known() -> None:
    assert traits_of(auction()) == Traits()


def test_what_is_known() -> None:
    read = auction(
        site={"domain": "news.shop.example"},
        device={"os": "iOS", "devicetype": 1,
                "geo": {"country": "DEU", "region": "be", "city": "Berlin"}},
        user={"buyeruid": "somebody"},
    )._replace(exchange="adx")  # fmt: skip
    assert traits_of(read) == Traits(
        geos=("DEU", "DEU/BE", "DEU/BE/berlin"),
        devices=("phone", "tablet"),
        systems=("ios",),
        sites=("news.shop.example", "shop.example"),
        exchanges=("adx",),
    )


class Somebody(NamedTuple):
    """As much of a known user as lines ask for."""

    segments: tuple[str, ...] = ("gold", "tea")
    intent_bands: tuple[str, ...] = ("high",)
    churn_bands: tuple[str, ...] = ("low",)


def test_of_whoever_is_known_segments_and_bands_are_told() -> None:
    read = auction(site={"domain": "shop.example"})
    assert traits_of(read, Somebody()) == Traits(
        segments=("gold", "tea"),
        intent_bands=("high",),
        churn_bands=("low",),
        sites=("shop.example",),
    )
    assert traits_of(read, Somebody((), (), ())) == traits_of(read)
    assert traits_of(read, NOBODY) == traits_of(read)


@pytest.mark.parametrize("number", range(1, 9))
def test_every_device_type_has_a_word(number: int) -> None:
    assert set(DEVICES[number]) <= set(WORDS)
    assert traits_of(auction(device={"devicetype": number})).devices == DEVICES[number]


def test_an_unknown_device_is_none() -> None:
    assert traits_of(auction(device={"devicetype": 42})).devices == ()
    assert traits_of(auction(app={"bundle": "com.Game"})).sites == ("com.game",)

"""Wishes, exclusions and what is unknown; places and sites by their larger ones."""

from dataclasses import replace

import pytest

from domain.targeting import Targeting, Traits, geo_names, site_names, wants

BERLIN = Traits(
    geos=geo_names("DEU", "BE", "Berlin"),
    devices=("phone",),
    systems=("android",),
    segments=("loyal",),
    intent_bands=("high",),
    churn_bands=("low",),
    sites=site_names("sport.news.example"),
    exchanges=("north",),
)


def test_a_targeting_that_asks_for_nothing_wants_everything() -> None:
    assert wants(Targeting(), Traits(), 0)
    assert wants(Targeting(), BERLIN, 167)


@pytest.mark.parametrize(
    "wish",
    [
        {"geos": ("FRA", "DEU")},
        {"geos": ("DEU/BE",)},
        {"geos": ("DEU/BE/berlin",)},
        {"devices": ("tv", "phone")},
        {"systems": ("android",)},
        {"hours": (5,)},
        {"segments": ("loyal",)},
        {"intent_bands": ("high", "medium")},
        {"churn_bands": ("low",)},
        {"sites": ("news.example",)},
        {"exchanges": ("north",)},
    ],
)
def test_one_of_the_values_is_enough_and_none_is_not(wish: dict[str, tuple[object, ...]]) -> None:
    targeting = replace(Targeting(), **wish)
    assert wants(targeting, BERLIN, 5)
    nothing_known = Traits()
    assert not wants(targeting, nothing_known, 6)


def test_every_dimension_must_agree() -> None:
    assert not wants(Targeting(geos=("DEU",), devices=("tv",)), BERLIN, 0)


@pytest.mark.parametrize(
    "shun",
    [{"not_geos": ("DEU/BE",)}, {"not_segments": ("loyal",)}, {"not_sites": ("news.example",)}],
)
def test_what_is_excluded_wins(shun: dict[str, tuple[str, ...]]) -> None:
    assert not wants(replace(Targeting(geos=("DEU",)), **shun), BERLIN, 0)
    assert wants(replace(Targeting(), **shun), Traits(), 0), "the unknown is not excluded"


def test_a_place_lies_in_larger_ones() -> None:
    assert geo_names("deu", "be", "Berlin") == ("DEU", "DEU/BE", "DEU/BE/berlin")
    assert geo_names("DEU", "", "Berlin") == ("DEU", "DEU//berlin")
    assert geo_names("DEU") == ("DEU",)
    assert geo_names("", "BE", "Berlin") == ()


def test_a_site_lies_under_its_domains_down_to_two_parts() -> None:
    assert site_names("A.B.example.com.") == ("a.b.example.com", "b.example.com", "example.com")
    assert site_names("example.com", "Com.App") == ("example.com", "com.app")
    assert site_names("", "com.app") == ("com.app",)
    assert site_names("") == ()


def test_a_domain_of_endless_parts_is_cut() -> None:
    assert len(site_names(".".join("a" * 500))) <= 9

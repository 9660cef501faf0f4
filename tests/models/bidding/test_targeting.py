"""The index answers exactly the lines that the definition names, whatever is asked for."""

from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.targeting import BANDS, DEVICES, Targeting, Traits, geo_names, site_names, wants
from models.bidding.targeting import DIMENSIONS, Mask, TargetingIndex, pack

GEOS = ("DEU", "DEU/BE", "DEU/BE/berlin", "FRA", "FRA/75")
SITES = ("news.example", "sport.news.example", "com.app", "shop.example")
SEGMENTS = ("s1", "s2", "s3", "s4")


def some(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.one_of(
        st.just(()), st.lists(st.sampled_from(values), max_size=3, unique=True).map(tuple)
    )


WISHES = st.builds(
    Targeting,
    geos=some(GEOS),
    not_geos=some(GEOS),
    devices=some(DEVICES),
    systems=some(("ios", "android")),
    segments=some(SEGMENTS),
    not_segments=some(SEGMENTS),
    intent_bands=some(BANDS),
    churn_bands=some(BANDS),
    sites=some(SITES),
    not_sites=some(SITES),
    exchanges=some(("north", "south")),
)
PLACES = st.sampled_from([("", ""), ("DEU", ""), ("DEU", "BE"), ("FRA", "75"), ("ZZZ", "")])
TRAITS = st.builds(
    Traits,
    geos=PLACES.map(lambda place: geo_names(*place)),
    devices=some(DEVICES),
    systems=some(("ios", "android", "other")),
    segments=some((*SEGMENTS, "unheard")),
    intent_bands=some(BANDS),
    churn_bands=some(BANDS),
    sites=st.sampled_from(["", "a.sport.news.example", "shop.example", "x.example"]).map(
        lambda domain: site_names(domain, "com.app" if domain else "")
    ),
    exchanges=some(("north", "south")),
)


def found(index: TargetingIndex, traits: Traits, mask: Mask | None = None) -> set[int]:
    """Answer the places, in what was given, of the lines that match."""
    numbers = index.match(traits, mask).tolist()
    assert numbers == sorted(set(numbers))
    return {int(index.order[number]) for number in numbers}


def naive(lines: list[Targeting], traits: Traits) -> set[int]:
    return {place for place, line in enumerate(lines) if wants(line, traits, 0)}


@settings(max_examples=100, deadline=None)
@given(st.lists(WISHES, max_size=20), st.lists(TRAITS, min_size=1, max_size=4))
def test_the_index_agrees_with_the_definition(lines: list[Targeting], asked: list[Traits]) -> None:
    index = TargetingIndex.of(lines)
    for traits in (*asked, *asked):
        assert found(index, traits) == naive(lines, traits)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99), TRAITS)
def test_thousands_of_lines_agree_too(seed: int, traits: Traits) -> None:
    random = Random(seed)
    lines = [
        Targeting(
            geos=tuple(random.sample(GEOS, random.randrange(3))),
            devices=tuple(random.sample(DEVICES, random.randrange(3))),
            not_segments=tuple(random.sample(SEGMENTS, random.randrange(2))),
            exchanges=tuple(random.sample(("north", "south"), random.randrange(2))),
        )
        for _ in range(4_500)
    ]
    index = TargetingIndex.of(lines)
    flags = np.array([random.random() < 0.5 for _ in lines], np.bool_)
    expected = naive(lines, traits)
    assert found(index, traits) == expected
    masked = found(index, traits, Mask.of(flags))
    assert masked == {place for place in expected if flags[index.order.tolist().index(place)]}


def test_no_lines_at_all_match_nothing() -> None:
    assert found(TargetingIndex.of([]), Traits()) == set()


def test_a_mask_hides_lines_in_the_last_and_the_first_word() -> None:
    index = TargetingIndex.of([Targeting()] * 130)
    flags = np.ones(130, np.bool_)
    flags[[0, 63, 64, 129]] = False
    assert found(index, Traits(), Mask.of(flags)) == set(range(130)) - {0, 63, 64, 129}
    assert found(index, Traits(), Mask.of(np.zeros(130, np.bool_))) == set()


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_a_wish_in_each_dimension_counts_alone(dimension: str) -> None:
    index = TargetingIndex.of([Targeting(**{dimension: ("a",)}), Targeting()])
    assert found(index, Traits()._replace(**{dimension: ("a", "b")})) == {0, 1}
    assert found(index, Traits()._replace(**{dimension: ("b",)})) == {1}
    assert found(index, Traits()) == {1}


def test_an_opportunity_of_very_many_segments_is_answered_from_the_first_of_them() -> None:
    index = TargetingIndex.of([Targeting(segments=("s0",)), Targeting(segments=("s5000",))])
    asked = Traits(segments=tuple(f"s{number}" for number in range(6_000)))
    assert found(index, asked) == {0}
    twice = Traits(segments=("s0",) * 6_000)
    assert found(index, twice) == {0}


def test_what_is_remembered_of_a_dimension_is_bounded() -> None:
    index = TargetingIndex.of([Targeting(sites=("a.example",))])
    for number in range(5_000):
        assert not found(index, Traits(sites=(f"x{number}.example",)))
    assert found(index, Traits(sites=("a.example",))) == {0}
    assert max(len(memory) for memory in index._memories) <= 4_096


def test_lines_that_ask_alike_lie_together() -> None:
    wishes = [Targeting(geos=(GEOS[number % 5],)) for number in range(50)]
    index = TargetingIndex.of(wishes)
    shown = [wishes[place].geos for place in index.order]
    assert sum(a != b for a, b in pairwise(shown)) == 4


def test_flags_are_packed_lowest_bit_first() -> None:
    flags = np.zeros(70, np.bool_)
    flags[[0, 65]] = True
    assert pack(flags).tolist() == [1, 2]
    assert pack(np.zeros((3, 0), np.bool_)).shape == (3, 1)

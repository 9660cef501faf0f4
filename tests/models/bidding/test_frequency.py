"""Caps count what a user saw of a campaign within a window, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.campaigns import Campaign, FrequencyCap
from domain.events import Kind
from domain.ids import hash32
from models.bidding.frequency import Caps

NOW = 1_760_000_000_000
HISTORY = np.dtype([("at", "<i8"), ("kind", "u1"), ("campaign", "<u4")])
Row = tuple[int, Kind, str]


def history(*rows: Row) -> np.ndarray:
    made = [(NOW - ago, kind, hash32(name)) for ago, kind, name in rows]
    return np.array(sorted(made), HISTORY)


def campaign(name: str, *caps: tuple[int, int]) -> Campaign:
    return Campaign(name, frequency=tuple(FrequencyCap(*cap) for cap in caps))


def test_a_campaign_is_shown_until_its_cap_and_not_beyond() -> None:
    caps = Caps([campaign("a", (2, 1_000)), campaign("b")])
    once = history((10, Kind.impression, "a"))
    twice = history((10, Kind.impression, "a"), (20, Kind.impression, "a"))
    assert caps.capped(once, NOW).tolist() == [False, False]
    assert caps.capped(twice, NOW).tolist() == [True, False]
    assert caps.capped(twice, NOW + 990).tolist() == [False, False], "the older one has left"


def test_other_kinds_and_other_campaigns_do_not_count() -> None:
    caps = Caps([campaign("a", (1, 1_000))])
    assert not caps.capped(history((1, Kind.click, "a"), (2, Kind.impression, "b")), NOW).any()
    assert not caps.capped(np.zeros(0, HISTORY), NOW).any()


def test_the_tightest_of_several_caps_counts() -> None:
    rows = history((5_000, Kind.impression, "a"), (6_000, Kind.impression, "a"))
    assert Caps([campaign("a", (3, 10_000), (2, 8_000))]).capped(rows, NOW).all()
    assert not Caps([campaign("a", (3, 10_000), (2, 5_500))]).capped(rows, NOW).any()


@pytest.mark.parametrize("count", [0, 1])
def test_without_campaigns_nothing_is_answered(count: int) -> None:
    assert Caps([]).capped(history(*[(1, Kind.impression, "a")] * count), NOW).shape == (0,)


ROWS = st.lists(
    st.tuples(
        st.integers(0, 60), st.sampled_from([Kind.impression, Kind.click]), st.sampled_from("abc")
    ),
    max_size=20,
)
CAPS = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 60)), max_size=4)


@settings(max_examples=150, deadline=None)
@given(ROWS, st.lists(CAPS, min_size=1, max_size=3))
def test_it_agrees_with_a_count_by_hand(rows: list[Row], caps: list[list[tuple[int, int]]]) -> None:
    campaigns = [campaign(name, *own) for name, own in zip("abc", caps, strict=False)]
    expected = [
        any(
            sum(
                kind == Kind.impression and name == one.campaign and ago < cap.window_ms
                for ago, kind, name in rows
            )
            >= cap.impressions
            for cap in one.frequency
        )
        for one in campaigns
    ]
    assert Caps(campaigns).capped(history(*rows), NOW).tolist() == expected

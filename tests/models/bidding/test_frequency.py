"""Caps count what a user saw of a campaign within a window, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.campaigns import Campaign, FrequencyCap
from domain.events import Kind
from domain.ids import hash32
from models.bidding.frequency import Caps, prepare, uncapped_lines

NOW = 1_760_000_000_000
HISTORY = np.dtype([("at", "<i8"), ("kind", "u1"), ("campaign", "<u4")])
Row = tuple[int, Kind, str]


def history(*rows: Row) -> np.ndarray:
    made = [(NOW - ago, kind, hash32(name)) for ago, kind, name in rows]
    return np.array(sorted(made), HISTORY)


def campaign(name: str, *caps: tuple[int, int]) -> Campaign:
    return Campaign(name, frequency=tuple(FrequencyCap(*cap) for cap in caps))


def capped(caps: Caps, seen: np.ndarray, now: int = NOW) -> list[bool]:
    """Answer of each campaign, with a line of its own, whether the line is dropped."""
    lines = np.arange(len(caps.campaigns), dtype=np.int32)
    stay = uncapped_lines(seen, caps, lines, lines, now)
    return [line not in stay for line in lines]


def by_hand(campaigns: list[Campaign], rows: list[Row]) -> list[bool]:
    return [
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


def test_a_campaign_is_shown_until_its_cap_and_not_beyond() -> None:
    caps = Caps([campaign("a", (2, 1_000)), campaign("b")])
    once = history((10, Kind.impression, "a"))
    twice = history((10, Kind.impression, "a"), (20, Kind.impression, "a"))
    assert capped(caps, once) == [False, False]
    assert capped(caps, twice) == [True, False]
    assert capped(caps, twice, NOW + 990) == [False, False], "the older one has left"


def test_other_kinds_and_other_campaigns_do_not_count() -> None:
    caps = Caps([campaign("a", (1, 1_000))])
    assert capped(caps, history((1, Kind.click, "a"), (2, Kind.impression, "b"))) == [False]
    assert capped(caps, np.zeros(0, HISTORY)) == [False]


def test_the_tightest_of_several_caps_counts() -> None:
    rows = history((5_000, Kind.impression, "a"), (6_000, Kind.impression, "a"))
    assert capped(Caps([campaign("a", (3, 10_000), (2, 8_000))]), rows) == [True]
    assert capped(Caps([campaign("a", (3, 10_000), (2, 5_500))]), rows) == [False]


@pytest.mark.parametrize("count", [0, 1])
def test_without_campaigns_nothing_is_answered(count: int) -> None:
    assert capped(Caps([]), history(*[(1, Kind.impression, "a")] * count)) == []


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
    assert capped(Caps(campaigns), history(*rows)) == by_hand(campaigns, rows)


def left(
    caps: list[Campaign], owners: list[int], seen: np.ndarray | None, lines: list[int] | None = None
) -> list[int]:
    """Answer the lines that stay, of all unless told."""
    numbers = np.arange(len(owners), dtype=np.int32) if lines is None else np.array(lines, np.int32)
    return uncapped_lines(seen, Caps(caps), np.array(owners, np.int32), numbers, NOW).tolist()


def test_lines_of_a_capped_campaign_are_dropped_and_all_others_stay_in_order() -> None:
    caps = [campaign("a", (1, 1_000)), campaign("b"), campaign("c", (2, 1_000))]
    seen = history((10, Kind.impression, "a"), (20, Kind.impression, "c"))
    assert left(caps, [0, 1, 2, 0, 1], seen) == [1, 2, 4]
    assert left(caps, [0, 1, 2, 0, 1], seen, [3, 2]) == [2]
    assert left(caps, [0], seen, [0]) == []
    assert left(caps, [0, 1], seen, []) == []


def test_nothing_is_counted_where_nobody_is_known_or_nothing_is_capped() -> None:
    lines = np.array([0], np.int32)
    seen, owners = history((10, Kind.impression, "a")), np.zeros(1, np.int32)
    plain, some = Caps([campaign("a")]), Caps([campaign("a", (1, 1_000))])
    assert (plain.some, some.some, Caps([]).some) == (False, True, False)
    assert uncapped_lines(seen, plain, owners, lines, NOW) is lines
    assert uncapped_lines(None, some, owners, lines, NOW) is lines
    assert uncapped_lines(seen[:0], some, owners, lines, NOW) is lines
    assert uncapped_lines(seen, some, owners, lines, NOW).tolist() == []


def test_it_counts_in_read_only_bytes_as_a_store_answers_them() -> None:
    prepare(HISTORY)
    seen = np.frombuffer(history((10, Kind.impression, "a")).tobytes(), HISTORY)
    assert not seen.flags.writeable
    assert left([campaign("a", (1, 1_000)), campaign("b", (1, 1_000))], [0, 1], seen) == [1]


@settings(max_examples=100, deadline=None)
@given(ROWS, st.lists(CAPS, min_size=3, max_size=3), st.lists(st.integers(0, 2), max_size=8))
def test_lines_left_are_those_whose_campaign_is_not_capped(
    rows: list[Row], caps: list[list[tuple[int, int]]], owners: list[int]
) -> None:
    campaigns = [campaign(name, *own) for name, own in zip("abc", caps, strict=True)]
    seen = history(*rows)
    over = by_hand(campaigns, rows)
    expected = [line for line, owner in enumerate(owners) if not over[owner]]
    assert left(campaigns, owners, seen) == expected

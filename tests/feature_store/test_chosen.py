"""What every store promises of the answers that were given, checked against each of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clock import FixedClock
from feature_store.chosen import (
    MARKS,
    MOST_PLACES,
    Chosen,
    MemoryChosen,
    pack_chosen,
    parse_chosen,
)
from feature_store.store import Store

NOW = 1_760_000_000_000
HOUR = 3_600_000
ONE = Chosen("d1", NOW, "home-ü", 3, (1.0, -0.5), (7, 2**64 - 1, 9), (0, 2))


async def test_what_was_given_is_found_by_its_decision(store: Store) -> None:
    other = Chosen("d2", NOW + 1, "", 0, (), ())
    await store.chosen.put([ONE, other], HOUR)
    assert await store.chosen.get(["d2", "none", "d1"]) == [other, None, ONE]
    assert await store.chosen.get([]) == []
    await store.chosen.put([], HOUR)


async def test_a_mark_is_new_once(store: Store) -> None:
    assert await store.chosen.mark([("d1", 0), ("d1", MARKS - 1), ("d1", 0)], HOUR) == [
        True, True, False,
    ]  # fmt: skip
    assert await store.chosen.mark([("d2", 0), ("d1", 0), ("d1", 1)], HOUR) == [True, False, True]
    assert await store.chosen.mark([], HOUR) == []


async def test_marks_of_many_answers_are_told_in_their_order(store: Store) -> None:
    marks = [(f"m{number * 7 % 150}", number % 3) for number in range(450)]
    seen = set[tuple[str, int]]()
    wanted = [one not in seen and not seen.add(one) for one in marks]
    assert await store.chosen.mark(marks, HOUR) == wanted
    assert not any(await store.chosen.mark(marks, HOUR))


async def test_no_mark_is_larger_than_marks_are(store: Store) -> None:
    for wrong in (-1, MARKS):
        with pytest.raises(ValueError, match="a mark"):
            await store.chosen.mark([("d1", 5), ("d1", wrong)], HOUR)
    assert await store.chosen.mark([("d1", 5)], HOUR) == [True], "all or none"


async def test_many_at_once_and_odd_ids(store: Store) -> None:
    many = [ONE._replace(decision=f"d{number}", at=number) for number in range(1_000)]
    await store.chosen.put(many, HOUR)
    assert await store.chosen.get([one.decision for one in many]) == many
    odd = ["", " ", "{", "}{x}", "ü" * 64, "a\nb", "*"]
    assert await store.chosen.get(odd) == [None] * len(odd)
    await store.chosen.put([ONE._replace(decision=name) for name in odd], HOUR)
    assert [one and one.decision for one in await store.chosen.get(odd)] == odd
    assert all(await store.chosen.mark([(name, 1) for name in odd], HOUR))


async def test_what_is_larger_than_answers_are_is_refused(store: Store) -> None:
    for wrong in (ONE._replace(page="p" * 256), ONE._replace(context=(0.0,) * 17)):
        with pytest.raises(ValueError, match="longer"):
            await store.chosen.put([ONE, wrong], HOUR)
    assert await store.chosen.get(["d1"]) == [None], "all or none"


async def test_in_memory_it_ends_in_time() -> None:
    clock = FixedClock(NOW)
    chosen = MemoryChosen(clock)
    await chosen.put([ONE], HOUR)
    assert await chosen.mark([("d1", 1)], HOUR) == [True]
    clock.now_ms += HOUR - 1
    assert await chosen.get(["d1"]) == [ONE]
    assert await chosen.mark([("d2", 1)], HOUR) == [True]
    clock.now_ms += 1
    assert await chosen.get(["d1"]) == [None]


@given(
    st.text(max_size=40), st.integers(0, 1 << 50), st.integers(0, 255),
    st.lists(st.floats(width=32, allow_nan=False), max_size=16),
    st.lists(st.integers(0, 2**64 - 1), max_size=MOST_PLACES),
    st.sets(st.integers(0, MOST_PLACES - 1)),
)  # fmt: skip
def test_every_answer_comes_back(
    page: str, at: int, arm: int, context: list[float], items: list[int], explored: set[int]
) -> None:
    one = Chosen("d", at, page, arm, tuple(context), tuple(items), tuple(sorted(explored)))
    assert parse_chosen("d", pack_chosen(one)) == one


def test_places_beyond_the_most_are_left_out() -> None:
    long = ONE._replace(items=tuple(range(100)), explored=(3, 99))
    found = parse_chosen("d1", pack_chosen(long))
    assert found is not None
    assert (len(found.items), found.explored) == (MOST_PLACES, (3,))


@given(st.binary(max_size=200))
def test_other_bytes_are_no_answer_or_one(held: bytes) -> None:
    found = parse_chosen("d", held)
    assert found is None or len(found.context) <= 255


def test_a_cut_answer_is_none() -> None:
    held = pack_chosen(ONE)
    assert all(parse_chosen("d1", held[:end]) is None for end in range(len(held)))

"""The words of events by known answers: rows, steps, what is known, and no look ahead."""

import numpy as np
import pytest

from domain.clock import HOUR_MS
from domain.events import KINDS, Kind
from models.intent.vocabulary import (
    FIELDS,
    FIRST_KNOWN,
    PLACES,
    STEPS,
    Columns,
    Vocabulary,
    learn_vocabulary,
    plain,
)

CLICK, CART, BUY = int(Kind.click), int(Kind.add_to_cart), int(Kind.purchase)


def columns(
    kinds: list[int],
    items: list[int] | None = None,
    categories: list[int] | None = None,
    values: list[int] | None = None,
    ats: list[int] | None = None,
) -> Columns:
    n = len(kinds)
    return Columns(
        np.array(kinds, np.int8),
        np.array(items or [0] * n, np.uint64),
        np.array(categories or [0] * n, np.int32),
        np.array(values or [0] * n, np.int64),
        np.array(ats or [1000 * k for k in range(n)], np.int64),
    )


def whole(own: Columns) -> np.ndarray:
    return np.array([0, len(own.ats)])


@pytest.fixture
def words() -> Vocabulary:
    return learn_vocabulary(
        columns(
            [CLICK, CART, BUY, CLICK],
            items=[7, 2**63 + 1, 7, 9],
            categories=[3, 4, 3, 3],
            values=[0, 10, 20, 30],
        )
    )


def field(words: Vocabulary, own: Columns, name: str) -> list[int]:
    """The rows of one field within its own part of the table."""
    place = FIELDS.index(name)
    first = int(words.sizes[:place].sum())
    return (words.words(own, whole(own)).codes[:, place] - first).tolist()


def step(words: Vocabulary, own: Columns, name: str) -> np.ndarray:
    return words.words(own, whole(own)).steps[:, STEPS.index(name)]


def test_every_row_lies_in_its_fields_part_of_the_table(words: Vocabulary) -> None:
    rng = np.random.default_rng(0)
    n = 500
    own = Columns(
        rng.integers(-128, 128, n).astype(np.int8),
        rng.integers(0, 2**64, n, np.uint64),
        rng.integers(0, 2**31, n).astype(np.int32),
        rng.integers(-(2**60), 2**60, n),
        np.sort(rng.integers(0, 2**50, n)),
    )
    codes = words.words(own, whole(own)).codes
    ends = np.cumsum(words.sizes)
    assert (codes < ends).all()
    assert (codes >= ends - words.sizes).all()


def test_kinds_have_a_row_each_and_those_not_met_share_one(words: Vocabulary) -> None:
    own = columns([CLICK, CART, int(Kind.search), -1, 100])
    assert field(words, own, "kind") == [CLICK, CART, KINDS, KINDS, KINDS]


@pytest.mark.parametrize(("name", "none"), [("item", 0), ("category", 0)])
def test_nothing_has_another_row_than_something_unknown(
    words: Vocabulary, name: str, none: int
) -> None:
    own = columns([CLICK] * 3, items=[0, 5, 7], categories=[0, 5, 3])
    rows = field(words, own, name)
    assert rows[:2] == [none, 1]
    assert rows[2] >= FIRST_KNOWN


def test_the_unknown_rows_are_those_that_unknown_things_get(words: Vocabulary) -> None:
    own = columns([CLICK], items=[5], categories=[5])
    assert words.words(own, whole(own)).codes[0, 1:3].tolist() == words.unknown.tolist()


def test_prices_fall_in_classes_and_none_is_a_class(words: Vocabulary) -> None:
    own = columns([CLICK] * 4, values=[0, 1, 15, 10**12])
    rows = field(words, own, "price")
    assert rows[0] == 0
    assert sorted(rows) == rows
    assert len(set(rows)) == 4


def test_the_hour_is_of_the_day_in_utc(words: Vocabulary) -> None:
    own = columns([CLICK] * 2, ats=[5 * HOUR_MS, 29 * HOUR_MS + 1])
    assert field(words, own, "hour") == [5, 5]


def test_late_places_share_the_last_row(words: Vocabulary) -> None:
    assert field(words, columns([CLICK] * 40), "place") == [*range(PLACES), *[PLACES - 1] * 8]


def test_steps_by_hand(words: Vocabulary) -> None:
    own = columns(
        [CLICK, CART, CART, BUY],
        items=[7, 8, 7, 7],
        categories=[3, 3, 4, 0],
        ats=[0, 1000, 4000, 4000],
    )
    assert np.expm1(step(words, own, "gap")) == pytest.approx([0, 1, 3, 0])
    assert np.expm1(step(words, own, "elapsed")) == pytest.approx([0, 1, 4, 4])
    assert np.expm1(step(words, own, "place")) == pytest.approx([1, 2, 3, 4])
    assert np.expm1(step(words, own, "item_again")) == pytest.approx([0, 0, 1, 2])
    assert np.expm1(step(words, own, "category_again")) == pytest.approx([0, 1, 0, 0])
    assert np.expm1(step(words, own, "carts")) == pytest.approx([0, 1, 2, 2])
    assert np.expm1(step(words, own, "purchases")) == pytest.approx([0, 0, 0, 1])


def test_a_late_event_costs_no_time(words: Vocabulary) -> None:
    own = columns([CLICK] * 3, ats=[5000, 2000, 6000])
    assert np.expm1(step(words, own, "gap")) == pytest.approx([0, 0, 1])


def test_sessions_do_not_touch_each_other(words: Vocabulary) -> None:
    own = columns([CLICK, CART, CLICK, CLICK], items=[7, 7, 7, 7])
    apart = words.words(own, np.array([0, 2, 4]))
    alone = words.words(Columns(*(one[2:] for one in own)), np.array([0, 2]))
    assert np.array_equal(apart.codes[2:], alone.codes)
    assert np.array_equal(apart.steps[2:], alone.steps)


def test_an_event_never_sees_the_next(words: Vocabulary) -> None:
    own = columns([CLICK, CART, CLICK, BUY], items=[7, 8, 7, 9], categories=[3, 4, 4, 3])
    full = words.words(own, whole(own))
    for n in range(1, 5):
        part = Columns(*(one[:n] for one in own))
        found = words.words(part, whole(part))
        assert np.array_equal(found.codes, full.codes[:n])
        assert np.array_equal(found.steps, full.steps[:n])
        assert np.array_equal(found.known, full.known[:n], equal_nan=True)


def test_known_tells_what_was_met_and_nan_where_there_is_nothing(words: Vocabulary) -> None:
    own = columns([CLICK, int(Kind.search)], items=[7, 0], categories=[5, 0])
    known = words.words(own, whole(own)).known
    assert known[0].tolist() == [1, 1, 0]
    assert known[1, 0] == 0
    assert np.isnan(known[1, 1:]).all()


def test_only_the_commonest_items_are_known_when_there_are_too_many() -> None:
    own = columns([CLICK] * 6, items=[1, 1, 1, 2, 2, 3])
    assert learn_vocabulary(own, most_items=2).items.tolist() == [1, 2]


def test_hashed_rows_are_bounded() -> None:
    own = columns([CLICK] * 300, items=list(range(1, 301)), categories=list(range(1, 301)))
    words = learn_vocabulary(own, most_rows=64)
    assert (words.item_buckets, words.category_buckets) == (64, 16)


def test_a_log_without_items_or_prices_is_a_vocabulary_too() -> None:
    words = learn_vocabulary(columns([CLICK, CART]))
    own = columns([CLICK], items=[4], values=[10])
    assert field(words, own, "item") == [1]
    assert field(words, own, "price") == [1]


def test_columns_of_different_lengths_are_refused(words: Vocabulary) -> None:
    own = columns([CLICK, CART])
    with pytest.raises(ValueError, match="different lengths"):
        words.words(own._replace(items=own.items[:1]), np.array([0, 2]))
    with pytest.raises(ValueError, match="different lengths"):
        words.words(own, np.array([0, 3]))


def test_values_that_are_no_number_count_as_none() -> None:
    own = columns([CLICK] * 4)._replace(values=np.array([np.nan, np.inf, -np.inf, 5.0]))
    assert plain(own).values.tolist() == [0, 0, 0, 5]


def test_it_comes_back_from_its_arrays(words: Vocabulary) -> None:
    again = Vocabulary.from_arrays(words.arrays())
    own = columns([CLICK, CART], items=[7, 5], categories=[3, 9], values=[11, 25])
    assert np.array_equal(again.words(own, whole(own)).codes, words.words(own, whole(own)).codes)


def test_a_vocabulary_of_another_release_is_refused(words: Vocabulary) -> None:
    with pytest.raises(ValueError, match="another release"):
        Vocabulary.from_arrays({**words.arrays(), "kinds": np.ones(KINDS - 1, np.bool_)})

"""Praise is learned from the log's own stars. Texts here are made up: no log at hand has any."""

import json

import numpy as np
import polars as pl
import pytest

from domain.events import Kind
from domain.items import Item
from feature_store.records import HAS_VALUE
from training.fit.facts import facts_of
from training.fit.sentiment import (
    ATTRIBUTE,
    Reviewed,
    Reviews,
    Tone,
    reviews_in,
    tone_by_item,
    tones_of,
    with_tones,
)

GOOD = ["lovely and light", "works well, love it", "sehr gut, gerne wieder", "not bad at all"]
BAD = ["broke at once", "smells bad", "schlecht, nie wieder", "not good at all"]


def reviews(n: int = 200, silent: int = 40) -> Reviews:
    """Half praise half blame; the last `silent` of them without stars."""
    texts = [(GOOD if i % 2 else BAD)[i // 2 % 4] for i in range(n)]
    stars = np.array([5.0 if i % 2 else 1.0 for i in range(n)])
    stars[:10] = 3.0
    stars[n - silent :] = np.nan
    return Reviews([f"i{i % 2}" for i in range(n)], texts, stars)


def test_texts_without_stars_are_told_by_those_with():
    found, tones = reviews(), tones_of(reviews())
    assert tones is not None
    silent = np.isnan(found.stars)
    praised = np.array([text in GOOD for text in found.texts])
    assert (tones[silent & praised] > 0.7).all()
    assert (tones[silent & ~praised] < 0.3).all()
    assert tones[:10] == pytest.approx(0.5)
    np.testing.assert_array_equal(tones, tones_of(reviews()))


@pytest.mark.parametrize("stars", [np.nan, 4.0])
def test_stars_that_do_not_differ_teach_nothing(stars):
    found = Reviews(["i"] * 200, GOOD * 50, np.full(200, stars))
    assert tones_of(found) is None
    assert tone_by_item(found) == {}


def test_too_few_of_one_sort_teach_nothing():
    found = reviews()
    found.stars[np.flatnonzero(found.stars == 1.0)[29:]] = 5.0
    assert tones_of(found) is None


def test_items_are_shrunk_to_the_average_the_more_the_less_is_said():
    tones = tone_by_item(Reviews(
        [*["a"] * 100, *["b"] * 99, "c"], ["x"] * 200, np.array([1.0] * 100 + [5.0] * 100)
    ))  # fmt: skip
    assert tones["a"] == Tone(0.0, 100, pytest.approx(2.5 / 105))
    assert tones["c"] == Tone(1.0, 1, pytest.approx(3.5 / 6))
    assert tones["b"].shrunk > 0.95


def test_the_attribute_goes_to_items_with_reviews_enough_listed_or_not():
    mug = Item("mug", "Mug", attributes={"colour": "blue"})
    tones = {"mug": Tone(1, 9, 1.0), "pen": Tone(0, 3, 0.21), "cup": Tone(1, 2, 0.9)}
    found = with_tones({"mug": mug, "jar": Item("jar")}, tones)
    assert found["mug"].attributes == {"colour": "blue", ATTRIBUTE: "5"}
    assert found["mug"].title == "Mug"
    assert found["pen"].attributes == {ATTRIBUTE: "2"}
    assert set(found) == {"mug", "pen", "jar"}
    assert not found["jar"].attributes


def test_reviews_are_found_among_the_rows_of_a_log():
    rows = [
        ("a", Kind.rating, 4_000_000, HAS_VALUE, json.dumps({"text": "fine"})),
        ("b", Kind.rating, 0, 0, json.dumps({"review": "good", "text": " "})),
        ("c", Kind.rating, 5_000_000, HAS_VALUE, json.dumps({"text": 7, "stars": "good"})),
        ("d", Kind.rating, 5_000_000, HAS_VALUE, "not json"),
        ("e", Kind.rating, 5_000_000, HAS_VALUE, "[1]"),
        ("f", Kind.purchase, 5_000_000, HAS_VALUE, json.dumps({"text": "gift note"})),
        ("", Kind.rating, 5_000_000, HAS_VALUE, json.dumps({"text": "shop"})),
        ("g", Kind.rating, 5_000_000, HAS_VALUE, ""),
    ]
    names = ["at", "item", "kind", "value", "flags", "properties"]
    numbered = [(at, a, int(b), *rest) for at, (a, b, *rest) in enumerate(rows)]
    found = reviews_in(pl.DataFrame(numbered, names, orient="row"))
    assert found.ats.tolist() == [0, 1]
    assert (found.items, found.texts) == (["a", "b"], ["fine", "good"])
    np.testing.assert_array_equal(found.stars, [4.0, np.nan])


def test_what_is_written_later_is_not_known_before():
    """Praise until 200, then blame: as of 200 nobody has heard of it."""
    said = reviews(400, silent=0)
    early = Reviews(said.items, said.texts, said.stars, np.arange(400))
    late = Reviews(["i1"] * 300, [BAD[0]] * 300, np.ones(300), np.arange(300) + 1_000)
    whole = Reviews(
        [*early.items, *late.items],
        [*early.texts, *late.texts],
        np.concatenate([early.stars, late.stars]),
        np.concatenate([early.ats, late.ats]),
    )
    assert early.before(200).texts == early.texts[:200]
    catalogue = Reviewed({"i0": Item("i0", "Mug")}, whole)
    facts = facts_of(["i1", "i0", "i9"], catalogue)
    assert facts.items == (None, Item("i0", "Mug"), None)
    then, now = facts.before(400), facts.before(2_000)
    assert [one and one.attributes for one in then.items] == [
        {ATTRIBUTE: "5"}, {ATTRIBUTE: "1"}, None,
    ]  # fmt: skip
    assert now.items[0] is not None
    assert int(str(now.items[0].attributes[ATTRIBUTE])) < 4
    assert facts.before(400) is then
    assert facts.before(0).items == facts.items


def test_a_catalogue_without_reviews_is_the_same_at_any_time():
    plain = facts_of(["i0"], Reviewed({"i0": Item("i0")}, Reviews([], [], np.zeros(0))))
    assert plain.before(0) is plain
    assert not Reviewed({}, Reviews([], [], np.zeros(0)))
    assert Reviewed({}, reviews())

"""The learned content space: against scikit-learn, on two genres, and for items nobody had."""

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD

from domain.items import Item
from models.recommend.content import Content
from tests.models.recommend.small import past_of
from training.fit.content import bands_of, fit_content, singular_axes, wording_of
from training.fit.facts import ItemFacts, facts_of
from training.fit.sentiment import Tone, with_tones
from training.splits import Interactions

PARAMS = {"dimensions": 8, "ridge": 1.0, "decay": 0.9, "trust": 0.4}
N = 40
"""Half of the items are of the one genre, half of the other."""


def items_of(n: int = N) -> list[Item]:
    rng = np.random.default_rng(1)
    words = [["star", "ship", "alien", "laser"], ["love", "letter", "rose", "spring"]]
    return [
        Item(
            f"i{i}",
            " ".join(rng.choice(words[i % 2], 2)) + f" {rng.integers(9)}",
            ("space" if i % 2 == 0 else "heart",),
            {"year": float(1990 + i)},
        )
        for i in range(n)
    ]


def genre_log(n: int = N, users: int = 120) -> Interactions:
    """Users who stay within one genre each."""
    rng = np.random.default_rng(2)
    rows = [rng.permutation(np.arange(user % 2, n, 2))[:8] for user in range(users)]
    items = np.concatenate(rows).astype(np.int32)
    e = len(items)
    return Interactions(
        n,
        np.arange(0, e + 1, 8),
        items,
        np.ones(e, np.uint8),
        np.arange(e, dtype=np.int64) * 1000,
        np.tile(np.arange(8), users),
        np.ones(e, np.float32),
    )


@pytest.fixture(scope="module")
def learned() -> Content:
    return fit_content(genre_log(), ItemFacts(tuple(items_of())), 10**9, PARAMS)


def test_each_genre_calls_for_its_own(learned):
    assert learned.speaks
    out = np.empty(N, np.float32)
    for item in (0, 1, 6, 7):
        learned.score(past_of([item]), out)
        assert out[item % 2 :: 2].min() > out[1 - item % 2 :: 2].max()


def test_an_item_nobody_had_gets_what_the_fit_gives_for_the_same_facts(learned):
    for number in (0, 7, 39):
        vector, profile = learned.entry(items_of()[number])
        np.testing.assert_array_equal(vector, learned.vectors[number])
        # Its profile is told from its content, which knows the genre.
        own, other = learned.vectors[number % 2 :: 2], learned.vectors[1 - number % 2 :: 2]
        assert (own @ profile).min() > (other @ profile).max()


def test_an_item_held_out_finds_its_genre():
    items = items_of(N + 2)
    learned = fit_content(genre_log(), ItemFacts(tuple(items[:N])), 10**9, PARAMS)
    for number in (N, N + 1):
        vector, _ = learned.entry(items[number])
        taken = learned.profiles @ vector
        assert taken[number % 2 :: 2].min() > taken[1 - number % 2 :: 2].max()


def test_the_same_facts_and_events_give_the_same_member(learned):
    again = fit_content(genre_log(), ItemFacts(tuple(items_of())), 10**9, PARAMS)
    for name, array in learned.arrays().items():
        np.testing.assert_array_equal(array, again.arrays()[name], name)


@pytest.mark.parametrize("facts", [None, ItemFacts((None,) * N), ItemFacts((Item("i"),) * N)])
def test_without_facts_there_is_nothing_to_say(facts):
    learned = fit_content(genre_log(), facts, 10**9, PARAMS)
    assert not learned.speaks
    assert learned.vectors.shape == (N, 8)
    assert Content.from_parts(learned.arrays(), learned.params()).params()["decay"] == 0.9


def test_the_axes_span_what_scikit_learn_finds():
    rows = wording_of(ItemFacts(tuple(items_of())), 0).rows
    axes = singular_axes(rows, 5, 0).astype(float)
    theirs = TruncatedSVD(5, algorithm="arpack", random_state=0).fit(rows).components_
    assert axes.shape == (rows.shape[1], 5)
    np.testing.assert_allclose(axes @ axes.T, theirs.T @ theirs, atol=1e-5)


def test_large_and_small_logs_get_the_same_axes(monkeypatch):
    rows = wording_of(ItemFacts(tuple(items_of())), 0).rows
    dense = singular_axes(rows, 5, 0).astype(float)
    monkeypatch.setattr("training.fit.content._DENSE", 0)
    sparse = singular_axes(rows, 5, 0).astype(float)
    np.testing.assert_allclose(sparse @ sparse.T, dense @ dense.T, atol=1e-5)


def test_what_reviews_say_is_part_of_the_content_of_an_item():
    items = items_of()
    more = with_tones(
        {item.item: item for item in items}, {"i3": Tone(1, 9, 0.9), "i4": Tone(1, 9, 0.9)}
    )
    facts = facts_of([item.item for item in items], more)
    plain = wording_of(ItemFacts(tuple(items)), 0)
    assert wording_of(facts, 0).rows.nnz == plain.rows.nnz + 2


def test_bands_end_at_tenths_and_few_values_keep_their_own():
    items = [
        Item(f"i{i}", price=i * 1_000_000, attributes={"size": float(i % 3)}) for i in range(100)
    ]
    bands = bands_of([*items, None])
    assert bands["size="] == [1.0, 2.0]
    assert bands["price"] == pytest.approx([9.9 * k for k in range(1, 10)])
    assert bands_of([Item("i", price=5)]) == {}

"""Ties are broken by what does not change: when an item was created, and its name."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import hash64
from domain.items import Item
from models.recommend.catalogue import Catalogue
from models.recommend.ties import untied


def _catalogue(created: dict[str, int]) -> Catalogue:
    catalogue = Catalogue()
    for name, at in created.items():
        catalogue.put(Item(name, created_at=at))
    return catalogue


def _order(catalogue: Catalogue, scores: np.ndarray) -> list[str]:
    return [catalogue.ids[row] for row in np.argsort(-scores, kind="stable")]


@given(
    created=st.dictionaries(st.sampled_from("abcdefghij"), st.integers(0, 3), min_size=1),
    values=st.lists(st.sampled_from([0.0, -1.0, 0.25, 0.5, 1.0]), min_size=10, max_size=10),
    order=st.permutations("abcdefghij"),
)
def test_whoever_heard_of_items_in_another_order_answers_the_same(created, values, order) -> None:
    said = dict(zip("abcdefghij", values, strict=True))
    answers = []
    for names in (list(created), [name for name in order if name in created]):
        catalogue = _catalogue({name: created[name] for name in names})
        scores = np.array([said[name] for name in names], np.float32)
        found = untied(catalogue, scores)
        above = scores > 0
        assert len(np.unique(found[above])) == above.sum()
        assert np.array_equal(found[~above], scores[~above])
        np.testing.assert_allclose(found, scores, rtol=1e-5)
        answers.append([one for one in _order(catalogue, found) if said[one] > 0])
    assert answers[0] == answers[1]
    naive = sorted(
        [name for name in created if said[name] > 0],
        key=lambda name: (-said[name], -created[name], hash64(name)),
    )
    assert answers[0] == naive


def test_steps_do_not_pass_the_next_lower_score() -> None:
    names = {f"i{n}": 0 for n in range(2_000)}
    catalogue = _catalogue(names)
    scores = np.full(2_000, 1.0, np.float32)
    scores[1_990:] = np.nextafter(np.float32(1), np.float32(0))
    found = untied(catalogue, scores)
    assert found[:1_990].min() >= scores[1_990]
    assert found.min() > 0.999


def test_where_nothing_is_equal_nothing_is_done() -> None:
    scores = np.array([0.5, 0.25, 0.0, 0.0], np.float32)
    assert untied(_catalogue({"a": 0, "b": 0, "c": 0, "d": 0}), scores) is scores

"""The repute of items by known answers, through collisions, and from a bundle's arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_store.views.goods import GOODS, LENGTH
from models.churn.repute import COLUMNS, FIGURES, Repute

WIDTH = len(FIGURES)


def _goods(*orders: list[list[int]]) -> np.ndarray:
    """Make a row a customer: their orders, latest first, as lists of item hashes."""
    rows = np.zeros(len(orders), GOODS.dtype)
    for place, own in enumerate(orders):
        items = [item for order in own for item in order][:LENGTH]
        rows[place]["items"][: len(items)] = items
        rows[place]["length"] = len(items)
        rows[place]["last"] = min(len(own[0]), LENGTH) if own else 0
    return rows


def _repute(items: list[int]) -> Repute:
    figures = np.arange(len(items) * WIDTH, dtype=float).reshape(-1, WIDTH)
    return Repute(np.array(items, np.uint64), figures)


def test_means_over_what_was_bought_and_over_the_last_order() -> None:
    found = _repute([3, 7, 9]).columns(_goods([[7], [3, 9]], [[3, 9], [9]]))
    assert found.shape == (2, len(COLUMNS))
    assert found[0, :WIDTH].tolist() == pytest.approx([5 + k for k in range(WIDTH)])
    assert found[0, WIDTH:].tolist() == pytest.approx([5 + k for k in range(WIDTH)])
    assert found[1, 0] == pytest.approx(20 / 3)
    assert found[1, WIDTH] == pytest.approx(5)


def test_unknown_items_are_passed_over() -> None:
    found = _repute([3, 7]).columns(_goods([[4, 7], [3]], [[4]], []))
    assert found[0, 0] == pytest.approx(2.5)
    assert found[0, WIDTH] == pytest.approx(5)
    assert np.isnan(found[1]).all()
    assert np.isnan(found[2]).all()


def test_an_order_unknown_beside_known_ones() -> None:
    found = _repute([3]).columns(_goods([[4], [3]]))
    assert found[0, 0] == 0
    assert np.isnan(found[0, WIDTH])


def test_an_empty_table_knows_nothing() -> None:
    nothing = Repute(np.zeros(0, np.uint64), np.zeros((0, WIDTH)))
    assert np.isnan(nothing.columns(_goods([[1, 2]]))).all()


_HASH = st.integers(1, 2**64 - 1)


@settings(max_examples=40, deadline=None)
@given(
    known=st.sets(_HASH | st.integers(1, 40).map(lambda n: n << 20), min_size=1),
    asked=st.lists(_HASH, max_size=20),
    data=st.data(),
)
def test_like_looking_each_item_up(known: set[int], asked: list[int], data: st.DataObject) -> None:
    table = _repute(sorted(known))
    mixed = [*asked, *data.draw(st.lists(st.sampled_from(sorted(known)), max_size=10))]
    own = {item: table.figures[place] for place, item in enumerate(sorted(known))}
    hits = [own[item] for item in mixed if item in own]
    found = table.columns(_goods([mixed]) if mixed else _goods([]))[0]
    if not hits:
        assert np.isnan(found).all()
    else:
        assert found.tolist() == pytest.approx(np.tile(np.mean(hits, axis=0), 2).tolist())


def test_arrays_make_it_again() -> None:
    table = _repute([3, 7, 9])
    again = Repute.from_arrays(table.arrays())
    rows = _goods([[7, 9], [3]])
    assert again.columns(rows).tobytes() == table.columns(rows).tobytes()


@pytest.mark.parametrize("items", [[7, 3], [3, 3], [0, 3]])
def test_a_table_out_of_order_is_refused(items: list[int]) -> None:
    with pytest.raises(ValueError, match="rising"):
        _repute(items)


def test_figures_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="figures"):
        Repute(np.array([1, 2], np.uint64), np.zeros((2, WIDTH + 1)))

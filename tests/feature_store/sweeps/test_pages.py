"""Choosing rows: held against the obvious loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.scores import Band
from feature_store.sweeps.pages import LEVELS, SORTS, Wanted, chosen, selection
from feature_store.sweeps.ranking import rank
from feature_store.sweeps.table import SweepTable
from tests.feature_store.sweeps.making import by_loss, scored


def _table(seed: int, n: int = 40) -> SweepTable:
    rng = np.random.default_rng(seed)
    value = np.where(rng.random(n) < 0.1, np.nan, rng.gamma(1, 60, n))
    table = scored([f"u{k}" for k in rng.permutation(n)], rng.random(n).tolist(), value.tolist())
    return rank(table, None, by_loss, table["expected_loss"]).table


@given(
    st.integers(0, 1000),
    st.lists(st.sampled_from(list(Band)), unique=True, max_size=3),
    st.one_of(st.none(), st.floats(0, 60)),
    st.one_of(st.none(), st.floats(0, 1)),
    st.sampled_from(SORTS),
)
def test_what_is_wanted_in_the_order_wanted(seed, bands, loss, probability, sort) -> None:
    table = _table(seed)
    found = selection(table, Wanted(tuple(bands), loss, probability), sort)
    wanted = [
        row
        for row in range(len(table))
        if (not bands or LEVELS[table["level"][row]] in bands)
        and (loss is None or table["expected_loss"][row] >= loss)
        and (probability is None or table["probability"][row] >= probability)
    ]
    assert sorted(found.tolist()) == wanted
    if sort == "user":
        names = table.names(found)
        assert names == sorted(names)
    else:
        numbers = np.nan_to_num(table[sort][found], nan=-1.0)
        assert (np.diff(numbers) <= 0).all()


def test_everybody_is_wanted_without_a_condition() -> None:
    assert chosen(_table(1), Wanted()).all()


def test_another_order_is_refused() -> None:
    with pytest.raises(KeyError):
        selection(_table(1), Wanted(), "shoe_size")

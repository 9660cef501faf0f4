from dataclasses import replace

import numpy as np
import pytest

from benchmarks.catalogue_copies import copied
from models.recommend.model import MEMBERS
from models.recommend.repeats import Repeats
from tests.models.recommend.small import past_of
from tests.models.recommend.small_index import indexed_model

MODEL = replace(indexed_model(200, ranked=True), index={})
LARGE = copied(MODEL, 550)


def member(model, name):
    return model.scorers[model.members.index(name)]


def test_a_model_is_copied_whole_until_there_are_enough_items():
    assert len(LARGE) == 600
    assert len(set(LARGE.items)) == 600
    assert len(np.unique(LARGE.hashes)) == 600
    assert LARGE.index_of(LARGE.hashes[[3, 599]]).tolist() == [3, 599]
    assert set(MODEL.members) <= MEMBERS.keys()


@pytest.mark.parametrize("name", ["graph", "ease", "filter", "neighbours", "category", "repeats"])
@pytest.mark.parametrize("copy", [0, 2])
def test_every_copy_says_of_its_own_items_what_the_original_says(name, copy):
    history = [3, 17, 140]
    wanted, raw = np.empty(200, np.float32), np.empty(600, np.float32)
    member(MODEL, name).raw(past_of(history), wanted)
    member(LARGE, name).raw(past_of([item + 200 * copy for item in history]), raw)
    mine = raw[200 * copy : 200 * (copy + 1)]
    np.testing.assert_allclose(mine, wanted, rtol=1e-5)
    assert not np.delete(raw, slice(200 * copy, 200 * (copy + 1))).any()


def test_vectors_of_copies_are_moved_a_little_and_facts_are_kept():
    own, all_of = member(MODEL, "factors").factors, member(LARGE, "factors").factors
    assert np.array_equal(all_of[:200], own)
    apart = np.abs(all_of[200:400] - own).mean()
    assert 0 < apart < own.std()
    repeats = member(LARGE, "repeats")
    assert isinstance(repeats, Repeats)
    assert np.array_equal(repeats.facts[400:], member(MODEL, "repeats").facts)
    assert np.array_equal(LARGE.ranker.facts[200:400], MODEL.ranker.facts)

"""Whole items are held out, and nobody is asked about what came before."""

import numpy as np

from benchmarks.recommend_cold import held_out, questions, recall
from training.splits import Interactions


def log_of(*users: list[int]) -> Interactions:
    items = np.array([item for user in users for item in user], np.int32)
    e = len(items)
    ends = np.cumsum([0, *map(len, users)])
    return Interactions(
        20, ends, items, np.ones(e, np.uint8), np.arange(e), np.arange(e), np.ones(e, np.float32)
    )


def test_no_event_of_a_held_out_item_is_left_and_the_tenths_do_not_overlap():
    full = log_of(list(range(20)), list(range(19, -1, -1)))
    held, other = held_out(full), held_out(full, 1)
    assert (len(held.fresh), len(held.known)) == (2, 18)
    assert len(held.log.items) == 2 * 18
    assert sorted(held.renumbered.tolist()) == list(range(20))
    assert set(held.log.items.tolist()) == set(range(18))
    assert not set(held.fresh) & set(other.fresh)
    # What is measured later is not there at all while choosing.
    assert (other.renumbered[held.fresh] == -1).all()
    assert len(other.log.items) == 2 * 16


def test_a_question_is_what_was_known_before_the_first_new_item():
    new, other = held_out(log_of([0])).fresh.tolist()
    known = [i for i in range(20) if i not in (new, other)]
    full = log_of(
        [known[0], known[1], new, known[2], other, new],
        [new, known[0]],
        [known[3]],
        [known[4], new],
    )
    held = held_out(full)
    asked = questions(full, held)
    assert [one.history.tolist() for one in asked] == [[0, 1], [4]]
    assert [one.targets.tolist() for one in asked] == [[18, 19], [18]]


def test_recall_is_the_share_of_the_targets():
    assert recall(np.array([1, 2, 3], np.int32), np.array([3, 9], np.int32)) == 0.5

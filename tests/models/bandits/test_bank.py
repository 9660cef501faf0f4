"""A bank grows by names, keeps what it had, and lets the least known go."""

import numpy as np

from models.bandits.bank import empty_bank
from models.bandits.evidence import COUNT


def test_names_come_once_and_keep_their_numbers():
    bank = empty_bank(2, 3).grown([("e", "a"), ("e", "b"), ("e", "a")])
    assert bank.names == (("e", "a"), ("e", "b"))
    assert bank.evidence.precision.shape == (4, 3, 3)
    bank.evidence.shift[:] = np.arange(12.0).reshape(4, 3)
    more = bank.grown([("e", "c"), ("e", "b")])
    assert more.names == (("e", "a"), ("e", "b"), ("e", "c"))
    assert more.evidence.shift[:4].tolist() == bank.evidence.shift.tolist()
    assert not more.evidence.shift[4:].any()
    assert bank.grown([("e", "a")]) is bank


def test_the_least_known_names_are_dropped_first():
    bank = empty_bank(2, 3).grown([("e", f"c{n}") for n in range(5)])
    bank.evidence.tallies[:, COUNT] = [3, 3, 0, 0, 9, 0, 1, 0, 4, 4]
    assert [name for _, name in bank.pruned(3).names] == ["c0", "c2", "c4"]
    assert bank.pruned(3).evidence.tallies[:, COUNT].tolist() == [3, 3, 9, 0, 4, 4]
    assert bank.pruned(5) is bank


def test_a_writable_copy_leaves_the_bank_as_it_was():
    bank = empty_bank(1, 2).grown([("", "a")])
    bank.writable().evidence.shift[:] = 1.0
    assert not bank.evidence.shift.any()

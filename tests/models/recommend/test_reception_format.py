"""What was packed is read again; anything else is refused, and what cannot be true is nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.recommend.contexts import WIDTH
from models.recommend.lessons import Given, Lessons, Reward, teach
from models.recommend.reception import Reception
from models.recommend.reception_format import pack_reception, read_reception

NOW = 1_760_000_000_000
X = (1.0, 1.0, *[0.5] * (WIDTH - 2))


def some() -> Reception:
    lessons = Lessons([Given("home", 1, X), Given("", 0, X)], woken=True)
    lessons.rewards.append(Reward(Given("home", 1, X), 2.0, 0.0))
    lessons.placed.update({7: 3, 2**63: 1})
    return teach(Reception(at=NOW), lessons, 1e9)[0].signed("w", 2, NOW)


def test_it_comes_back_as_it_was():
    before = some()
    after = read_reception(pack_reception(before))
    assert (after.at, after.woken, after.workers) == (NOW, NOW, {"w": (2, NOW)})
    assert after.pages.names == before.pages.names
    for one, other in zip(after.pages.evidence, before.pages.evidence, strict=True):
        assert np.array_equal(one, other)
    assert (after.items.tolist(), after.placed.tolist()) == ([7, 2**63], [3, 1])
    assert read_reception(pack_reception(Reception())).pages.names == ()


def test_a_changed_byte_is_refused():
    held = pack_reception(some())
    for at in range(0, len(held), 97):
        broken = held[:at] + bytes([held[at] ^ 1]) + held[at + 1 :]
        with pytest.raises(ValueError, match="reception"):
            read_reception(broken)


@given(st.binary(max_size=100))
def test_other_bytes_are_refused(held: bytes):
    with pytest.raises(ValueError, match="reception"):
        read_reception(held)


def test_evidence_that_cannot_be_true_is_nothing():
    wrong = some()
    wrong.pages.evidence.precision[1, 0, 0] = np.nan
    after = read_reception(pack_reception(wrong))
    assert not after.pages.evidence.precision[1].any()
    assert after.pages.evidence.precision[len(after.pages.evidence.precision) // 2].any()

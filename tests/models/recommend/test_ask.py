import math

import numpy as np
import pytest

from domain.errors import BadField
from models.recommend.ask import (
    MAX_K,
    NOBODY,
    Ask,
    Origin,
    check_ask,
    moment,
    remembered,
)
from models.recommend.filters import Filter, Rule


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        (Ask(k=0), "k"),
        (Ask(k=-1), "k"),
        (Ask(k=MAX_K + 1), "k"),
        (Ask(diversity=-0.1), "diversity"),
        (Ask(diversity=1.1), "diversity"),
        (Ask(diversity=math.nan), "diversity"),
        (Ask(chosen=Filter(low=2, high=1)), "filter.price"),
        (Ask(rules=(Rule("item", ("x",), -2.0),)), "rules[0].bias"),
        (
            Ask(chosen=Filter(all_categories=("x",)), rules=(Rule("category", ("x",), 0.0),)),
            "filter.categories.all",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused(ask, field):
    with pytest.raises(BadField) as refused:
        check_ask(ask)
    assert refused.value.field == field


@pytest.mark.parametrize(
    "ask", [Ask(), Ask(k=1), Ask(k=MAX_K, diversity=1.0), Ask(k=MAX_K, explain=True)]
)
def test_what_can_be_answered_passes(ask):
    assert check_ask(ask) is ask


def test_remembers_the_last_events_in_one_piece():
    rows = np.zeros(5, np.dtype([("at", "<i8"), ("item", "<u8"), ("kind", "u1")]))
    rows["item"], rows["at"] = range(5), range(10, 15)
    asker = remembered(Origin.user, rows["item"], rows["kind"], rows["at"], 3)
    assert asker.items.tolist() == [2, 3, 4]
    assert asker.ats.tolist() == [12, 13, 14]
    assert all(column.flags.c_contiguous for column in asker[1:4])


def test_the_moment_is_after_every_event():
    ahead = NOBODY._replace(ats=np.array([5, 99], np.int64))
    assert moment(ahead, 50) == 100
    assert moment(ahead, 100) == 100
    assert moment(NOBODY, 50) == 50


@pytest.mark.parametrize("events", [1, 2, 5])
def test_a_history_reaches_the_kernels_as_one_type_whatever_its_length(events):
    packed = np.dtype([("item", "<u8"), ("kind", "u1"), ("at", "<i8")])
    records = np.frombuffer(np.zeros(events, packed).tobytes(), packed)
    asker = remembered(Origin.user, records["item"], records["kind"], records["at"], 3)
    for column in (asker.items, asker.kinds, asker.ats):
        assert column.size == min(events, 3)
        assert column.flags.writeable
        assert column.flags.c_contiguous

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.clock import DAY_MS
from domain.events import Kind
from domain.ids import hash64
from models.recommend.ask import NOBODY, Asker, Origin
from models.recommend.hearing import COUNTS_AS_SEEN, hear
from tests.golden.shop import NOW, asker, shop_desk, shop_model

DESK = shop_desk(shop_model())
IDS = DESK.catalogue.ids


def allowed():
    return np.ones(DESK.catalogue.size, np.bool_)


def test_nobody_is_heard_in_silence():
    heard = hear(DESK, NOBODY, NOW, allowed(), True)
    assert heard.rows.size == 0
    assert heard.past is None
    assert heard.unknown == 0


def test_events_the_model_does_not_know_or_weigh_do_not_count():
    who = asker("bread", "honey", "unheard-of", "", "tea")
    past = hear(DESK, who, NOW, allowed(), False).past
    assert past is not None
    assert [IDS[row] for row in past.indices] == ["bread", "tea"]
    assert past.places.tolist() == [0, 4]
    assert past.kinds.tolist() == who.kinds[[0, 4]].tolist()
    ages = [(NOW - who.ats[place]) / DAY_MS for place in (0, 4)]
    np.testing.assert_allclose(past.days, ages, rtol=1e-6)


def test_only_events_that_name_an_item_nobody_knows_are_unknown():
    heard = hear(DESK, asker("bread", "unheard-of", "", "never-seen"), NOW, allowed(), False)
    assert heard.unknown == 2
    assert heard.rows.tolist()[1:] == [-1, -1, -1]


def test_without_a_model_the_items_are_known_and_nothing_is_listened_to():
    desk = shop_desk()
    heard = hear(desk, asker("bread"), NOW, np.ones(desk.catalogue.size, np.bool_), False)
    assert heard.rows.tolist() == [desk.catalogue.index("bread")]
    assert heard.past is None


@pytest.mark.parametrize("kind", list(Kind))
def test_what_was_seen_is_withheld_if_so_asked(kind):
    shown = allowed()
    heard = hear(DESK, asker("bread", "bread", kind=kind), NOW, shown, True)
    bread = DESK.catalogue.index("bread")
    assert shown[bread] == (not COUNTS_AS_SEEN[kind])
    assert heard.withheld.tolist() == ([bread] if COUNTS_AS_SEEN[kind] else [])
    shown = allowed()
    assert hear(DESK, asker("bread", kind=kind), NOW, shown, False).withheld.size == 0
    assert shown.all()


def test_what_may_not_be_shown_anyway_is_not_withheld():
    shown = np.zeros(DESK.catalogue.size, np.bool_)
    assert hear(DESK, asker("bread"), NOW, shown, True).withheld.size == 0


EVENTS = st.lists(
    st.tuples(
        st.sampled_from([*IDS, "", "unheard-of"]),
        st.sampled_from([int(kind) for kind in Kind]),
        st.integers(-5 * DAY_MS, 400 * DAY_MS),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(EVENTS, st.booleans())
def test_equals_one_event_at_a_time(events, exclude):
    """Against the same told plainly, with the model's own way from a history to its past."""
    who = Asker(
        Origin.user,
        np.array([hash64(item) if item else 0 for item, _, _ in events], np.uint64),
        np.array([kind for _, kind, _ in events], np.uint8),
        np.array([NOW - age for _, _, age in events], np.int64),
    )
    shown = allowed()
    heard = hear(DESK, who, NOW, shown, exclude)
    rows = [DESK.catalogue.index(item) for item, _, _ in events]
    assert heard.rows.tolist() == rows
    assert heard.unknown == sum(item == "unheard-of" for item, _, _ in events)
    seen = [
        row
        for row, (_, kind, _) in zip(rows, events, strict=True)
        if exclude and row >= 0 and COUNTS_AS_SEEN[kind]
    ]
    assert heard.withheld.tolist() == list(dict.fromkeys(seen))
    assert sorted(set(seen)) == np.flatnonzero(~shown).tolist()
    assert DESK.model is not None
    known = np.array([row if row < DESK.catalogue.known else -1 for row in rows], np.int32)
    wanted = DESK.model.past(known, who.kinds, who.ats, NOW)
    if heard.past is None:
        assert wanted.indices.size == 0
    else:
        for mine, theirs in zip(heard.past, wanted, strict=True):
            assert (mine == theirs).all()

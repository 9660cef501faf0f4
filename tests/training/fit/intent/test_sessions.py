"""The table of sessions: known sessions of a small log, labels by hand, causality."""

import numpy as np
import pytest

from domain.clock import DAY_MS, HOUR_MS, MINUTE_MS
from domain.errors import ScientistError
from domain.events import Kind, check_event
from domain.ids import hash64, user_entity
from feature_store.history import History
from feature_store.linking import Link
from feature_store.views.session import GAP_MS
from models.intent.categories import category_code
from models.intent.past import ECHOES, PRIOR, SESSION
from models.intent.renown import RENOWN, write_renown
from training.fit.intent.sessions import (
    Stream,
    cut,
    label,
    renown_of,
    stream_of,
)
from training.labels import NEVER

START = 1_700_006_400_000


def logged(*rows, links=(), currency=""):
    """Answer a history of (user, minutes, kind, item) rows."""
    events = [
        check_event(
            now_ms=START + 400 * DAY_MS,
            kind=kind,
            user=user if not user.startswith("anonymous") else None,
            session=user if user.startswith("anonymous") else None,
            event_id=f"e{number}",
            item=item,
            at=START + round(minutes * MINUTE_MS),
            value=5 if kind == "purchase" else None,
            currency=currency or None,
        )
        for number, (user, minutes, kind, item) in enumerate(rows)
    ]
    return History.from_events(events, links=links, house_currency="EUR")


def table(*rows, **options):
    return cut(stream_of(logged(*rows, **options), {hash64("a"): 7, hash64("b"): 8}))


VISITS = (
    ("ann", 0, "click", "a"),
    ("ann", 1, "add_to_cart", "a"),
    ("ann", 31, "purchase", "a"),
    ("ann", 32, "click", "b"),
    ("ann", 100, "click", "a"),
    ("ann", 160, "purchase", "b"),
    ("bob", 5, "click", "b"),
)


def test_a_pause_longer_than_the_gap_ends_a_session():
    sessions = table(*VISITS)
    assert sessions.lengths.tolist() == [4, 1, 1, 1]
    assert sessions.position.tolist() == [1, 2, 3, 4, 1, 1, 1]
    assert sessions.session.tolist() == [0, 0, 0, 0, 1, 2, 3]
    names = [user_entity("ann")] * 3 + [user_entity("bob")]
    assert sessions.entities.tolist() == [hash64(name) for name in names]


@pytest.mark.parametrize(("gap", "count"), [(GAP_MS, 1), (GAP_MS + 1, 2)])
def test_the_gap_is_that_of_the_session_view(gap, count):
    sessions = table(("ann", 0, "click", "a"), ("ann", gap / MINUTE_MS, "click", "a"))
    assert len(sessions) == count


def test_columns_of_events():
    sessions = table(*VISITS, currency="EUR")
    assert sessions.kinds[:3].tolist() == [Kind.click, Kind.add_to_cart, Kind.purchase]
    assert sessions.items[0] == hash64("a")
    assert sessions.categories.tolist() == [7, 7, 7, 8, 7, 8, 8]
    assert sessions.values[2] == 5_000_000
    assert sessions.starts.tolist() == [sessions.ats[k] for k in sessions.offsets[:-1]]
    assert sessions.ends[0] == START + 32 * MINUTE_MS


def test_other_currencies_count_as_nothing():
    assert table(*VISITS, currency="USD").values.sum() == 0


def test_what_came_next_is_strictly_later():
    sessions = table(*VISITS)
    at = [START + minutes * MINUTE_MS for minutes in (31, 160)]
    assert sessions.bought.tolist() == [at[0], at[0], at[1], at[1], at[1], NEVER, NEVER]
    assert sessions.carted[0] == START + MINUTE_MS
    assert (sessions.carted[1:] == NEVER).all()


def test_purchase_within_the_session():
    labels = label(table(*VISITS))
    assert labels.asked.tolist() == [True, True, False, False, True, False, True]
    assert labels.y[labels.asked].tolist() == [1, 1, 0, 0]


def test_purchase_within_hours_looks_beyond_the_session():
    sessions = table(*VISITS)
    assert label(sessions, within_hours=1).y.tolist() == [1, 1, 0, 0, 1, 0, 0]
    assert label(sessions, within_hours=59 / 60).y[4] == 0


def test_add_to_cart_is_asked_until_it_happens():
    labels = label(table(*VISITS), "add_to_cart")
    assert labels.asked.tolist() == [True, False, False, False, True, True, True]
    assert labels.y[labels.asked].tolist() == [1, 0, 0, 0]


def test_abandon_is_asked_of_filled_carts_only():
    rows = (*VISITS, ("bob", 6, "add_to_cart", "b"), ("bob", 7, "click", "a"))
    labels = label(table(*rows), "abandon")
    assert labels.asked.tolist() == [False, True, *[False] * 5, True, True]
    assert labels.y[labels.asked].tolist() == [0, 1, 1]


def test_an_answer_is_known_when_it_happened_or_when_it_no_longer_can():
    sessions = table(*VISITS)
    labels = label(sessions)
    assert labels.known[0] == START + 31 * MINUTE_MS
    assert labels.known[4] == START + 100 * MINUTE_MS + GAP_MS
    later = label(sessions, within_hours=2)
    assert later.known[6] == START + 5 * MINUTE_MS + 2 * HOUR_MS


@pytest.mark.parametrize(
    ("question", "hours"),
    [("marry", 0.0), ("purchase", -1.0), ("purchase", float("nan")), ("purchase", 1e9)],
)
def test_questions_that_make_no_sense_are_refused(question, hours):
    with pytest.raises(ScientistError):
        label(table(*VISITS), question, hours)


def test_what_was_known_before_the_session():
    sessions = table(*VISITS)
    first, second = sessions.prior[0], dict(zip(PRIOR, sessions.prior[1], strict=True))
    assert np.isnan(first).all()
    assert second["past_events"] == 4
    assert second["past_purchases"] == 1
    assert second["hours_since_event"] == pytest.approx(68 / 60)
    echo = dict(zip(ECHOES, sessions.echoes[4], strict=True))
    assert echo["item_seen"] == 3
    assert echo["item_bought"] == 1
    assert echo["item_open"] == 0


def test_a_linked_visit_is_its_users():
    rows = (("anonymous1", 0, "click", "a"), ("ann", 3, "click", "a"))
    link = Link("sanonymous1", user_entity("ann"), START + 2 * MINUTE_MS)
    sessions = table(*rows, links=[link])
    assert len(sessions) == 1
    assert sessions.lengths.tolist() == [2]
    assert sessions.entities.tolist() == [hash64(user_entity("ann"))]


def stream(rng, users=6, events=60):
    """Answer random events of a few users, with short and long pauses."""
    lengths = rng.integers(0, events, users)
    groups = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    n = int(groups[-1])
    pauses = rng.choice([1, 5, 29, 40, 600], n) * MINUTE_MS
    return Stream(
        entities=np.arange(1, users + 1, dtype=np.uint64),
        groups=groups,
        kinds=rng.choice([2, 2, 2, 3, 4, 5, 14], n).astype(np.int8),
        items=rng.integers(0, 8, n).astype(np.uint64),
        categories=rng.integers(0, 4, n).astype(np.int32),
        values=rng.integers(0, 9, n) * 1_000_000,
        ats=START + np.cumsum(pauses).astype(np.int64),
    )


@pytest.mark.parametrize("seed", range(5))
def test_nothing_after_a_session_changes_what_was_known_in_it(seed):
    rng = np.random.default_rng(seed)
    full = stream(rng)
    whole = cut(full)
    moment = int(np.quantile(full.ats, 0.6))
    changed = full._replace(
        kinds=np.where(full.ats > moment, 5, full.kinds).astype(np.int8),
        items=np.where(full.ats > moment, 1, full.items).astype(np.uint64),
        categories=np.where(full.ats > moment, 1, full.categories).astype(np.int32),
    )
    other = cut(changed)
    before = whole.ats <= moment
    assert np.array_equal(whole.echoes[before], other.echoes[before], equal_nan=True)
    begun = whole.starts <= moment
    assert np.array_equal(whole.prior[begun], other.prior[begun], equal_nan=True)
    assert before.any()


def test_taking_sessions_keeps_their_rows_together():
    sessions = cut(stream(np.random.default_rng(7)))
    flags = np.random.default_rng(8).random(len(sessions)) < 0.5
    some = sessions.take(flags)
    assert len(some) == flags.sum()
    assert np.array_equal(some.starts, some.ats[some.offsets[:-1]])
    kept = flags[sessions.session]
    for name in ("kinds", "items", "ats", "bought"):
        assert np.array_equal(getattr(some, name), getattr(sessions, name)[kept])
    places = np.flatnonzero(flags)
    assert np.array_equal(sessions.take(places).ats, some.ats)
    assert len(sessions.take(np.zeros(0, np.int64))) == 0


def test_a_session_of_ten_thousand_events_is_cut_short_but_not_its_answer():
    n = 10_000
    kinds = np.full(n, int(Kind.click), np.int8)
    kinds[-1] = Kind.purchase
    sessions = cut(
        Stream(
            entities=np.array([1], np.uint64),
            groups=np.array([0, n]),
            kinds=kinds,
            items=np.ones(n, np.uint64),
            categories=np.ones(n, np.int32),
            values=np.zeros(n, np.int64),
            ats=START + np.arange(n) * 1000,
        )
    )
    assert sessions.lengths.tolist() == [SESSION]
    assert label(sessions).y.all()


def test_an_empty_log_has_an_empty_table():
    sessions = cut(stream(np.random.default_rng(0), users=0))
    assert len(sessions) == 0
    assert len(label(sessions).y) == 0


def test_codes_of_categories_are_never_none():
    codes = {category_code(f"category {n}") for n in range(1000)}
    assert len(codes) == 1000
    assert min(codes) > 0
    assert max(codes) < 2**31


def test_what_is_served_later_sees_the_renown_of_the_fit():
    full = stream(np.random.default_rng(3))
    until = int(np.quantile(full.ats, 0.5))
    sessions = cut(full, until=until)
    renown = renown_of(full, until)
    wide = len(RENOWN)
    late = sessions.ats >= until
    row = np.zeros(wide)
    for k in np.flatnonzero(late):
        write_renown(renown, sessions.items[k], sessions.categories[k], row)
        assert np.array_equal(sessions.echoes[k, -wide:], row, equal_nan=True)
    early = cut(full).echoes[~late, -wide:]
    assert np.array_equal(sessions.echoes[~late, -wide:], early, equal_nan=True)

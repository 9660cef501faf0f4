import json
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from domain.clock import DAY_MS
from domain.decisions import Decision
from domain.events import Event, Kind
from domain.ids import hash64, session_entity, user_entity
from domain.slates import Slate
from feature_store.history import History
from feature_store.linking import Link
from feature_store.log.decisions import SCHEMA, WRITE_OPTIONS, table_of_entries
from feature_store.log.files import path_for, write_atomically
from feature_store.store import DecisionEntry
from service.asking import AskIn, ContextIn
from service.recommend_learning import Mixed, told
from training.fit.answers import WINDOW_MS, Pasts, Said, answers_of, read_answers, said_of

NOW = 1_760_000_000_000
ANN, BEN, VISIT = user_entity("ann"), user_entity("ben"), session_entity("visit")


def event(place, entity, at, item, kind=Kind.click, decision=""):
    return Event(f"e{place}", entity, kind, NOW + at, item, decision_id=decision)


def decision(name="d", at=0, entity=ANN, items="abc", as_of=None, **request):
    asked = NOW + (at if as_of is None else as_of)
    return {
        "decision_id": name, "at": NOW + at, "as_of": asked, "family": "recommend",
        "entity": entity, "items": list(items), "request": json.dumps(request),
    }  # fmt: skip


def test_a_request_says_where_it_was_and_what_chance_did():
    chosen = {"mix": "visit", "learning": True, "explored": [2]}
    told = json.dumps({"context": {"device": "iOS", "page": "home"}, "chosen": chosen})
    assert said_of(told) == Said("mobile", "home", True, True, (2,))
    assert said_of("{}") == said_of("") == Said("", "", False, True, ())


@pytest.mark.parametrize("text", ["no JSON", "[]", "7", "null", '"text"'])
def test_what_cannot_be_read_says_nothing(text):
    assert said_of(text) == Said("", "", False, False, ())


def test_what_is_of_another_type_says_nothing():
    told = {"context": {"device": 3, "page": ["x"]}, "chosen": {"explored": "1", "learning": 1}}
    assert said_of(json.dumps(told)) == Said("", "", False, True, ())
    assert said_of(json.dumps({"context": [], "chosen": 5})) == Said("", "", False, True, ())


@pytest.mark.parametrize(
    "asked", [{"items": ["a"]}, {"context": {"item": "a"}}, {"task": "similar"}]
)
def test_who_asks_for_something_else_is_not_asked_what_to_show(asked):
    assert not said_of(json.dumps(asked)).plain


def test_taken_is_what_was_clicked_or_bought_of_the_answer_in_time():
    history = History.from_events(
        [
            event(0, ANN, 5, "a", decision="d"),
            event(1, ANN, 9, "b", Kind.purchase, "d"),
            event(2, ANN, 9, "z", decision="d"),
            event(3, ANN, 6, "c", Kind.impression, "d"),
            event(4, BEN, 5, "c", decision="other"),
            event(5, BEN, 100 + WINDOW_MS, "a", decision="e"),
            event(6, BEN, 101 + WINDOW_MS, "b", decision="e"),
            event(7, BEN, 99, "c", decision="e"),
        ]
    )
    found = answers_of([decision(), decision("e", 100, BEN)], history)
    assert found.taken.tolist() == [True, True, False, True, False, False]
    assert found.places.tolist() == [0, 1, 2, 0, 1, 2]
    assert found.owners.tolist() == [0, 0, 0, 1, 1, 1]
    short = answers_of([decision()], history, window_ms=6)
    assert short.taken.tolist() == [True, False, False]


def test_what_came_before_as_of_is_history_and_no_outcome():
    """A clock that is wrong may say that the click was earlier: it would foretell itself."""
    history = History.from_events([event(0, ANN, -9, "b"), event(1, ANN, 5, "a", decision="d")])
    found = answers_of([decision(as_of=20)], history)
    assert not found.taken.any()
    pasts = Pasts(history, found, np.array([hash64("a"), hash64("b")], np.uint64))
    assert pasts.of(0)[0].tolist() == [1]


def test_explored_places_that_are_none_are_passed_over():
    found = answers_of(
        [decision(chosen={"explored": [1, 9, -1, "x"], "learning": True})],
        History.from_events([event(0, ANN, -1, "a")]),
    )
    assert found.explored.tolist() == [False, True, False]
    assert found.drawn.tolist() == [True]


def test_answers_before_a_time_keep_their_rows():
    history = History.from_events([event(0, ANN, 5, "b", decision="d")])
    rows = [decision(), decision("e", 10, items="xy"), decision("f", 30)]
    found, cut = answers_of(rows, history), answers_of(rows, history).before(NOW + 30)
    assert len(cut) == 2
    assert cut.offsets.tolist() == [0, 3, 5]
    assert cut.taken.tolist() == found.taken[:5].tolist()
    assert cut.pages == ("", "")
    assert len(found.before(NOW)) == 0
    assert len(answers_of([], history)) == 0


def naive_past(events, entity, as_of, links, skip):
    """What a store would have held: the user's own and, from a link on, the session's too."""
    mine = {entity} | {link.session for link in links if link.user == entity and link.at < as_of}
    own = [one for one in events if one.entity in mine and one.at < as_of]
    own.sort(key=lambda one: (one.at, hash64(one.event_id)))
    return [one.item for one in own if one.decision_id != skip]


def test_pasts_are_those_of_the_moment_links_and_all():
    rng = np.random.default_rng(3)
    events = [
        event(place, (ANN, BEN, VISIT)[rng.integers(3)], int(rng.integers(0, 100)), "abcd"[item])
        for place, item in enumerate(rng.integers(0, 4, 60).tolist())
    ]
    links = [Link(VISIT, ANN, NOW + 50)]
    history = History.from_events(events, links=links)
    rows = [
        decision(f"{entity}{at}", at, entity)
        for at in (0, 20, 49, 51, 80, 120)
        for entity in (ANN, BEN)
    ]
    rows += [decision("early", 30, VISIT), decision("nobody", 40, "")]
    rows.sort(key=lambda row: row["at"])
    answers = answers_of(rows, history)
    items = "dcba"
    pasts = Pasts(history, answers, np.array([hash64(item) for item in items], np.uint64))
    for place, row in enumerate(rows):
        numbers, kinds, ats = pasts.of(place)
        wanted = naive_past(events, row["entity"], row["as_of"], links, row["decision_id"])
        assert [items[number] for number in numbers] == wanted
        assert len(kinds) == len(ats) == len(wanted)
        assert (ats < row["as_of"]).all()
    names = [row["decision_id"] for row in rows]
    people = [history.entities[one] if one >= 0 else "" for one in answers.people]
    assert people[names.index("early")] == ANN
    assert people[names.index("nobody")] == ""


def test_a_past_holds_the_last_events_and_unknown_items_as_such():
    events = [event(place, ANN, place, "abz"[place % 3]) for place in range(30)]
    history = replace(History.from_events(events), cap=4)
    answers = answers_of([decision(at=100)], history)
    pasts = Pasts(history, answers, np.array([hash64("a"), hash64("b")], np.uint64))
    assert pasts.of(0)[0].tolist() == [-1, 0, 1, -1]


def test_the_log_of_decisions_is_read_once_each_and_not_too_young(tmp_path):
    def logged(name, at, family="recommend"):
        return Decision(
            name, NOW + at, family, ANN, "", NOW + at, ("a", "b"), (1.0, 0.5), (1.0, 1.0), "", "",
            '{"context":{"device":"tv"}}',
        )  # fmt: skip

    entries = [
        DecisionEntry(f"{NOW}-0", (logged("d", 0), logged("late", 50), logged("x", 0, "bidding"))),
        DecisionEntry(f"{NOW}-1", (logged("d", 0), logged("c", -5))),
    ]
    path = path_for(tmp_path, 1, (NOW, 0), (NOW, 1))
    write_atomically(path, SCHEMA, iter([table_of_entries(entries)]), WRITE_OPTIONS)
    history = History.from_events([event(0, ANN, 3, "b", decision="d")])
    found = read_answers(tmp_path, history, NOW + 50 + WINDOW_MS)
    assert found.names.tolist() == [hash64("c"), hash64("d")]
    assert found.devices == ("tv", "tv")
    assert found.taken.tolist() == [False, False, False, True]
    assert len(read_answers(tmp_path / "none", history, NOW)) == 0


def test_of_too_many_the_latest_days_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("training.fit.answers.MOST", 3)
    for day in range(3):
        at = NOW + day * DAY_MS
        logged = tuple(
            Decision(f"{day}-{n}", at + n, "recommend", ANN, "", at, ("a",), (), ())
            for n in range(2)
        )
        path = path_for(tmp_path, 1, (at, 0), (at, 1))
        tables = iter([table_of_entries([DecisionEntry(f"{at}-0", logged)])])
        write_atomically(path, SCHEMA, tables, WRITE_OPTIONS)
    first = path_for(tmp_path, 1, (NOW, 0), (NOW, 1))
    first.write_bytes(b"it is not opened")
    found = read_answers(tmp_path, History.from_events([]), NOW + 9 * DAY_MS)
    assert found.names.tolist() == [hash64(name) for name in ("1-1", "2-0", "2-1")]


def test_what_the_service_logs_is_what_is_read():
    sent = AskIn(k=5, context=ContextIn(page="home", device="Tablet", item=None))
    slate = Slate((), (), (), (), (), None, 0)
    mixed = Mixed(slate, "visit", 0.5, (1.0,), (4,), (1.0,), True)
    request = told(msgspec.json.encode(sent).decode(), mixed)
    assert said_of(request) == Said("tablet", "home", True, True, (4,))
    assert said_of(msgspec.json.encode(AskIn(user="u")).decode()) == Said("", "", False, True, ())
    viewing = AskIn(context=ContextIn(item="a", page="item"))
    assert not said_of(msgspec.json.encode(viewing).decode()).plain
    assert not said_of(msgspec.json.encode(AskIn(items=["a", "b"])).decode()).plain

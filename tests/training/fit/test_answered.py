import json
from dataclasses import replace

import numpy as np
import pytest

from domain.clock import DAY_MS
from domain.events import KINDS, Kind
from domain.ids import hash64, session_entity, user_entity
from feature_store.history import History
from models.recommend.candidates import ITEM, columns_of, features, scene_of
from tests.models.recommend.small import small_model
from tests.training.answering import FIRST_DAY, ITEMS, shop
from tests.training.worlds import START
from training.fit.answered import MOST_TAKEN, Lesson, answered_of, queries_told
from training.fit.answers import answers_of
from training.fit.blending import folds_of
from training.fit.settings import RankerSettings
from training.splits import entities_of, interactions_of

SINCE = START + FIRST_DAY * DAY_MS
LATE = SINCE + 100 * DAY_MS
SETTINGS = RankerSettings(most=15)
WEIGHTS = np.ones(KINDS, np.float32)
FACTS = np.random.default_rng(0).random((ITEMS, len(ITEM))).astype(np.float32)


def world(until=LATE, again=False, **made):
    history, rows, items = shop(**{"users": 40, "each": 6, **made})
    hashes = np.array([hash64(item) for item in items], np.uint64)
    model = replace(small_model(ITEMS, again=again), items=tuple(items), hashes=hashes)
    full = interactions_of(history, hashes, WEIGHTS)
    users = entities_of(history, hashes, WEIGHTS)
    found = answered_of(answers_of(rows, history), history, hashes, users, until)
    folds = folds_of(full, SETTINGS.folds)
    return history, rows, model, found, folds


def told_of(found, model, folds, since=SINCE, until=LATE, settings=SETTINGS):
    return queries_told(found, [Lesson(model, FACTS, since, until)], folds, settings, 2)


@pytest.mark.parametrize("again", [False, True])
def test_a_query_is_what_was_taken_and_what_was_shown_beside_it(again):
    _, rows, model, found, folds = world(again=again)
    told = told_of(found, model, folds)
    queries, at, place = told.queries, 0, 0
    columns = (*columns_of(model.voices), *found.scenery(0).columns)
    assert queries.rows.shape[1] == len(columns)
    number = {item: number for number, item in enumerate(model.items)}
    for answer, row in enumerate(rows):
        shown = np.array([number[item] for item in row["items"]], np.int32)
        mine = found.answers.taken[found.answers.owners == answer]
        items, kinds, ats = found.pasts.of(answer)
        past = model.past(items, kinds, ats, row["as_of"])
        scored = model.blended(past)
        total = scored.total.copy()
        if not again:
            total[items] = -np.inf
        best = sorted(np.flatnonzero(total > -np.inf), key=lambda i, t=total: (-t[i], i))[:15]
        union = np.array([*shown, *(one for one in best if one not in shown)], np.int32)
        scene = scene_of(row["as_of"])
        wanted = features(union, past, scored, FACTS, scene)
        for hit in np.flatnonzero(mine):
            kept = [one for one in range(len(shown)) if one == hit or not mine[one]]
            kept.sort(key=lambda one, t=scored.total: -t[shown[one]])
            span = slice(place, place + len(kept))
            place += len(kept)
            assert queries.sizes[at] == len(kept)
            assert queries.gains[span].tolist() == [one == hit for one in kept]
            plain = queries.rows[span, : wanted.shape[1]]
            np.testing.assert_allclose(plain, wanted[kept], rtol=1e-5)
            device = json.loads(row["request"])["context"]["device"]
            assert (queries.rows[span, columns.index("page=home")] == 1).all()
            mobile = queries.rows[span, columns.index("device=mobile")]
            assert (mobile == (device == "phone")).all()
            at += 1
    assert at == len(queries.sizes) == found.answers.taken.sum() > 50


def test_what_comes_later_changes_no_row():
    """Everything after an answer is taken out of the log: its row is the same, bit for bit."""
    history, rows, model, found, folds = world(users=60, each=6)
    middle = rows[len(rows) // 2]["at"] + 60_000
    chosen = [row for row in rows if row["at"] < middle]
    # Outcomes of what was answered by then may still come.
    events = history.records[: history.events]
    own = np.isin(events["ref"], [hash64(row["decision_id"]) for row in chosen])
    kept = (events["at"] < middle) | own
    codes = np.repeat(np.arange(len(history.entities)), np.diff(history.offsets))[: history.events]
    less = History.from_arrays(history.entities, codes[kept], events[kept], cap=history.cap)
    answers = answers_of(chosen, less)
    assert len(answers) < len(found.answers)
    early = replace(found, answers=answers, pasts=type(found.pasts)(less, answers, model.hashes))
    early = replace(early, taken=early.taken._replace(
        answers=answers, numbers=found.taken.numbers[: len(answers.items)],
        chances=found.taken.chances[: len(answers.items)],
        known_at=found.taken.known_at[: len(answers.items)],
    ))  # fmt: skip
    one, other = told_of(early, model, folds), told_of(found, model, folds, until=middle)
    assert len(one.queries.sizes) > 50
    assert one.queries.rows.tobytes() == other.queries.rows.tobytes()
    assert one.queries.gains.tolist() == other.queries.gains.tolist()


def test_scenes_are_known_from_before_an_answer_s_part_alone():
    """Later clicks on another item would be told by its lift: they do not move earlier rows."""
    _, _, model, found, folds = world(users=80, each=6)
    columns = (*columns_of(model.voices), *found.scenery(0).columns)
    lift = told_of(found, model, folds).queries.rows[:, columns.index("device.lift")]
    tenth = len(lift) // 20
    assert np.abs(lift[:tenth]).max() == 0
    assert np.abs(lift[-tenth:]).max() > 0.05


def test_an_answer_is_asked_of_the_members_learned_before_it():
    _, rows, model, found, folds = world(users=60, each=6)
    middle = rows[len(rows) // 2]["at"]
    other = small_model(ITEMS, seed=5)
    other = replace(other, items=model.items, hashes=model.hashes)
    lessons = [Lesson(other, FACTS, middle, LATE), Lesson(model, FACTS, SINCE, middle)]
    both = queries_told(found, lessons, folds, SETTINGS, 1).queries
    first = told_of(found, model, folds, until=middle).queries
    second = told_of(found, other, folds, since=middle).queries
    assert both.sizes.tolist() == [*first.sizes, *second.sizes]
    width = len(columns_of(model.voices))
    joined = np.concatenate([first.rows, second.rows])[:, :width]
    assert both.rows[:, :width].tobytes() == joined.tobytes()
    assert len(told_of(found, model, folds, since=middle, until=middle).queries.sizes) == 0


def test_outcomes_after_the_end_make_no_query():
    _, rows, model, found, folds = world(users=60, each=6)
    middle = rows[len(rows) // 2]["at"]
    *_, cut, _ = world(users=60, each=6, until=middle)
    told = told_of(cut, model, folds)
    last = told_of(found, model, folds, until=middle - found.answers.window_ms)
    assert told.queries.sizes.tolist() == last.queries.sizes.tolist()


def test_the_latest_are_kept_where_there_are_too_many():
    _, _, model, found, folds = world()
    every = told_of(found, model, folds).queries
    some = told_of(found, model, folds, settings=RankerSettings(most=15, queries=20)).queries
    assert 20 <= len(some.sizes) < len(every.sizes)
    width = len(columns_of(model.voices))
    last = every.rows[-len(some.rows) :, :width]
    assert last.tobytes() == some.rows[:, :width].tobytes()


def test_clicks_count_by_their_places_and_people_keep_their_folds():
    history, rows, model, found, folds = world(users=100, each=20)
    assert found.examination.steepness > 0.5
    told = told_of(found, model, folds)
    places = np.concatenate([
        np.flatnonzero(found.answers.taken[found.answers.owners == answer])
        for answer in range(len(rows))
    ])  # fmt: skip
    worth = found.examination.worth(places)
    np.testing.assert_allclose(told.worth, worth / worth.mean())
    users = entities_of(history, model.hashes, WEIGHTS)
    known = dict(zip(users, folds.tolist(), strict=True))
    people = told.queries.users.tolist()
    assert told.folds.tolist() == [known[history.entities[who]] for who in people]


def test_who_has_no_history_or_asked_for_something_else_makes_no_query():
    history, rows, items = shop(users=40, each=6)
    hashes = np.array([hash64(item) for item in items], np.uint64)
    _, _, model, _, folds = world()
    users = entities_of(history, hashes, WEIGHTS)
    for change in (
        {"entity": ""},
        {"entity": session_entity("nobody")},
        {"entity": user_entity("p0"), "as_of": START - 1},
        {"request": json.dumps({"task": "similar"})},
    ):
        some = answers_of([row | change for row in rows], history)
        found = answered_of(some, history, hashes, users, LATE)
        assert len(told_of(found, model, folds).queries.sizes) == 0
    assert Kind.click in history.records["kind"]


def test_rows_stay_within_bounds_whatever_is_taken():
    """Everything but the last place was taken: few of these are queries, of few places."""
    _, _, model, found, folds = world(users=40, each=6)
    found.answers.taken[:] = found.answers.places < 9
    many = MOST_TAKEN - 1
    told = told_of(found, model, folds)
    assert len(told.queries.sizes) == many * 240
    assert set(told.queries.sizes.tolist()) == {2}
    short = told_of(found, model, folds, settings=RankerSettings(most=5, queries=500))
    assert len(short.queries.sizes) == 0, "among the first five all was taken"
    found.answers.taken[found.answers.places == 1] = False
    cut = told_of(found, model, folds, settings=RankerSettings(most=5, queries=500))
    assert set(cut.queries.sizes.tolist()) == {2}
    assert len(cut.queries.sizes) == 4 * 240

from dataclasses import replace

import numpy as np
import pytest

from models.recommend.ask import Ask, Asker, Origin
from models.recommend.candidates import ANY_TIME, Scene, columns_of, scene_of
from models.recommend.catalogue import Catalogue
from models.recommend.desk import Desk
from models.recommend.member import frozen
from models.recommend.policy import recommend
from models.recommend.ranker import Ranker, ranked_columns
from models.recommend.scenery import Scenery
from tests.models.recommend.small import AS_OF, past_of, random_forest, ranked_model

N = 40
CHOSEN = np.array([7, 0, 39], np.int32)


def scenery(n=N, seed=1):
    rng = np.random.default_rng(seed)
    devices, pages = (rng.normal(size=(size, n)).astype(np.float32) for size in (2, 3))
    return Scenery((("mobile", "desktop"), ("home", "basket", "item")), (devices, pages))


def model_with_scenery(n=N, seed=1):
    plain, told = ranked_model(n, most=n, seed=seed), scenery(n)
    voices = plain.ranker.voices
    # All trees ask the columns of the scenery alone, so that nothing else moves the order.
    first, count = len(columns_of(voices)), len(told.columns)
    forest = random_forest(count, seed=seed)
    trees = forest.trees._replace(feature=forest.trees.feature + first)
    forest = type(forest)(trees, first + count)
    return replace(plain, ranker=Ranker(voices, forest, plain.ranker.facts, n, told))


def order(model, scene):
    return np.argsort(-model.score_past(past_of([3, 8]), None, scene).total).tolist()


def test_a_known_scene_is_told_by_its_column_and_its_lifts():
    told = scenery()
    rows = told.tell(CHOSEN, Scene(device="Android", page="basket"))
    at = {name: column for column, name in enumerate(told.columns)}
    assert rows.shape == (3, len(at)) == (3, 7)
    assert (rows[:, at["device=mobile"]] == 1).all()
    assert (rows[:, at["device=desktop"]] == 0).all()
    assert rows[:, [at[f"page={name}"] for name in told.names[1]]].tolist() == [[0, 1, 0]] * 3
    assert rows[:, at["device.lift"]].tolist() == told.lifts[0][0, CHOSEN].tolist()
    assert rows[:, at["page.lift"]].tolist() == told.lifts[1][1, CHOSEN].tolist()


def test_a_missing_scene_is_missing_and_an_unknown_one_is_none_of_the_known():
    told = scenery()
    assert np.isnan(told.tell(CHOSEN, ANY_TIME)).all()
    rows = told.tell(CHOSEN, Scene(device="fridge"))
    assert (rows[:, :3] == 0).all()
    assert np.isnan(rows[:, 3:]).all()
    long = Scenery((("a" * 64,), ()), (np.ones((1, N), np.float32), np.zeros((0, N), np.float32)))
    assert long.tell(CHOSEN, Scene(device="a" * 64))[0].tolist()[:2] == [1, 1]
    assert (scenery().tell(CHOSEN, Scene(page="home" + " " * 5_000_000))[:, 3:] == 0).all()


def test_items_of_another_numbering_have_no_lift():
    rows = scenery().without_lifts().tell(CHOSEN, Scene(device="mobile", page="home"))
    assert rows[:, 1].tolist() == [1, 1, 1]
    assert (rows[:, [0, 3]] == 0).all()


def test_the_scene_changes_the_order_of_a_model_that_was_told_of_it():
    model = model_with_scenery()
    assert len(ranked_columns(model.voices, model.ranker.scenery)) == model.ranker.forest.features
    plain, home, basket = (
        order(model, scene)
        for scene in (ANY_TIME, Scene(page="home", device="tv"), Scene(page="basket"))
    )
    assert len({tuple(plain), tuple(home), tuple(basket)}) == 3
    other = ranked_model(N, most=N)
    assert order(other, Scene(page="home")) == order(other, ANY_TIME)


def test_a_question_says_where_and_the_answer_follows():
    model = model_with_scenery()
    desk = Desk(Catalogue(model.items, model.hashes), model, "recommend/small")
    hashes = np.asarray(model.hashes[[3, 8]])
    asker = Asker(Origin.user, hashes, np.full(2, 2, np.uint8), np.array([AS_OF - 9, AS_OF - 5]))

    def ids(**where):
        return recommend(desk, Ask(k=20, **where), asker, AS_OF).ids

    past = model.past(np.array([3, 8], np.int32), asker.kinds, asker.ats, AS_OF)
    wanted = model.score_past(past, None, scene_of(AS_OF, "phone", "home")).total.copy()
    wanted[[3, 8]] = -np.inf if not model.repeats else wanted[[3, 8]]
    best = [model.items[i] for i in np.argsort(-wanted, kind="stable")[:20]]
    assert list(ids(device="phone", page="home")) == best
    assert ids(device="phone", page="home") != ids()


def test_round_trip_through_a_bundle_s_parts():
    ranker = model_with_scenery().ranker
    again = Ranker.from_parts(ranker.arrays(), ranker.params())
    assert again.scenery.names == ranker.scenery.names
    scene = Scene(device="desktop", page="item")
    assert (again.scenery.tell(CHOSEN, scene) == ranker.scenery.tell(CHOSEN, scene)).all()
    plain = ranked_model(N).ranker
    assert Ranker.from_parts(plain.arrays(), plain.params()).scenery is None
    assert not any("scenery" in name for name in plain.arrays())


def test_parts_that_do_not_fit_are_refused():
    told = scenery()
    with pytest.raises(ValueError, match="a row for each"):
        Scenery(told.names, (told.lifts[1], told.lifts[0]))
    with pytest.raises(ValueError, match="a row for each"):
        Scenery((("a", "a"), ()), (told.lifts[0], frozen(np.zeros((0, 3)), np.float32)))
    ranker = model_with_scenery().ranker
    with pytest.raises(ValueError, match="other columns"):
        replace(ranker, scenery=None)
    with pytest.raises(KeyError):
        Ranker.from_parts(ranker.arrays() | {}, {**ranker.params(), "scenery": {}})

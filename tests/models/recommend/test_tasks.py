from dataclasses import replace

import numpy as np
import pytest

from domain.slates import Fallback, Slate
from models.recommend.ask import NOBODY, Ask, Asker, Origin, check_ask
from models.recommend.controls import Controls, Task
from models.recommend.desk import Desk
from models.recommend.item_graph import ItemGraph
from models.recommend.policy import recommend
from tests.golden.shop import NOW, asker, shop_desk, shop_model


@pytest.fixture
def desk() -> Desk:
    return shop_desk(shop_model())


def answer(desk: Desk, task: Task, who: Asker = NOBODY, k: int = 3, **fields) -> Slate:
    basket = fields.pop("basket", ())
    ask = check_ask(Ask(k=k, controls=Controls(task=task, basket=basket), **fields))
    return recommend(desk, ask, who, NOW)


def test_what_is_alike_is_no_fallback(desk):
    slate = answer(desk, Task.similar, item="coffee")
    assert slate.ids == ("milk", "bread", "butter")
    assert slate.marks == (None, Fallback.popular, Fallback.popular)
    assert slate.sources[0][0].member == "similar"


def test_a_history_does_not_move_what_is_alike(desk):
    own = answer(desk, Task.similar, asker("jam"), item="coffee", exclude_seen=False)
    assert own.ids == answer(desk, Task.similar, item="coffee").ids


def test_bought_together_goes_both_ways(desk):
    # jam follows bread (.5), butter (.8) and tea (.3), and leads to bread (.3) and tea (.2).
    slate = answer(desk, Task.bought_together, item="jam", explain=True)
    assert slate.ids == ("bread", "butter", "tea")
    assert slate.scores == (0.8, 0.8, 0.5)
    assert slate.fallback is None
    assert {sources[0].text for sources in slate.sources} == {"Bought together with Jam"}
    assert {sources[0].because for sources in slate.sources} == {("jam",)}


def test_bought_together_with_several_names_the_closest_first(desk):
    slate = answer(desk, Task.bought_together, basket=("coffee", "bread"), k=2, explain=True)
    # milk: coffee .9 + .7; butter: bread .9 + .6
    assert slate.ids == ("milk", "butter")
    assert slate.scores == (1.6, 1.5)
    assert [sources[0].because for sources in slate.sources] == [("coffee",), ("bread",)]
    jam = answer(desk, Task.bought_together, basket=("butter", "tea"), k=2, explain=True)
    assert jam.ids[1] == "jam"
    assert jam.sources[1][0].text == "Bought together with Butter and Tea"


def test_what_was_bought_with_nothing_falls_to_what_is_alike_and_says_so(desk):
    slate = answer(desk, Task.bought_together, item="honey", k=2)
    assert slate.ids == ("jam", "bread") or slate.marks[0] is Fallback.similar
    assert slate.marks[0] is Fallback.similar
    bare = answer(shop_desk(), Task.bought_together, item="coffee", k=2)
    assert bare.marks[0] is Fallback.similar


def test_an_unknown_item_still_gets_an_answer(desk):
    for task in (Task.similar, Task.bought_together):
        slate = answer(desk, task, item="nowhere")
        assert slate.ids == ("bread", "milk", "coffee")
        assert (slate.fallback, slate.unknown_items) == (Fallback.popular, 1)


def test_what_is_trending_is_no_fallback(desk):
    desk.show_trends(["tea", "cocoa"], np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    slate = answer(desk, Task.trending, explain=True)
    assert slate.ids == ("cocoa", "tea", "bread")
    assert slate.marks == (None, None, Fallback.popular)
    assert [sources[0].member for sources in slate.sources] == ["trending"] * 2 + ["popularity"]
    assert slate.sources[0][0].text == "Trending now"


def test_a_basket_is_filled_from_habit_and_what_goes_with_it(desk):
    who = asker("tea", "soap", "bread", "tea", "tea")
    habit = answer(desk, Task.basket, who, k=8)
    plain = recommend(desk, Ask(k=8, exclude_seen=False), who, NOW)
    assert habit.ids.index("tea") < plain.ids.index("tea")
    assert "bread" in habit.ids
    assert habit.marks[:7] == (None,) * 7
    told = answer(desk, Task.basket, who, k=8, explain=True).items
    again = {one.item: one.sources[0] for one in told if one.sources[0].member == "repeats"}
    assert again["tea"].text == "You bought it 3 times before"
    assert again["bread"].text == "You bought it before"
    assert again["bread"].because == ("bread",)
    filled = answer(desk, Task.basket, who, basket=("tea", "coffee"), k=8)
    assert "tea" not in filled.ids
    assert filled.ids[0] == "milk"
    assert filled.sources[0][0].member == "bought_together"
    seen = answer(desk, Task.basket, who, k=8, exclude_seen=True)
    assert "tea" not in seen.ids


def test_a_basket_of_nobody_is_what_goes_with_the_cart(desk):
    slate = answer(desk, Task.basket, basket=("coffee",))
    assert slate.ids[0] == "milk"
    assert slate.marks[0] is None
    empty = answer(desk, Task.basket)
    assert empty.ids == ("bread", "milk", "coffee")
    assert empty.fallback is Fallback.popular


def test_a_session_is_marked_in_a_basket_too(desk):
    slate = answer(desk, Task.basket, asker("bread", origin=Origin.session), k=1)
    assert slate.marks == (Fallback.session,)


def test_habit_is_not_counted_twice_where_the_model_has_learned_it():
    plain = shop_model(repeats=True)
    # What stands in for a learned habit says nothing here: only its name counts.
    silent = ItemGraph(np.zeros(9), np.zeros(0), np.zeros(0), 1.0)
    learned = replace(
        plain,
        members=(*plain.members, "repeats"),
        scorers=(*plain.scorers, silent),
        weights=np.array([0.1, 1.0, 1.0], np.float32),
    )
    who = asker("tea", "bread")
    with_habit, without = shop_desk(plain), shop_desk(learned)
    usual = recommend(without, Ask(k=8), who, NOW).ids
    assert answer(without, Task.basket, who, k=8).ids == usual
    assert answer(with_habit, Task.basket, who, k=8).ids != usual

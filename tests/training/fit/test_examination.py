import numpy as np
import pytest

from tests.training.answering import shop
from training.fit.answers import answers_of
from training.fit.examination import CLIP, LEAST, Examination, learn_examination, steepness_of


def rows_of(steepness, groups=6000, each=4, places=12, seed=0, click=0.3):
    """Groups that are clicked by chances of their own, shown at places that chance chose."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), each)
    place = rng.integers(0, places, len(group))
    chance = click * rng.random(groups)[group] * (1.0 + place) ** -steepness
    return group, place, rng.random(len(group)) < chance


@pytest.mark.parametrize("steepness", [0.0, 0.5, 1.0, 1.6])
def test_the_steepness_is_found_again(steepness):
    inside = 0
    for seed in range(20):
        found = steepness_of(*rows_of(steepness, seed=seed))
        assert abs(found.steepness - steepness) < 0.4
        inside += found.low <= steepness <= found.high
    assert inside >= 17


def test_a_group_s_own_liking_and_where_it_was_shown_do_not_count():
    """What is liked is always shown high: across groups the bias would look twice as steep."""
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(3000), 4)
    home = rng.integers(0, 10, 3000)
    place = home[group] + rng.integers(0, 4, len(group))
    chance = 0.5 / (1 + home[group]) * (1.0 + place) ** -0.5
    found = steepness_of(group, place, rng.random(len(group)) < chance)
    assert found.low <= 0.5 <= found.high
    every = steepness_of(0 * group, place, rng.random(len(group)) < chance)
    assert every.low > 0.9


def test_with_too_few_clicks_nothing_is_corrected():
    found = steepness_of(*rows_of(1.0, groups=60))
    assert found.clicks < LEAST
    assert (found.steepness, found.worth(np.arange(50)).tolist()) == (0.0, [1.0] * 50)
    none = np.zeros(0, np.int64)
    assert steepness_of(none, none, none.astype(bool)).clicks == 0


def test_places_that_never_change_tell_nothing():
    group, _, taken = rows_of(1.0)
    assert steepness_of(group, group % 10, taken).clicks == 0


def test_a_click_counts_by_one_over_the_chance_and_no_more_than_so_much():
    found = Examination(1.0, 0.9, 1.1, 500)
    assert found.worth(np.array([0, 1, 4, 9, 99])) == pytest.approx([1.0, 2.0, 5.0, 10.0, CLIP])


def test_corrected_clicks_tell_what_is_liked():
    """One item is liked twice as much as the other and shown at the fourth place mostly."""
    found = steepness_of(*rows_of(1.0, groups=20_000))
    rng = np.random.default_rng(2)
    place = {name: rng.choice([0, 3], 40_000, p=[p, 1 - p]) for name, p in (("a", 0.9), ("b", 0.1))}
    clicks, corrected = {}, {}
    for name, liked in (("a", 0.2), ("b", 0.4)):
        taken = rng.random(40_000) < liked / (1 + place[name])
        clicks[name], corrected[name] = taken.sum(), found.worth(place[name])[taken].sum()
    assert clicks["a"] > clicks["b"]
    assert corrected["b"] / corrected["a"] == pytest.approx(2.0, rel=0.15)


@pytest.mark.parametrize("steepness", [0.0, 1.0])
def test_a_shop_s_log_tells_it(steepness):
    history, rows, _ = shop(users=150, each=20, steepness=steepness, sided=False)
    found = learn_examination(answers_of(rows, history))
    assert found.low - 0.1 <= steepness <= found.high + 0.1
    assert found.told()["clicks_that_tell_places"] == found.clicks > LEAST


def test_explored_places_of_one_page_are_compared_with_each_other():
    history, rows, _ = shop(users=150, each=12, steepness=1.0, sided=False)
    answers = answers_of(rows, history)
    # No mix was drawn; instead every place was filled to learn.
    answers.drawn[:] = False
    assert learn_examination(answers).clicks == 0
    answers.explored[:] = True
    found = learn_examination(answers)
    assert found.low <= 1.0 <= found.high


def test_lists_that_nobody_drew_tell_nothing():
    history, rows, _ = shop(users=60, each=12, swaps=False)
    assert learn_examination(answers_of(rows, history)).clicks == 0

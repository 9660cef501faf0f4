"""Drawn visits obey the laws they are drawn from, and repeat themselves."""

import numpy as np
import pytest

from domain.clock import DAY_MS, HOUR_MS, SECOND_MS
from domain.events import Kind
from feature_store.views.session import GAP_MS
from training.datasets.synthetic.visits import draw_visits, need_odds
from training.datasets.synthetic.world import GAPS, LONGEST, category_of, usual_world

DAYS = 40.0


@pytest.fixture(scope="module")
def drawn():
    return draw_visits(usual_world(), 600, DAYS, seed=3)


def test_the_same_seed_draws_the_same(drawn):
    again, hidden = draw_visits(usual_world(), 600, DAYS, seed=3)
    for one, other in zip((*drawn[0], *drawn[1]), (*again, *hidden), strict=True):
        assert np.array_equal(one, other)
    other, _ = draw_visits(usual_world(), 600, DAYS, seed=4)
    assert len(other.ats) != len(drawn[0].ats) or not np.array_equal(other.ats, drawn[0].ats)


def test_visits_are_sessions_of_the_store(drawn):
    visits, _ = drawn
    owner = np.repeat(np.arange(600), np.diff(visits.offsets[visits.users]))
    gaps, same = np.diff(visits.ats), np.diff(owner) == 0
    begins = np.zeros(len(visits.ats), np.bool_)
    begins[visits.offsets[:-1]] = True
    assert gaps[same & ~begins[1:]].max() <= GAP_MS
    assert gaps[same & begins[1:]].min() > GAP_MS
    assert (np.diff(visits.offsets) > 0).all()
    assert np.diff(visits.offsets).max() <= LONGEST
    assert visits.ats.max() < DAYS * DAY_MS


def test_a_purchase_ends_its_visit(drawn):
    visits, hidden = drawn
    bought = np.flatnonzero(visits.kinds == Kind.purchase)
    assert len(bought) > 300
    assert np.isin(bought + 1, visits.offsets).all()
    visit = np.searchsorted(visits.offsets, bought, side="right") - 1
    assert hidden.needs[visit].mean() > 0.8


def test_a_search_has_no_item_and_everything_else_has_one(drawn):
    visits, _ = drawn
    assert np.array_equal(visits.items < 0, visits.kinds == Kind.search)


def test_shoppers_stick_to_their_taste(drawn):
    visits, hidden = drawn
    owner = np.repeat(np.arange(600), np.diff(visits.offsets[visits.users]))
    there = visits.items >= 0
    home = np.isin(category_of(visits.items[there]), range(4))
    mine = hidden.types[owner[there]] < 2
    assert home[mine].mean() > 0.6
    assert home[~mine].mean() < 0.3


def test_pauses_are_as_common_as_the_laws_say(drawn):
    visits, _ = drawn
    inside = np.ones(len(visits.ats), np.bool_)
    inside[visits.offsets[:-1]] = False
    gaps = (visits.ats - np.concatenate([[0], visits.ats[:-1]]))[inside] / SECOND_MS
    assert gaps.min() >= GAPS[0][0] - 0.001
    assert gaps.max() <= GAPS[-1][1]


def test_some_never_come_back(drawn):
    visits, hidden = drawn
    last = visits.ats[visits.offsets[visits.users[1:]] - 1]
    silent = DAYS * 24 - last / HOUR_MS
    assert 0.1 < hidden.gone.mean() < 0.7
    assert np.median(silent[hidden.gone]) > np.median(silent[~hidden.gone])


def test_a_cart_left_behind_raises_the_need_and_a_purchase_lowers_it():
    world = usual_world()
    usual = need_odds(world, 0, False, np.inf)
    assert usual == pytest.approx(world.need[0])
    assert need_odds(world, 0, True, np.inf) > usual
    assert need_odds(world, 0, False, 1.0) < need_odds(world, 0, False, 100.0) < usual

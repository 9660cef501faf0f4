"""Mixes are the released weights, and others in which one kind of member leads."""

from dataclasses import replace

import numpy as np

from models.recommend import model
from models.recommend.mixes import (
    ARMS,
    LEAD,
    LED,
    RELEASED,
    differs,
    heard_weights,
    mixes_of,
    mixes_of_model,
    open_arms,
    remade,
)
from tests.models.recommend.small import ranked_model

MEMBERS = ("popularity", "trend", "graph", "factors", "repeats")
WEIGHTS = np.array([0.1, 0.3, 1.0, 0.5, 0.0], np.float32)


def test_the_released_mix_is_first_and_changes_nothing():
    first = mixes_of(MEMBERS, WEIGHTS)[0]
    assert (first.name, first.arm) == ("released", RELEASED)
    assert first.weights.tolist() == WEIGHTS.tolist()


def test_leaders_weigh_twice_the_others_and_share_as_before():
    mixes = {mix.name: mix.weights for mix in mixes_of(MEMBERS, WEIGHTS)}
    crowd = mixes["crowd"]
    np.testing.assert_allclose(crowd[:2], [0.25 * LEAD * 1.5, 0.75 * LEAD * 1.5], rtol=1e-6)
    assert crowd[2:].tolist() == WEIGHTS[2:].tolist()
    for name, weights in mixes.items():
        if name != "released":
            raised = weights != WEIGHTS
            np.testing.assert_allclose(
                weights[raised].sum(), LEAD * weights[~raised].sum(), rtol=1e-6
            )


def test_a_member_of_no_weight_leads_where_its_kind_has_no_other():
    again = {mix.name: mix.weights for mix in mixes_of(MEMBERS, WEIGHTS)}["again"]
    np.testing.assert_allclose(again[4], LEAD * 1.9, rtol=1e-6)


def test_kinds_that_are_not_there_or_lead_anyway_make_no_mix():
    names = [mix.name for mix in mixes_of(("graph", "factors"), np.array([1.0, 0.2], np.float32))]
    assert names == ["released", "taste"]
    alone = mixes_of(("graph",), np.array([1.0], np.float32))
    assert [mix.name for mix in alone] == ["released"]
    assert open_arms(alone).tolist() == [True] + [False] * (len(ARMS) - 1)


def test_every_member_leads_in_one_mix():
    assert sorted(name for leaders in LED.values() for name in leaders) == sorted(model.MEMBERS)


def test_numbers_of_arms_are_part_of_what_is_stored():
    assert ARMS == ("released", "crowd", "visit", "taste", "again", "content")
    assert [mix.arm for mix in mixes_of(MEMBERS, WEIGHTS)] == [0, 1, 2, 3, 4]


def test_a_mix_differs_where_its_leaders_are_heard():
    whole = ranked_model(30)
    raised = whole.weights.copy()
    raised[0] += 1.0
    assert differs(whole.mixed(raised), whole)
    assert not differs(whole.mixed(whole.weights), whole)
    leaning = whole.mixed(raised)
    assert not differs(leaning.mixed(whole.weights), leaning)
    bare = replace(whole, ranker=None)
    assert differs(bare.mixed(raised), bare)
    assert not differs(bare.mixed(bare.weights), bare)


def test_a_mix_made_the_default_is_not_leaned_to_twice():
    whole = ranked_model(30)
    mix = next(one for one in mixes_of_model(whole) if one.arm != RELEASED)
    default = remade(whole, mix)
    np.testing.assert_allclose(heard_weights(default), mix.weights, rtol=1e-6)
    # Those who lead in it lead already: it is no mix of its own any more.
    assert mix.name not in [one.name for one in mixes_of_model(default)]
    for other in mixes_of_model(default)[1:]:
        np.testing.assert_allclose(heard_weights(remade(default, other)), other.weights, rtol=1e-5)

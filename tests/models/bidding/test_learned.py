"""What lore means: beliefs pooled over relatives, factors, allowances; known answers."""

import math

import numpy as np
import pytest

from models.bidding.arms import CLICKED, HEAD_START, KEPT, MULTIPLIERS, NEUTRAL, WIDTH
from models.bidding.learned import STRENGTH, creative_beliefs, learned_of
from models.bidding.lore import ELSEWHERE, MOST_EXCHANGES, HalfLives, Lore
from models.bidding.teaching import teach
from models.bidding.tidings import Bought, Clicked, Impression, Lessons, Tried
from tests.models.bidding.schooling import BASE, FEATURES, GROUND, NOW

X = np.array([1.0, *FEATURES])
LIVES = HalfLives()


def school(lessons, at=NOW):
    return teach(Lore(at=at), lessons, GROUND, taken_up=0, lives=LIVES)[0]


def tried(exchange, campaign, best, n=100):
    return [
        Tried(exchange, campaign, arm, FEATURES, 0.5 if arm == best else 0.0)
        for arm in range(len(MULTIPLIERS))
        for _ in range(n)
    ]


def test_before_any_lesson():
    found = learned_of(Lore(), GROUND)
    np.testing.assert_allclose(found.stranger.mean[:, 0], KEPT[0] + HEAD_START)
    assert found.stranger.mean.shape == (5, WIDTH)
    assert found.unseen.mean.tolist() == [[CLICKED[0], 0.0, 0.0, 0.0]]
    assert found.landscape is BASE
    assert (found.factors, found.spent, found.multipliers) == ({}, {}, {})
    assert found.notices == 0


def test_the_best_multiplier_is_learned_where_it_was_tried():
    found = learned_of(school(Lessons(tried=tried("north", "c1", 4))), GROUND)
    here = found.multipliers["north", "c1"]
    assert int((here.mean @ X).argmax()) == 4
    assert here.mean @ X == pytest.approx([0, 0, 0, 0, 0.5], abs=0.06)
    assert here.outcomes == 500


def test_a_new_campaign_hears_of_its_exchange_and_no_other():
    lessons = Lessons(
        tried=[one for name in "abcde" for one in tried("north", name, 0)] + tried("south", "a", 3)
    )
    found = learned_of(school(lessons), GROUND)
    assert int((found.newcomers["north"].mean @ X).argmax()) == 0
    assert int((found.newcomers["south"].mean @ X).argmax()) == 3
    assert int((found.stranger.mean @ X).argmax()) == NEUTRAL
    wide = np.trace(found.newcomers["north"].covariance[0])
    assert np.trace(found.multipliers["north", "a"].covariance[0]) < wide
    assert wide < np.trace(found.stranger.covariance[0])


def test_strangers_hear_of_all_exchanges_beyond_the_bound():
    names = [f"x{n}" for n in range(MOST_EXCHANGES + 5)]
    heard = [(name, 0) for name in names]
    more = tried(names[-1], "c1", 4)
    found = learned_of(school(Lessons(heard=heard, tried=more)), GROUND)
    assert ELSEWHERE in found.newcomers
    assert found.stranger is found.newcomers[ELSEWHERE]
    assert int((found.stranger.mean @ X).argmax()) == 4


def clicks(campaign, creative, shown, clicked):
    return Lessons(
        impressions=[Impression(campaign, creative, FEATURES, 0.1, 10, False)] * shown,
        clicks=[Clicked(campaign, creative, FEATURES, 0.1, 0.2, 0)] * clicked,
    )


def test_creatives_come_in_the_order_asked_for():
    good, bad = clicks("c1", "good", 400, 24), clicks("c1", "bad", 400, 2)
    both = Lessons(
        impressions=[*good.impressions, *bad.impressions], clicks=[*good.clicks, *bad.clicks]
    )
    lore = school(both)
    found = learned_of(lore, GROUND)
    beliefs = found.creatives("c1", ("bad", "new", "good"))
    levels = beliefs.mean @ X
    assert levels[0] < levels[1] < levels[2]
    assert levels[2] == pytest.approx(math.log(0.06 / 0.94), abs=0.3)
    assert beliefs.outcomes == 800
    assert found.creatives("c1", ("bad", "new", "good")) is beliefs, "made once"
    assert found.creatives("c1", ("good",)).mean.shape == (1, WIDTH)
    assert found.creatives("c1", ()).mean.shape == (0, WIDTH)
    doubt = [np.trace(each) for each in beliefs.covariance]
    assert doubt[1] > max(doubt[0], doubt[2])
    other = found.creatives("c2", ("x",))
    assert other.mean[0].tolist() == found.unseen.mean[0].tolist()
    rate = found.unseen.mean[0] @ X
    assert CLICKED[0] < rate < levels[2], "a new campaign hears of the others' clicks"


def test_snapshots_of_creatives_are_those_that_are_taught_on():
    lore = school(clicks("c1", "cr", 50, 1))
    found = learned_of(lore, GROUND)
    np.testing.assert_allclose(found.arms["c1", "cr"].mean, creative_beliefs(lore.creatives).mean)


def test_factors_hold_what_came_against_what_is_old_enough():
    young = school(clicks("c1", "cr", 1_000, 150))
    later = young.faded(NOW + 600_000, LIVES)
    kept = 0.5 ** (600_000 / LIVES.sums)
    click, _ = learned_of(later, GROUND).factors["c1"]
    everybody = (STRENGTH + 150 * kept) / (STRENGTH + 100 * kept)
    expected = (STRENGTH * everybody + 150 * kept) / (STRENGTH + 100 * kept)
    assert click == pytest.approx(expected, rel=1e-3)
    # Just now hardly any of them can have been clicked: no ground to lower the chances.
    none = school(clicks("c1", "cr", 1_000, 0))
    assert learned_of(none, GROUND).factors["c1"][0] == 1.0


def test_a_steady_stream_is_calibrated_at_every_moment():
    """Impressions every second, clicked after a minute on average, exactly as foretold."""
    rng = np.random.default_rng(3)
    lore, chance, due = Lore(at=NOW), 0.2, []
    factors = []
    for second in range(300):
        now = NOW + 2_000 * second
        lore = lore.faded(now, LIVES)
        lessons = Lessons(impressions=[Impression("c1", "", (), chance, 1, False)] * 50)
        due += list(now + rng.exponential(60_000.0, rng.binomial(50, chance)))
        here = sum(at <= now for at in due)
        due = [at for at in due if at > now]
        lessons.clicks = [Clicked("c1", "", (), chance, 0.0, 0)] * here
        lore = teach(lore, lessons, GROUND, taken_up=0, lives=LIVES)[0]
        if second >= 30:
            factors.append(learned_of(lore, GROUND).factors["c1"][0])
    assert min(factors) > 0.75
    assert max(factors) < 1.25
    assert factors[-1] == pytest.approx(1.0, abs=0.06)


def test_conversions_are_held_against_clicks():
    lessons = clicks("c1", "cr", 200, 100)
    lessons.bought = [Bought("c1", 0.2)] * 40
    lore = school(lessons).faded(NOW + 60_000_000, LIVES, delay=1_000_000.0)
    _, conversion = learned_of(lore, GROUND).factors["c1"]
    assert 1.2 < conversion < 2.0


def test_spend_and_exploration_are_told():
    shown = [Impression("c1", "cr", FEATURES, 0.1, 950, False)] * 20
    shown += [Impression("c1", "cr", FEATURES, 0.1, 500, True)]
    assert learned_of(school(Lessons(impressions=shown)), GROUND).spent == {"c1": (19_500, 500)}


def test_exchanges_that_tell_of_wins_by_bills_alone():
    heard = [("both", 0), ("both", 1)] * 30 + [("bills", 1)] * 30 + [("few", 1)] * 5
    assert learned_of(school(Lessons(heard=heard)), GROUND).by_bills == {"bills"}

"""Lessons move the lore as the likelihood says; batches add up, faults do not get in."""

import math
from dataclasses import replace

import numpy as np
import pytest

from models.bandits.evidence import COUNT, REWARD, sound
from models.bidding.arms import CREATIVE_TOP, HEAD_START, NOISE, WIDTH
from models.bidding.feedback import Kind
from models.bidding.learned import creative_beliefs
from models.bidding.lore import (
    AWAITED,
    BOUGHT,
    CAME,
    EXPLORED,
    FORETOLD,
    FRESH,
    HOPED,
    MOST_EXCHANGES,
    SPENT,
    HalfLives,
    Lore,
)
from models.bidding.market import ground_of, moved, prior_landscape
from models.bidding.teaching import BASE_HOLDS_MS, MOST_ROWS, teach
from models.bidding.tidings import (
    Bought,
    Clicked,
    Impression,
    Lessons,
    Price,
    Tried,
)
from tests.models.bidding.schooling import BASE, FEATURES, GROUND, MEMO, NOW

LIVES = HalfLives()
X = np.array([1.0, *FEATURES])


def school(lessons, lore=None, ground=GROUND, taken_up=0):
    lore = Lore(at=NOW) if lore is None else lore
    return teach(lore, lessons, ground, taken_up=taken_up, lives=LIVES)


def prices(n, seed=0, memo=MEMO):
    rng = np.random.default_rng(seed)
    logs = math.log(2e6) + 0.3 * rng.logistic(size=n)
    return [Price(memo, Kind.exact, one, one) for one in logs]


def test_prices_move_the_landscape():
    lore, refused = school(Lessons(prices=prices(200)))
    assert refused == 0
    found = moved(GROUND, lore.market)
    assert found.weights[list(MEMO.places)].sum() == pytest.approx(math.log(2e6), abs=0.1)
    assert (lore.market.count, lore.market.base) == (200, GROUND.mark)


@pytest.mark.parametrize(
    "price",
    [
        Price(MEMO._replace(buckets=32), Kind.exact, 14.0, 14.0),
        Price(MEMO._replace(places=(0, 1, 2, 3, 4, 5, 6, 7), buckets=0), Kind.exact, 14.0, 14.0),
        Price(MEMO, Kind.exact, math.nan, math.nan),
        Price(MEMO, Kind.exact, 99.0, 99.0),
        Price(MEMO, Kind.exact, -3.0, -3.0),
        Price(MEMO, Kind.minimum, 15.0, 14.0),
    ],
)
def test_prices_that_cannot_be_are_refused(price):
    lore, refused = school(Lessons(prices=[price]))
    assert refused == 1
    assert lore.market.count == 0
    assert (lore.market.precision == 0).all()
    mixed, refused = school(Lessons(prices=[price, *prices(50)]))
    alone, _ = school(Lessons(prices=prices(50)))
    assert refused == 1
    np.testing.assert_array_equal(mixed.market.shift, alone.market.shift)


def test_a_burst_is_cut_to_its_latest():
    lore, refused = school(Lessons(prices=prices(MOST_ROWS + 30)))
    assert (refused, lore.market.count) == (30, MOST_ROWS)


def test_one_absurd_price_among_many_does_not_rule():
    plain, _ = school(Lessons(prices=prices(400)))
    for absurd in (0.0, 30.0):
        some = [*prices(400), Price(MEMO, Kind.exact, absurd, absurd)]
        lore, _ = school(Lessons(prices=some))
        gap = moved(GROUND, lore.market).weights - moved(GROUND, plain.market).weights
        assert abs(gap[list(MEMO.places)].sum()) < 0.1


def test_a_new_base_drops_what_was_learned_on_the_old():
    old, _ = school(Lessons(prices=prices(100)))
    fitted = ground_of(prior_landscape(math.log(2e6)))
    new, refused = school(Lessons(prices=prices(10)), old, fitted, taken_up=NOW - 5)
    assert refused == 0
    assert (new.market.base, new.market.count, new.market.since) == (fitted.mark, 10, NOW - 5)
    # Who still has the old one neither drops the new one's evidence nor adds to it.
    late, refused = school(Lessons(prices=prices(7)), new, GROUND, taken_up=0)
    assert refused == 7
    assert late.market is new.market
    # Unless nobody has had the new one for a while: it was taken back.
    later = replace(new, at=NOW + BASE_HOLDS_MS + 1)
    back, refused = school(Lessons(prices=prices(7)), later, GROUND, taken_up=0)
    assert (refused, back.market.base, back.market.count) == (0, GROUND.mark, 7)


def test_multipliers_learn_their_kept_shares():
    rng = np.random.default_rng(0)
    tried = [Tried("north", "c1", n % 5, FEATURES, float(rng.normal())) for n in range(100)]
    lore, refused = school(Lessons(tried=tried))
    assert refused == 0
    assert lore.multipliers.names == (("north", "c1"),)
    for arm in range(5):
        rewards = np.array([one.reward - HEAD_START[arm] for one in tried if one.multiplier == arm])
        np.testing.assert_allclose(lore.multipliers.evidence.precision[arm], np.outer(X, X) * 200)
        np.testing.assert_allclose(
            lore.multipliers.evidence.shift[arm], X * rewards.sum() / NOISE, atol=1e-9
        )
        assert lore.multipliers.evidence.tallies[arm, COUNT] == 20


def test_two_batches_are_one():
    tried = [Tried(f"x{n % 2}", f"c{n % 3}", n % 5, FEATURES, n / 90) for n in range(90)]
    once, _ = school(Lessons(tried=tried))
    twice, _ = school(Lessons(tried=tried[45:]), school(Lessons(tried=tried[:45]))[0])
    assert twice.multipliers.names == once.multipliers.names
    np.testing.assert_allclose(twice.multipliers.evidence.shift, once.multipliers.evidence.shift)


def test_the_lore_that_was_given_is_left_as_it_was():
    lore, _ = school(Lessons(tried=[Tried("n", "c1", 0, FEATURES, 0.5)], heard=[("n", 0)]))
    held = [array.copy() for array in (*lore.multipliers.evidence, lore.told, lore.sums)]
    lessons = Lessons(
        tried=[Tried("n", "c1", 0, FEATURES, 0.9)],
        impressions=[Impression("c1", "cr", FEATURES, 0.1, 5, True)],
        heard=[("n", 0)],
    )
    school(lessons, lore)
    for before, after in zip(held, (*lore.multipliers.evidence, lore.told, lore.sums), strict=True):
        np.testing.assert_array_equal(before, after)


def test_rewards_that_are_none_are_refused():
    wrong = [Tried("n", "c1", 0, FEATURES, math.nan), Tried("n", "c1", 0, (1.0,), 0.5)]
    lore, refused = school(Lessons(tried=wrong))
    assert (refused, lore.multipliers.names) == (2, ())


def test_exchanges_are_counted_and_too_many_are_one():
    names = [f"x{n}" for n in range(3 * MOST_EXCHANGES)]
    heard = [(name, place) for name in names for place in (0, 2, 2)]
    tried = [Tried(name, "c1", 0, FEATURES, 0.5) for name in names]
    lore, _ = school(Lessons(heard=heard, tried=tried))
    # Room is kept for a real one that comes later.
    assert len(lore.exchanges) == MOST_EXCHANGES - 1
    assert lore.told[0].tolist() == [1, 0, 2]
    rest = 2 * MOST_EXCHANGES
    assert lore.told[-1].tolist() == [rest, 0, 2 * rest]
    assert len(lore.multipliers.names) == MOST_EXCHANGES + 1


SHOWN = Impression("c1", "cr", FEATURES, 0.25, 1_000, False)
CLICK = Clicked("c1", "cr", FEATURES, 0.25, 0.5, 0)


def chance(lore, name=("c1", "cr")):
    bank = lore.creatives
    found = creative_beliefs(bank)
    return float(found.mean[bank.names.index(name)] @ X)


def other(lesson):
    return lesson._replace(creative="other")


def test_creatives_learn_how_often_they_are_clicked():
    lessons = Lessons(
        impressions=[SHOWN] * 300 + [other(SHOWN)] * 300,
        clicks=[CLICK] * 24 + [other(CLICK)] * 6,
    )
    lore, refused = school(lessons)
    assert refused == 0
    assert chance(lore) == pytest.approx(math.log(0.08 / 0.92), abs=0.3)
    assert chance(lore, ("c1", "other")) == pytest.approx(math.log(0.02 / 0.98), abs=0.6)
    count, reward = lore.creatives.evidence.tallies[:, [COUNT, REWARD]].T
    assert count == pytest.approx([300, 300], abs=1)
    assert reward == pytest.approx([24, 6], rel=0.1), "e^-ctr of them, to be exact"


@pytest.mark.parametrize(("rate", "seed"), [(0.01, 0), (0.01, 1), (0.05, 2)])
def test_clicks_that_come_later_find_the_rate_from_the_first_minutes_on(rate, seed):
    """A hundred impressions a minute, clicked half a minute later on average."""
    rng, lore, due = np.random.default_rng(seed), Lore(at=NOW), []
    for second in range(0, 1_200, 2):
        shown = rng.poisson(100 / 30)
        due += list(second + rng.exponential(30, rng.binomial(shown, rate)))
        here = sum(at <= second for at in due)
        due = [at for at in due if at > second]
        lessons = Lessons(impressions=[SHOWN] * shown, clicks=[CLICK] * here)
        lore = school(lessons, lore)[0]
        if second >= 300 and second % 100 == 0:
            assert 1 / (1 + math.exp(-chance(lore))) < 2.5 * rate
    assert 1 / (1 + math.exp(-chance(lore))) == pytest.approx(rate, rel=0.35)


def test_a_click_takes_its_impression_back():
    shown, _ = school(Lessons(impressions=[SHOWN] * 100))
    clicked, _ = school(Lessons(clicks=[CLICK]), shown)
    assert clicked.creatives.evidence.tallies[0, [COUNT, REWARD]] == pytest.approx([100, 1])
    assert chance(clicked) > chance(shown) + 0.5
    faint = CLICK._replace(age=int(LIVES.arms))
    half, _ = school(Lessons(clicks=[faint]), shown)
    assert half.creatives.evidence.tallies[0, COUNT] == pytest.approx(100.5), "half had faded"


def test_a_click_whose_impression_was_lost_is_an_outcome_of_its_own():
    lore, _ = school(Lessons(clicks=[CLICK]))
    assert lore.creatives.evidence.tallies[0, [COUNT, REWARD]].tolist() == [1, 1]
    top = float(CREATIVE_TOP.shift[0] / CREATIVE_TOP.precision[0, 0])
    assert top < chance(lore) < 2, "one click is no certainty"
    many, _ = school(Lessons(clicks=[CLICK] * 50), lore)
    assert np.isfinite(chance(many))
    assert sound(many.creatives.evidence).all()


def test_sums_of_a_campaign():
    lessons = Lessons(
        impressions=[SHOWN, SHOWN._replace(explores=True, spent=500)],
        clicks=[CLICK, CLICK._replace(age=int(LIVES.sums))],
        bought=[Bought("c1", 0.5), Bought("c1", 0.0)],
    )
    lore, _ = school(lessons)
    row = lore.sums[lore.campaigns.index("c1")]
    assert row[[SPENT, EXPLORED]].tolist() == [1_500, 500]
    assert row[[CAME, FORETOLD, FRESH]].tolist() == [1.5, 0.5, 0.5]
    assert row[[BOUGHT, HOPED, AWAITED]].tolist() == [1.0, 1.0, 1.0]
    unknown = Lessons(
        impressions=[SHOWN._replace(chance=0.0)],
        clicks=[CLICK._replace(chance=0.0, conversion=0.0)],
    )
    row = school(unknown)[0].sums[0]
    assert row[[CAME, FORETOLD, HOPED]].tolist() == [0.0, 0.0, 0.0]


def test_impressions_without_a_context_are_spend_alone():
    lore, refused = school(Lessons(impressions=[SHOWN._replace(features=(), chance=0.0)]))
    assert (refused, lore.creatives.names) == (0, ())
    assert lore.sums[0, SPENT] == 1_000


def test_nothing_teaches_nothing():
    lore, refused = school(Lessons())
    assert refused == 0
    assert lore.market is not None
    assert moved(GROUND, lore.market).weights == pytest.approx(BASE.weights)
    assert lore.campaigns == ()
    assert lore.creatives.evidence.shift.shape == (0, WIDTH)

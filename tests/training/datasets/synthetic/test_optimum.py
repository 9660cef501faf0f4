"""The optimum: equal to enumerating every hidden path, calibrated, and better than any guess."""

from itertools import product

import numpy as np
import pytest

from domain.clock import DAY_MS, SECOND_MS
from domain.events import KINDS, Kind
from training.datasets.synthetic.optimum import optimum, worth
from training.datasets.synthetic.visits import Visits, draw_visits
from training.datasets.synthetic.world import CELL, GAPS, LONGEST, TIERS, usual_world
from training.evaluate.probabilities import auc, calibration_check

DAYS = 50.0
CLICK, SEARCH, ADD, BUY = (
    int(kind) for kind in (Kind.click, Kind.search, Kind.add_to_cart, Kind.purchase)
)


def one_visit(kinds, items, seconds):
    """Answer the only visit of the only shopper."""
    n = len(kinds)
    return Visits(
        users=np.array([0, 1]),
        offsets=np.array([0, n]),
        kinds=np.array(kinds, np.int8),
        items=np.array(items, np.int64),
        ats=(np.cumsum(seconds) * SECOND_MS).astype(np.int64),
    )


def shown(world, kind, phase, events, k):
    """Answer how likely a shopper of a type in a phase shows event k."""
    kinds, items, seconds = events
    chance = world.kinds[phase, kinds[k]]
    if k:
        place = next(g for g, (low, high) in enumerate(GAPS) if low <= seconds[k] < high)
        chance *= world.gaps[phase, place]
    if items[k] < 0:
        return chance
    before = [item for item in items[:k] if item >= 0]
    category, tier = divmod(items[k] // CELL, len(TIERS))
    fresh = world.tier[kind, tier] / CELL
    if not before:
        return chance * world.taste[kind, category] * fresh
    last_category, last_tier = divmod(before[-1] // CELL, len(TIERS))
    if category != last_category:
        others = 1 - world.taste[kind, last_category]
        moved = (1 - world.stay[phase]) * world.taste[kind, category] / others
        return chance * moved * fresh
    if items[k] == before[-1]:
        return chance * world.stay[phase] * world.again[phase]
    anew = 1 - world.again[phase]
    return chance * world.stay[phase] * anew * fresh / (1 - world.tier[kind, last_tier] / CELL)


def enumerated(world, events):
    """Answer the intent after the last event by summing over every hidden path."""
    values = worth(world)
    phases, most = world.lasts.shape
    n, total, wanted = len(events[0]), 0.0, 0.0
    need_chance = 1 / (1 + np.exp(-world.need))
    for kind, need in product(range(len(world.need)), range(2)):
        chance = need_chance[kind] if need else 1 - need_chance[kind]
        paths = [
            ((phase, left), chance * world.start[need, phase] * world.lasts[phase, left])
            for phase, left in product(range(phases), range(most))
        ]
        for k in range(n):
            paths = [(s, w * shown(world, kind, s[0], events, k)) for s, w in paths if w]
            if k == n - 1:
                break
            following = []
            for (phase, left), w in paths:
                on = w * (1 - world.leave[phase] - world.fatigue * k)
                if left:
                    following.append(((phase, left - 1), on))
                    continue
                following += [
                    ((to, then), on * world.jump[need, phase, to] * world.lasts[to, then])
                    for to, then in product(range(phases), range(most))
                ]
            paths = following
        total += sum(w for _, w in paths)
        wanted += sum(w * values[n - 1, need, phase, left] for (phase, left), w in paths)
    return wanted / total


@pytest.mark.parametrize(
    ("kinds", "items", "seconds"),
    [
        ([CLICK], [0], [0]),
        ([SEARCH, CLICK], [-1, 3], [0, 5]),
        ([CLICK, SEARCH, CLICK], [0, -1, 0], [0, 20, 100]),
        ([CLICK, CLICK, ADD, CLICK], [0, 1, 1, 20], [0, 5, 400, 1200]),
    ],
)
def test_it_equals_the_sum_over_every_path(kinds, items, seconds):
    world = usual_world()
    found = optimum(world, one_visit(kinds, items, seconds), DAYS).intent
    for k in range(len(kinds)):
        events = (kinds[: k + 1], items[: k + 1], seconds[: k + 1])
        assert found[k] == pytest.approx(enumerated(world, events), rel=1e-9)


def test_worth_is_what_simulated_shoppers_do():
    values = worth(usual_world())
    assert (values[LONGEST - 1] == 0).all()
    assert ((values >= 0) & (values < 1)).all()
    assert values[0, 1].mean() > 3 * values[0, 0].mean()


@pytest.fixture(scope="module")
def known():
    world = usual_world()
    visits, hidden = draw_visits(world, 1500, DAYS, seed=1)
    return visits, hidden, optimum(world, visits, DAYS, horizon_days=14.0)


def _asked(visits, event):
    lengths = np.diff(visits.offsets)
    position = np.arange(len(visits.ats)) - np.repeat(visits.offsets[:-1], lengths) + 1
    bought = np.repeat(visits.kinds[visits.offsets[1:] - 1] == BUY, lengths)
    rows = (position == event) & (visits.kinds != BUY)
    return rows, bought[rows].astype(np.uint8)


@pytest.mark.parametrize("event", [1, 3, 5, 10])
def test_it_is_calibrated_after_every_event(known, event):
    visits, _, best = known
    rows, y = _asked(visits, event)
    off = y - best.intent[rows]
    assert abs(off.mean()) < 3.5 * off.std() / np.sqrt(len(off))
    assert calibration_check(y, best.intent[rows], rounds=2).slope == pytest.approx(1.0, abs=0.15)


def test_it_knows_more_with_every_event(known):
    visits, _, best = known
    areas = []
    for event in (1, 3, 5):
        rows, y = _asked(visits, event)
        areas.append(auc(y, best.intent[rows]))
    assert areas == sorted(areas)
    assert areas[-1] > 0.75


def test_types_are_found_out_and_churn_is_calibrated(known):
    _, hidden, best = known
    assert (best.types.argmax(axis=1) == hidden.types).mean() > 0.9
    np.testing.assert_allclose(best.types.sum(axis=1), 1.0)
    # Who has not gone stays away for a fortnight by chance: a little more churn than `gone`.
    assert hidden.gone.mean() <= best.churn.mean() < hidden.gone.mean() + 0.06
    assert auc(hidden.gone, best.churn) > 0.9


def test_contact_wins_some_back_and_drives_others_away(known):
    _, hidden, best = known
    assert best.effect.max() > 0.2
    assert best.effect.min() < -0.1
    back = hidden.types == 0
    assert best.effect[back & hidden.gone].mean() > 0.1
    assert best.effect[(hidden.types == 4) & ~hidden.gone].mean() < -0.1


def test_what_comes_after_an_event_does_not_change_its_intent(known):
    visits, _, best = known
    moment = int(30 * DAY_MS)
    later = visits.ats > moment
    kinds = np.where(later & (visits.kinds == ADD), CLICK, visits.kinds).astype(np.int8)
    other = optimum(usual_world(), visits._replace(kinds=kinds), DAYS)
    assert best.intent[~later].tobytes() == other.intent[~later].tobytes()
    assert not np.array_equal(best.intent[later], other.intent[later])


def test_a_shop_where_everything_looks_alike_tells_nothing():
    world = usual_world()
    alike = np.zeros((len(world.kinds), KINDS))
    alike[:, [CLICK, BUY]] = 0.9, 0.1
    flat = world._replace(
        kinds=alike,
        gaps=np.full_like(world.gaps, 0.25),
        stay=np.full_like(world.stay, 0.5),
        again=np.full_like(world.again, 0.5),
        leave=np.full_like(world.leave, 0.1),
        need=np.zeros_like(world.need),
        cart=0.0,
        fresh=0.0,
    )
    visits, _ = draw_visits(flat, 60, 20.0)
    found = optimum(flat, visits, 20.0).intent
    rows, _ = _asked(visits, 3)
    assert np.ptp(found[rows]) < 1e-9

"""Lore fades, grows by names, and stays within its bounds whatever names come."""

from dataclasses import replace

import numpy as np
import pytest

from models.bandits.bank import empty_bank
from models.bandits.teachers import MOST_WORKERS, WORKER_MS
from models.bidding.arms import WIDTH
from models.bidding.lore import (
    AWAITED,
    CAME,
    ELSEWHERE,
    FORETOLD,
    FRESH,
    MOST_CAMPAIGNS,
    MOST_CREATIVES,
    MOST_EXCHANGES,
    MOST_PAIRS,
    SPENT,
    SUMS,
    HalfLives,
    Lore,
)
from models.bidding.market import no_evidence
from tests.models.bidding.schooling import BASE, NOW

LIVES = HalfLives(market=4_000.0, sums=2_000.0, arms=1_000.0)


def full():
    """Answer lore in which every number is 8."""
    lore = Lore(at=NOW).with_campaigns(["c1", "c2"])
    market = no_evidence(BASE, NOW)
    d = len(market.shift)
    lore.sums[:] = 8.0
    bank = lore.multipliers.grown([("north", "c1")])
    creatives = lore.creatives.grown([("c1", "cr")])
    for array in (*bank.evidence, *creatives.evidence):
        array[:] = 8.0
    return Lore(
        NOW, {}, 13.0, market._replace(precision=8 * np.eye(d), shift=np.full(d, 8.0), count=8.0),
        lore.campaigns, lore.sums, ("north",), np.full((1, 3), 8.0), bank, creatives,
    )  # fmt: skip


def test_everything_fades_by_its_own_half_life():
    later = full().faded(NOW + 4_000, LIVES)
    assert later.at == NOW + 4_000
    assert later.market.precision[0, 0] == later.market.shift[3] == later.market.count == 4.0
    assert (later.sums[:, [CAME, FORETOLD, SPENT]] == 2.0).all()
    assert (later.told == 2.0).all()
    for bank in (later.multipliers, later.creatives):
        assert all((array == 0.5).all() for array in bank.evidence)
    assert later.centre == 13.0


def test_fading_in_steps_is_fading_at_once():
    once = full().faded(NOW + 3_000, LIVES, 500.0)
    steps = full()
    for at in (NOW + 700, NOW + 1_900, NOW + 3_000):
        steps = steps.faded(at, LIVES, 500.0)
    np.testing.assert_allclose(steps.sums, once.sums)
    np.testing.assert_allclose(steps.market.shift, once.market.shift)


def test_time_that_runs_backwards_changes_nothing():
    lore = full()
    assert lore.faded(NOW - 1, LIVES) is lore
    assert lore.faded(NOW, LIVES) is lore


def test_what_is_too_young_grows_up():
    young = full().faded(NOW + 60_000, HalfLives(), delay=30_000.0)
    kept = young.sums[0, FORETOLD] / 8.0
    assert young.sums[0, FRESH] == pytest.approx(8.0 * kept * np.exp(-1.0))
    assert young.sums[0, AWAITED] == pytest.approx(8.0 * kept * np.exp(-2.0))


def test_names_are_added_and_keep_their_numbers():
    bank = full().multipliers
    grown = bank.grown([("south", "c1"), ("north", "c1"), ("south", "c1")])
    assert grown.names == (("north", "c1"), ("south", "c1"))
    assert (grown.evidence.shift[:5] == 8.0).all()
    assert (grown.evidence.shift[5:] == 0.0).all()
    assert bank.grown([("north", "c1")]) is bank
    lore = full().with_campaigns(["c2", "c3"])
    assert lore.campaigns == ("c1", "c2", "c3")
    assert lore.sums.tolist() == [[8.0] * SUMS, [8.0] * SUMS, [0.0] * SUMS]
    assert full().with_campaigns(["c1"]).campaigns == ("c1", "c2")


def test_hostile_names_do_not_fill_it():
    lore = Lore()
    for number in range(2 * MOST_EXCHANGES):
        name = lore.exchange_of(f"x{number}")
        known = (*lore.exchanges, *([] if name in lore.exchanges else [name]))
        lore = Lore(exchanges=known)
    assert len(lore.exchanges) == MOST_EXCHANGES + 1
    assert lore.exchange_of("another") == ELSEWHERE
    assert lore.exchange_of("x3") == "x3"
    assert Lore().exchange_of("y" * 129) == ELSEWHERE


def test_everything_has_its_bound():
    many = Lore().with_campaigns(f"c{n}" for n in range(MOST_CAMPAIGNS + 50))
    many.sums[:50, SPENT] = 1.0
    pairs = empty_bank(5, WIDTH).grown((f"e{n % 40}", f"c{n}") for n in range(MOST_PAIRS + 9))
    shown = empty_bank(1, WIDTH).grown((f"c{n}", "cr") for n in range(MOST_CREATIVES + 9))
    lore = Lore(
        campaigns=many.campaigns, sums=many.sums, multipliers=pairs, creatives=shown
    ).bounded()  # fmt: skip
    assert len(lore.campaigns) == len(lore.sums) == MOST_CAMPAIGNS
    assert lore.campaigns[:50] == many.campaigns[:50]
    assert len(lore.multipliers.names) * 5 == len(lore.multipliers.evidence.shift)
    assert len(lore.multipliers.names) == MOST_PAIRS
    assert len(lore.creatives.names) == MOST_CREATIVES


def test_workers_are_numbered_and_the_dead_are_forgotten():
    lore = Lore().signed("w1", 3, NOW).signed("w2", 1, NOW + 5)
    assert (lore.number_of("w1"), lore.number_of("w2"), lore.number_of("w3")) == (3, 1, 0)
    assert lore.signed("w2", 2, NOW + WORKER_MS).number_of("w1") == 0
    for number in range(MOST_WORKERS + 20):
        lore = lore.signed(f"v{number}", 1, NOW + number)
    assert len(lore.workers) == MOST_WORKERS
    assert lore.number_of(f"v{MOST_WORKERS + 19}") == 1


def test_invented_exchanges_make_room_for_real_ones():
    names = tuple(f"made-up-{n}" for n in range(MOST_EXCHANGES - 1))
    told = np.ones((MOST_EXCHANGES, 3))
    told[3] = 0.1
    lore = replace(Lore(), exchanges=(*names, ELSEWHERE), told=told).bounded()
    assert len(lore.exchanges) == MOST_EXCHANGES - 1 == len(lore.told)
    assert ELSEWHERE in lore.exchanges
    assert "made-up-3" not in lore.exchanges
    assert lore.exchange_of("real") == "real"

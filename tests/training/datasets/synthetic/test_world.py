"""The laws of the simulated shop are chances, and mean what their names say."""

import numpy as np

from domain.events import Kind
from training.datasets.synthetic.world import (
    CATEGORIES,
    CELL,
    ITEMS,
    PHASES,
    TIERS,
    TYPES,
    category_of,
    prices,
    usual_world,
)

DECIDE = PHASES.index("decide")


def test_shares_sum_to_one():
    world = usual_world()
    for name in ("taste", "tier", "kinds", "gaps", "start", "jump", "lasts"):
        rows = getattr(world, name)
        assert (rows >= 0).all()
        np.testing.assert_allclose(rows.sum(axis=-1), 1.0, err_msg=name)


def test_chances_are_between_none_and_all():
    world = usual_world()
    for name in ("stay", "again", "leave", "churn", "contact"):
        chances = getattr(world, name)
        assert ((chances > 0) & (chances < 1)).all()


def test_sizes_fit():
    world = usual_world()
    types, phases = len(TYPES), len(PHASES)
    assert world.taste.shape == (types, CATEGORIES)
    assert world.tier.shape == (types, len(TIERS))
    assert world.jump.shape == (2, phases, phases)
    assert len(world.need) == len(world.visits) == len(world.churn) == len(world.contact) == types


def test_only_who_decides_buys():
    bought = usual_world().kinds[:, Kind.purchase]
    assert bought[DECIDE] > 0
    assert np.delete(bought, DECIDE).max() == 0


def test_with_a_need_the_order_of_phases_is_turned_round():
    world = usual_world()
    explore, compare = PHASES.index("explore"), PHASES.index("compare")
    assert world.start[1, explore] > 0.5 > world.start[0, explore]
    assert world.jump[1, explore, compare] > 0.5
    assert world.jump[0, compare, explore] > 0.5
    assert world.jump[1, compare, DECIDE] > 10 * world.jump[0, compare, DECIDE]


def test_items_lie_in_cells_of_category_and_tier():
    assert len(prices()) == ITEMS == CATEGORIES * len(TIERS) * CELL
    codes = category_of(np.arange(ITEMS))
    assert np.bincount(codes).tolist() == [len(TIERS) * CELL] * CATEGORIES
    first = prices()[: len(TIERS) * CELL].reshape(len(TIERS), CELL)
    assert (first[:-1].max(axis=1) < first[1:].min(axis=1)).all()

"""Rivals: who is drawn, how likely, and who does not count."""

import numpy as np
import pytest

from tests.training.fit.sequence.grammar import log_of
from training.fit.sequence.drawing import Rivals, seen_pairs
from training.fit.sequence.windows import Cutter, windows_of


def batch_of(histories, n=50):
    log = log_of(histories, n)
    windows = windows_of(log, 10)
    cutter = Cutter(log, 24, np.zeros(len(log.items), bool))
    return cutter.cut(windows, np.arange(len(windows.starts)))


def test_the_chance_to_be_drawn_is_what_it_says():
    rng, batch = np.random.default_rng(0), batch_of([[1, 2]])
    chosen = np.array([0, 100, 10, 1] + [1] * 46)
    rivals = Rivals(chosen, 50, 20, 0.5, 0)
    seen = np.zeros(50)
    chances = np.zeros(50)
    for _ in range(4_000):
        drawn = rivals.draw(batch, False, rng)
        assert (np.diff(drawn.items) > 0).all()
        seen[drawn.items] += 1
        chances[drawn.items] = np.exp(drawn.logs)
    np.testing.assert_allclose(seen / 4_000, chances, atol=0.03)
    assert chances[1] > chances[2] > chances[3] > chances[0] > 0


def test_of_a_small_catalogue_all_compete():
    drawn = Rivals(np.ones(50), 50, 5, 0.5, 50).draw(
        batch_of([[1, 2]]), False, np.random.default_rng(0)
    )
    assert drawn.items.tolist() == list(range(50))
    assert not drawn.logs.any()


@pytest.mark.parametrize("masked", [False, True])
def test_the_chosen_and_the_had_do_not_compete(masked):
    batch = batch_of([[3, 4, 5], [6, 7]])
    drawn = Rivals(np.ones(50), 50, 5, 0.5, 50).draw(batch, masked, np.random.default_rng(0))
    pairs = {(int(r), int(drawn.items[c])) for r, c in zip(drawn.rows, drawn.columns, strict=True)}
    rows = {target: row for row, target in enumerate(batch.targets.tolist())}
    wanted = {(rows[item], item) for item in (4, 5, 7)}
    if masked:
        wanted |= {(rows[4], 3), (rows[5], 3), (rows[5], 4), (rows[7], 6)}
    assert pairs == wanted


def test_pairs_are_all_that_a_window_had_up_to_a_place():
    batch = batch_of([[3, 4, 3, 8], [6, 7]])
    rows, items = seen_pairs(batch)
    found = sorted((int(batch.targets[r]), int(i)) for r, i in zip(rows, items, strict=True))
    assert found == sorted([(4, 3), (3, 3), (3, 4), (8, 3), (8, 4), (8, 3), (7, 6)])

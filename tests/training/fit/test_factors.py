import numpy as np
import pytest

from tests.models.recommend.small import past_of
from tests.training.worlds import checkerboard, full_of_rows
from training.fit.factors import fit_factors, learn_factors, user_items

PARAMS = {"factors": 8, "iterations": 8, "regularisation": 0.1, "confidence": 10.0, "decay": 1.0}


def test_the_table_has_one_plus_the_logarithm_of_the_weight():
    full, items = full_of_rows([("a", "x", 0), ("a", "y", 1), ("a", "x", 2), ("b", "y", 0)])
    table = user_items(full).toarray()
    table = table[np.argsort(-table.sum(axis=1))]
    x, y = items.index("x"), items.index("y")
    assert table[0, x] == pytest.approx(1 + np.log(2))
    assert table[0, y] == table[1, y] == 1
    assert table[1, x] == 0


def test_small_weights_stay_as_they_are():
    full, _ = full_of_rows([("a", "x", 0), ("b", "y", 0)])
    light = full._replace(weights=np.full(2, 0.25, np.float32))
    assert user_items(light).data.tolist() == [0.25, 0.25]


def test_the_checkerboard_is_completed():
    """The unseen items of one's own colour come before all of the other colour."""
    full, items = full_of_rows(checkerboard())
    member = fit_factors(full, PARAMS | {"factors": 2}, 0, 1)
    colours = np.array([int(item[1:]) % 2 for item in items])
    out = np.empty(40, np.float32)
    for colour in (0, 1):
        mine = np.flatnonzero(colours == colour)
        member.score(past_of(mine[:5]), out)
        assert out[mine].min() > out[colours != colour].max()


def test_folding_in_continues_what_the_fit_began():
    """Folded-in users leave the items where they are: half a step of least squares more."""
    full, _ = full_of_rows(checkerboard())
    member = fit_factors(full, PARAMS | {"factors": 2, "iterations": 100}, 0, 1)
    users = len(full.offsets) - 1
    folded = np.stack(
        [
            member.vector(past_of(full.items[full.offsets[user] : full.offsets[user + 1]]))[:2]
            for user in range(users)
        ]
    ).astype(float)
    # Items solved from folded-in users are the learned ones, as at a fixed point.
    observed = user_items(full).toarray() > 0
    items = member.factors[:, :2].astype(float)
    for item in range(0, full.n_items, 7):
        had = folded[observed[:, item]]
        matrix = folded.T @ folded + 10 * had.T @ had + 0.1 * np.eye(2)
        solved = np.linalg.solve(matrix, 10 * had.sum(axis=0))
        cosine = solved @ items[item] / np.linalg.norm(solved) / np.linalg.norm(items[item])
        assert cosine > 0.99


def test_one_seed_gives_one_answer():
    full, _ = full_of_rows(checkerboard())
    one, two = (learn_factors(full, PARAMS, 5, threads) for threads in (1, 2))
    np.testing.assert_allclose(one, two, atol=1e-6)
    assert not np.allclose(one, learn_factors(full, PARAMS, 6, 1))

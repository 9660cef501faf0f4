import numpy as np
import pytest

from domain.clock import DAY_MS
from tests.training.worlds import START, chain, checkerboard, full_of_rows
from training.fit.graph import fit_graph

PARAMS = {
    "window": 3,
    "decay": 0.8,
    "reverse": 0.0,
    "row_power": 0.0,
    "column_power": 0.0,
    "half_life_days": None,
    "edges": 1_000,
    "own": False,
}
AS_OF = START + 100 * DAY_MS


def dense(graph, n):
    out = np.zeros((n, n))
    for i in range(n):
        targets, weights = graph._row(i)
        out[i, targets] = weights
    return out


def naive(full, params):
    """Count every pair as the docstring says, in plain loops."""
    n = full.n_items
    out = np.zeros((n, n))
    half_life = params["half_life_days"]
    for a, b in zip(full.offsets[:-1], full.offsets[1:], strict=True):
        for p in range(a, b):
            for q in range(a, b):
                distance = q - p
                if distance == 0 or abs(distance) > params["window"]:
                    continue
                pair = full.weights[p] * full.weights[q] / abs(distance)
                if half_life:
                    ages = (AS_OF - full.ats[[p, q]]) / DAY_MS
                    pair *= 2 ** (-ages.sum() / 2 / half_life)
                out[full.items[p], full.items[q]] += pair * (
                    1 if distance > 0 else params["reverse"]
                )
    columns = out.sum(axis=0)
    if not params["own"]:
        np.fill_diagonal(out, 0)
    rows = out.sum(axis=1)
    rows[rows == 0] = columns[columns == 0] = 1
    return out / rows[:, None] ** params["row_power"] / columns ** params["column_power"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"window": 1},
        {"window": 50},
        {"reverse": 0.5},
        {"row_power": 0.5},
        {"row_power": 0.75, "column_power": 0.25, "reverse": 1.0},
        {"half_life_days": 5.0},
        {"own": True, "reverse": 0.5, "row_power": 0.5},
    ],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_counts_what_plain_loops_count(changes, threads):
    rng = np.random.default_rng(6)
    rows = [
        (f"{user}", f"i{item}", day)
        for user in range(12)
        for day, item in enumerate(rng.integers(0, 9, rng.integers(1, 15)))
    ]
    full, _ = full_of_rows(rows)
    full = full._replace(weights=rng.random(len(full.items)).astype(np.float32))
    params = PARAMS | changes
    graph = fit_graph(full, AS_OF, params, threads)
    np.testing.assert_allclose(dense(graph, full.n_items), naive(full, params), rtol=1e-4)


def test_the_step_of_the_chain_is_the_heaviest_edge():
    full, items = full_of_rows(chain())
    weights = dense(fit_graph(full, AS_OF, PARAMS, 2), 30)
    for i, row in enumerate(weights):
        follower = f"i{(int(items[i][1:]) + 1) % 30:02d}"
        assert items[row.argmax()] == follower


def test_no_edge_joins_the_colours_of_a_checkerboard():
    full, items = full_of_rows(checkerboard())
    weights = dense(fit_graph(full, AS_OF, PARAMS, 2), 40)
    colours = np.array([int(item[1:]) % 2 for item in items])
    assert weights.any()
    assert not weights[colours[:, None] != colours[None, :]].any()


def test_the_heaviest_edges_stay():
    full, _ = full_of_rows(checkerboard())
    whole = dense(fit_graph(full, AS_OF, PARAMS, 1), 40)
    pruned = dense(fit_graph(full, AS_OF, PARAMS | {"edges": 4}, 1), 40)
    assert ((pruned > 0).sum(axis=1) == 4).all()
    for row, kept in zip(whole, pruned, strict=True):
        assert np.sort(kept)[-4:].tolist() == np.sort(row)[-4:].tolist()


def test_the_order_of_users_changes_nothing():
    rows = checkerboard()
    names = np.random.default_rng(0).permutation(80)
    moved = sorted((f"{names[int(user)]:02d}", item, day) for user, item, day in rows)
    one, items = full_of_rows(rows)
    two, others = full_of_rows(moved)
    place = [others.index(item) for item in items]
    a = dense(fit_graph(one, AS_OF, PARAMS, 2), 40)
    b = dense(fit_graph(two, AS_OF, PARAMS, 2), 40)
    np.testing.assert_allclose(b[np.ix_(place, place)], a, rtol=1e-5)


def test_no_events_make_a_graph_without_edges():
    full, _ = full_of_rows(chain(2, 5, 3))
    nothing = full.until(full.offsets[:-1])
    assert not dense(fit_graph(nothing, AS_OF, PARAMS, 2), 5).any()

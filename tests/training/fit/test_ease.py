import numpy as np
import pytest
import scipy.sparse as sp

from domain.clock import DAY_MS
from tests.training.worlds import START, chain, checkerboard, full_of_rows, groceries
from training.fit import ease
from training.fit.ease import fit_ease, pruned, solve_among, solve_dense, sums_of

AS_OF = START + 100 * DAY_MS
PARAMS = {
    "regularisation": 2.0,
    "both": 1.0,
    "fading": 0.8,
    "half_life_days": None,
    "sources": 100,
    "edges": 1_000,
    "own": False,
    "decay": 0.8,
}


def random_log(seed=6, users=25, items=9, repeats=False):
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        mine = rng.choice(items, rng.integers(1, 8), replace=repeats)
        rows += [(f"{user}", f"i{item}", day) for day, item in enumerate(mine)]
    full, _ = full_of_rows(rows)
    return full._replace(weights=rng.uniform(0.2, 1, len(full.items)).astype(np.float32))


def dense(member, n):
    offsets, targets, weights = member.edges
    return sp.csr_matrix((weights, targets, offsets), shape=(n, n)).toarray()


def naive_sums(full, params):
    """Form X, S and T row by row, and multiply."""
    n = full.n_items
    past, following, users = [], [], []
    for a, b in zip(full.offsets[:-1], full.offsets[1:], strict=True):
        held = np.zeros(n)
        faded = np.zeros(n)
        for j in range(a, b):
            weight = float(full.weights[j])
            if params["half_life_days"]:
                age = (AS_OF - full.ats[j]) / DAY_MS
                weight *= 2 ** (-age / 2 / params["half_life_days"])
            next_one = np.zeros(n)
            next_one[full.items[j]] = weight
            past.append(faded.copy())
            following.append(next_one)
            faded = params["fading"] * faded + next_one
            held += next_one
        held = np.where(held > 1, 1 + np.log(np.maximum(held, 1)), held)
        users.append(held / np.sqrt(held.sum()))
    s, t, x = np.array(past), np.array(following), np.array(users)
    undirected = params["both"] * x.T @ x
    return s.T @ s + undirected, s.T @ t + undirected, undirected


@pytest.mark.parametrize(
    "changes", [{}, {"both": 0.0}, {"both": 7.0, "fading": 0.6}, {"half_life_days": 9.0}]
)
@pytest.mark.parametrize("at_once", [1, 5_000_000])
def test_adds_up_what_plain_rows_add_up(changes, at_once, monkeypatch):
    monkeypatch.setattr(ease, "_AT_ONCE", at_once)
    full, params = random_log(repeats=True), PARAMS | changes
    for found, wanted in zip(sums_of(full, AS_OF, params), naive_sums(full, params), strict=True):
        np.testing.assert_allclose(found.toarray(), wanted, rtol=1e-4, atol=1e-5)


def test_a_log_without_fading_counts_every_row():
    full = random_log()
    params = PARAMS | {"fading": 1.0}
    for found, wanted in zip(sums_of(full, AS_OF, params), naive_sums(full, params), strict=True):
        np.testing.assert_allclose(found.toarray(), wanted, rtol=1e-4, atol=1e-5)


def test_what_has_faded_is_left_out():
    """After 1 + log(.02) / log(.1) places: two before an event, and no more."""
    full, _ = full_of_rows([("a", f"i{place}", place) for place in range(6)])
    right = sums_of(full, AS_OF, PARAMS | {"both": 0.0, "fading": 0.1}).right.toarray()
    wanted = np.diag(np.ones(5), 1) + np.diag(np.full(4, 0.1), 2)
    np.testing.assert_allclose(right, wanted, rtol=1e-6)


def test_without_what_comes_next_it_is_ease():
    """B = I - P diag(1 / diag P), P the inverse of X'X + regularisation (Steck, 2019)."""
    full = random_log()
    sums = sums_of(full, AS_OF, PARAMS)
    sums = sums._replace(left=sums.undirected, right=sums.undirected)
    inverse = np.linalg.inv(sums.undirected.toarray().astype(float) + 2.0 * np.eye(9))
    wanted = np.eye(9) - inverse / np.diag(inverse)
    np.testing.assert_allclose(solve_dense(sums, 2.0, own=False), wanted, atol=1e-5)


@pytest.mark.parametrize("own", [False, True])
def test_the_weights_are_the_least_squares_with_the_diagonal_held(own):
    sums = sums_of(random_log(repeats=True), AS_OF, PARAMS)
    left, right, undirected = (part.toarray().astype(float) for part in sums)
    inverse = np.linalg.inv(left + 2.0 * np.eye(9))
    held = np.diag(inverse @ (undirected if own else right)) / np.diag(inverse)
    wanted = inverse @ right - inverse * held
    found = solve_dense(sums, 2.0, own)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert own == bool(np.abs(np.diag(found)).max() > 0.01)


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
def test_one_by_one_among_all_is_all_at_once(own, threads):
    full, _ = full_of_rows(groceries())
    sums = sums_of(full, AS_OF, PARAMS)
    found = solve_among(sums, 5.0, own, 60, threads).toarray()
    np.testing.assert_allclose(found, solve_dense(sums, 5.0, own), atol=1e-5)


def test_one_by_one_is_the_regression_on_the_chosen_alone():
    full, items = full_of_rows(groceries())
    sums = sums_of(full, AS_OF, PARAMS)
    left = sums.left.toarray().astype(float) + 5.0 * np.eye(60)
    right = sums.right.toarray().astype(float)
    found = solve_among(sums, 5.0, False, 4, 1).toarray()
    for item in range(len(items)):
        height = right[:, item] / np.sqrt(np.diag(left))
        height[item] = -1
        chosen = np.argsort(-height)[:4]
        wanted = np.zeros(60)
        wanted[chosen] = np.linalg.solve(left[np.ix_(chosen, chosen)], right[chosen, item])
        np.testing.assert_allclose(found[:, item], wanted, atol=1e-5)


def test_many_items_are_solved_one_by_one_among_fewer(monkeypatch):
    full = random_log()
    whole = dense(fit_ease(full, AS_OF, PARAMS, 1), 9)
    monkeypatch.setattr(ease, "DENSE_ITEMS", 8)
    np.testing.assert_allclose(dense(fit_ease(full, AS_OF, PARAMS, 1), 9), whole, atol=1e-5)
    monkeypatch.setattr(ease, "SPARSE_ITEMS", 1)
    monkeypatch.setattr(ease, "LEAST_SOURCES", 2)
    few = dense(fit_ease(full, AS_OF, PARAMS | {"sources": 6}, 1), 9)
    assert ((few != 0).sum(axis=0) <= 3).all()


def test_the_largest_by_size_stay_whatever_their_sign():
    weights = sp.csr_matrix(np.array([[3, -5, 0.1, 4], [0, 0, -1, 0], [1, 2, 3, -9]], np.float32))
    wanted = [[0, -5, 0, 4], [0, 0, -1, 0], [0, 0, 3, -9]]
    assert pruned(weights, 2).toarray().tolist() == wanted


def test_no_item_speaks_for_itself_unless_it_may():
    full, _ = full_of_rows(groceries())
    assert not np.diag(dense(fit_ease(full, AS_OF, PARAMS, 1), 60)).any()
    own = dense(fit_ease(full, AS_OF, PARAMS | {"own": True}, 1), 60)
    assert (np.diag(own) > 0).mean() > 0.9


def test_the_step_of_the_chain_is_the_heaviest_weight():
    full, items = full_of_rows(chain())
    weights = dense(fit_ease(full, AS_OF, PARAMS | {"both": 0.0}, 1), 30)
    for i, row in enumerate(weights):
        assert items[row.argmax()] == f"i{(int(items[i][1:]) + 1) % 30:02d}"


def test_no_weight_joins_the_colours_of_a_checkerboard():
    full, items = full_of_rows(checkerboard())
    weights = dense(fit_ease(full, AS_OF, PARAMS, 2), 40)
    colours = np.array([int(item[1:]) % 2 for item in items])
    apart = colours[:, None] != colours[None, :]
    assert np.abs(weights[apart]).max() < 1e-6 < np.abs(weights[~apart]).mean()


def test_without_regularisation_there_may_be_no_answer():
    full, _ = full_of_rows([("a", "x", 0), ("a", "y", 1)])
    sums = sums_of(full, AS_OF, PARAMS | {"both": 0.0})
    with pytest.raises(np.linalg.LinAlgError, match="above 0"):
        solve_dense(sums, 0.0, own=False)


@pytest.mark.parametrize("few", [0, 4_000])
def test_no_events_make_no_weights(few, monkeypatch):
    monkeypatch.setattr(ease, "DENSE_ITEMS", few)
    full = random_log()
    nothing = full.until(full.offsets[:-1])
    assert not dense(fit_ease(nothing, AS_OF, PARAMS, 2), 9).any()

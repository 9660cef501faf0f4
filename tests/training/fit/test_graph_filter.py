import numpy as np
import pytest
import scipy.sparse as sp

from tests.training.worlds import checkerboard, full_of_rows, groceries
from training.fit import graph_filter
from training.fit.graph_filter import fit_graph_filter, leading_right

PARAMS = {
    "item_power": 0.5,
    "mix": 0.3,
    "factors": 8,
    "edges": 1_000,
    "own": False,
    "decay": 0.8,
}


def dense(member, n):
    offsets, targets, weights = member.edges
    return sp.csr_matrix((weights, targets, offsets), shape=(n, n)).toarray()


def naive(full, params):
    """The formula of the paper, with a full singular value decomposition."""
    held = np.zeros((len(full.offsets) - 1, full.n_items))
    np.add.at(held, (full.users, full.items), full.weights)
    held = np.where(held > 1, 1 + np.log(np.maximum(held, 1)), held)
    by_user, by_item = held.sum(axis=1), held.sum(axis=0)
    normal = held / by_user[:, None] ** 0.5 / by_item ** params["item_power"]
    smooth = np.linalg.svd(normal)[2][: params["factors"]].T
    spectrum = (smooth / by_item[:, None] ** 0.5) @ (smooth * by_item[:, None] ** 0.5).T
    out = normal.T @ normal + params["mix"] * spectrum
    if not params["own"]:
        np.fill_diagonal(out, 0)
    return out


@pytest.mark.parametrize(
    "changes",
    [{}, {"mix": 0.0}, {"mix": 2.0, "own": True}, {"item_power": 0.25}, {"factors": 60}],
)
def test_the_edges_are_the_weights_of_the_dense_formula(changes, monkeypatch):
    monkeypatch.setattr(graph_filter, "_PASSES", 60)
    full, _ = full_of_rows(groceries())
    params = PARAMS | changes
    found = dense(fit_graph_filter(full, params, 0), 60)
    np.testing.assert_allclose(found, naive(full, params), atol=2e-4)


def test_items_by_stretches_are_all_items(monkeypatch):
    monkeypatch.setattr(graph_filter, "_STRETCH", 7)
    monkeypatch.setattr(graph_filter, "_PASSES", 60)
    full, _ = full_of_rows(groceries())
    np.testing.assert_allclose(
        dense(fit_graph_filter(full, PARAMS, 0), 60), naive(full, PARAMS), atol=2e-4
    )


def test_leading_vectors_span_what_a_full_decomposition_says():
    rng = np.random.default_rng(1)
    rows = sp.csr_matrix(rng.random((90, 40)) * (rng.random((90, 40)) < 0.3), dtype=np.float32)
    found = leading_right(rows, 6, 0)
    wanted = np.linalg.svd(rows.toarray())[2][:6]
    np.testing.assert_allclose(np.abs(wanted @ found), np.eye(6), atol=2e-2)
    assert (leading_right(rows, 6, 0) == found).all()
    assert leading_right(rows, 500, 0).shape == (40, 40)


def test_the_largest_by_size_stay():
    full, _ = full_of_rows(groceries())
    whole = dense(fit_graph_filter(full, PARAMS, 0), 60)
    few = dense(fit_graph_filter(full, PARAMS | {"edges": 5}, 0), 60)
    for row, kept in zip(whole, few, strict=True):
        assert sorted(np.flatnonzero(kept)) == sorted(np.argsort(-np.abs(row))[:5])
        np.testing.assert_allclose(kept[kept != 0], row[kept != 0], rtol=1e-5)


def test_above_many_items_only_what_is_had_together_is_kept(monkeypatch):
    monkeypatch.setattr(graph_filter, "MANY_ITEMS", 10)
    full, _ = full_of_rows(groceries())
    found = dense(fit_graph_filter(full, PARAMS, 0), 60)
    np.testing.assert_allclose(found, naive(full, PARAMS | {"mix": 0.0}), atol=1e-5)


def test_no_weight_joins_the_colours_of_a_checkerboard():
    full, items = full_of_rows(checkerboard())
    weights = dense(fit_graph_filter(full, PARAMS | {"factors": 2}, 0), 40)
    colours = np.array([int(item[1:]) % 2 for item in items])
    apart = colours[:, None] != colours[None, :]
    assert np.abs(weights[apart]).max() < 1e-4 < np.abs(weights[~apart]).mean()


def test_no_events_make_no_weights():
    full, _ = full_of_rows(groceries())
    nothing = full.until(full.offsets[:-1])
    assert not dense(fit_graph_filter(nothing, PARAMS, 0), 60).any()

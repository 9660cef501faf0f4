"""Clusters with a known answer, naive silhouettes, and customers who have none."""

import numpy as np
import pytest

from domain.errors import ScientistError, TooLittleData
from feature_store.audiences import FEATURES
from training.fit.clusters import (
    COLUMNS,
    cluster,
    k_means,
    nearest,
    silhouette,
    space_of,
)


def three_kinds(n: int = 300, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Loyal, lapsed and new customers in shares 5:3:2, and who is which."""
    rng = np.random.default_rng(seed)
    kind = np.repeat([0, 1, 2], [n // 2, 3 * n // 10, n - n // 2 - 3 * n // 10])
    recency = np.choose(kind, [5.0, 200.0, 6.0]) + rng.normal(0, 2, n)
    orders = np.choose(kind, [30.0, 8.0, 1.0]) + rng.normal(0, 0.4, n)
    tenure = np.choose(kind, [700.0, 650.0, 20.0]) + rng.normal(0, 9, n)
    gap = np.where(kind == 2, np.nan, 20.0 + rng.normal(0, 1, n))
    columns = {"rfm.recency": recency, "rhythm.orders": orders, "rfm.tenure": tenure,
               "rhythm.order_gap_mean": gap, "breadth.support": np.zeros(n)}  # fmt: skip
    return columns, kind


def test_known_kinds_are_found_and_counted() -> None:
    columns, kind = three_kinds()
    found = cluster(columns)
    assert found.k == 3
    # The largest comes first, so labels are the kinds themselves.
    assert (found.label == kind).mean() > 0.99
    assert set(found.silhouettes) == set(found.null) == set(range(2, 9))
    # Shuffled, each column still parts its own kinds; together they part nobody.
    assert found.silhouettes[3] > found.null[3] + 0.15


def test_the_same_seed_is_the_same_answer_and_any_seed_the_same_kinds() -> None:
    columns, kind = three_kinds()
    one, two = cluster(columns, seed=3), cluster(columns, seed=3)
    np.testing.assert_array_equal(one.label, two.label)
    for seed in range(4):
        assert (cluster(columns, 3, seed).label == kind).mean() > 0.99


def test_where_there_are_no_groups_it_shows() -> None:
    rng = np.random.default_rng(1)
    columns = {name: rng.normal(size=500) for name in ("a", "b", "c", "d")}
    found = cluster(columns)
    assert all(told < found.null[k] + 0.05 for k, told in found.silhouettes.items())


def test_units_do_not_matter() -> None:
    columns, _ = three_kinds()
    scaled = columns | {"rfm.recency": columns["rfm.recency"] * 1e6}
    np.testing.assert_array_equal(cluster(columns, 3).label, cluster(scaled, 3).label)


def test_columns_that_say_nothing_new_are_left_out() -> None:
    columns, _ = three_kinds()
    double = columns | {"twice": 3 * columns["rfm.tenure"] + 1, "none": np.full(300, np.nan)}
    space = space_of(double)
    assert space.names == (
        "rfm.recency", "rhythm.orders", "rfm.tenure", "rhythm.order_gap_mean",
    )  # fmt: skip
    assert np.abs(space.x).max() <= 3
    assert np.isfinite(space.x).all()


def test_long_tails_are_logged_and_the_unknown_stands_in_the_middle() -> None:
    rng = np.random.default_rng(2)
    spent = rng.lognormal(3, 2, 400)
    spent[0] = np.nan
    space = space_of({"spent": spent})
    assert space.x[0, 0] == 0.0
    assert abs(np.median(space.x)) < 0.2
    order = np.argsort(spent[1:])
    assert (np.diff(space.x[1:, 0][order]) >= 0).all()


def test_nearest_is_the_plain_way() -> None:
    rng = np.random.default_rng(3)
    x, centres = rng.normal(size=(50, 4)), rng.normal(size=(5, 4))
    plain = ((x[:, None] - centres) ** 2).sum(axis=2)
    label, far = nearest(x, centres)
    np.testing.assert_array_equal(label, plain.argmin(axis=1))
    np.testing.assert_allclose(far, plain.min(axis=1), atol=1e-12)


def test_k_means_ends_where_no_centre_would_move() -> None:
    columns, _ = three_kinds()
    x = space_of(columns).x
    centres = k_means(x, 3, np.random.default_rng(0))
    label, _ = nearest(x, centres)
    means = np.stack([x[label == one].mean(axis=0) for one in range(3)])
    np.testing.assert_allclose(np.sort(centres, axis=0), np.sort(means, axis=0), atol=1e-9)


def test_the_silhouette_is_the_papers() -> None:
    rng = np.random.default_rng(4)
    x, label = rng.normal(size=(40, 3)), rng.integers(0, 3, 40)
    label[0] = 9
    told = []
    for i in range(40):
        apart = np.sqrt(((x - x[i]) ** 2).sum(axis=1))
        mine = (label == label[i]) & (np.arange(40) != i)
        if not mine.any():
            told.append(0.0)
            continue
        inside = apart[mine].mean()
        outside = min(apart[label == one].mean() for one in set(label) if one != label[i])
        told.append((outside - inside) / max(inside, outside))
    assert silhouette(x, label) == pytest.approx(np.mean(told), abs=1e-6)
    assert silhouette(x, np.zeros(40, np.int64)) == 0.0


def test_what_is_refused() -> None:
    columns, _ = three_kinds()
    few = {name: column[:99] for name, column in columns.items()}
    with pytest.raises(TooLittleData, match="99"):
        cluster(few)
    with pytest.raises(TooLittleData):
        cluster({})
    for k in (0, 1, 51):
        with pytest.raises(ScientistError, match="--k"):
            cluster(columns, k)
    with pytest.raises(ScientistError, match="no column"):
        cluster({"flat": np.ones(200)})
    with pytest.raises(ScientistError, match="2 ways"):
        cluster({"flag": np.arange(200.0) % 2}, 3)
    assert cluster({"flag": np.arange(200.0) % 2}).k == 2


def test_its_columns_exist() -> None:
    assert set(COLUMNS) <= set(FEATURES)

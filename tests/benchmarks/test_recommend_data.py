import numpy as np
import polars as pl

from benchmarks.recommend_data import complete_journey, core, interactions, online_retail
from domain.events import Kind
from domain.ids import hash64


def lines(rows):
    names = ("InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "CustomerID")
    frame = pl.DataFrame(rows, schema=dict(zip(names, (str, str, int, int, int), strict=True)),
                         orient="row")  # fmt: skip
    return frame.with_columns(pl.from_epoch("InvoiceDate", "s").cast(pl.Datetime("us")))


def test_the_core_is_found_by_leaving_out_again_and_again():
    # c is rare; without c user 2 has too little; without user 2 item b is rare as well.
    pairs = [("1", "a"), ("1", "a"), ("3", "a"), ("3", "a"), ("1", "b"), ("2", "b"), ("2", "c")]
    rows = pl.DataFrame(pairs, schema=["user", "item"], orient="row")
    left = core(rows, item_events=2, user_events=2)
    assert left.rows() == [("1", "a"), ("1", "a"), ("3", "a"), ("3", "a")]
    assert core(rows, 1, 1).height == len(pairs)


def test_only_what_customers_keep_of_the_shop_counts():
    sold = [("1", f"{10000 + n % 2}", 1, 60 * n, 7) for n in range(24)]
    left_out = [
        ("2", "POST", 1, 0, 7),
        ("C3", "10000", 5, 0, 7),
        ("4", "10000", -5, 0, 7),
        ("5", "10000", 1, 0, None),
        ("1", "10000", 9, 0, 7),
    ]
    rows = online_retail(lines([*left_out[:4], *sold, left_out[4]]))
    assert rows.height == 24
    assert rows.columns == ["user", "item", "at"]
    assert rows["at"].to_list() == [60_000 * n for n in range(24)]
    assert set(rows["user"]) == {"7"}
    # A letter after the five digits is part of the product.
    assert online_retail(lines([("1", "10000A", 1, 60 * n, 7) for n in range(12)])).height == 12


def test_departments_that_are_no_products_are_left_out():
    # Product 3 is in no table: it stays.
    products = pl.DataFrame({"product_id": [1, 2], "department": ["GROCERY", "FUEL"]})
    transactions = pl.DataFrame(
        {
            "household_id": [5] * 360,
            "product_id": [1, 2, 3] * 120,
            "transaction_timestamp": list(range(180)) * 2,
        }
    ).with_columns(pl.from_epoch("transaction_timestamp", "s").cast(pl.Datetime("ns")))
    rows = complete_journey(transactions, products)
    assert set(rows["item"]) == {"1", "3"}
    # Every line is there twice, and counts once.
    assert rows.height == 120 == rows.unique().height


def test_rows_become_interactions_in_the_order_of_time_then_of_the_file():
    rows = pl.DataFrame(
        [
            ("b", "y", 5, "click"),
            ("a", "z", 7, "purchase"),
            ("a", "x", 3, "rating"),
            ("a", "w", 7, "click"),
            ("b", "v", 5, "click"),
        ],
        schema=["user", "item", "at", "kind"],
        orient="row",
    )
    catalogue, full = interactions(rows)
    words = [
        "".join(catalogue.items[i] for i in full.items[a:b])
        for a, b in zip(full.offsets[:-1], full.offsets[1:], strict=True)
    ]
    assert words == ["yv", "xzw"]
    assert full.ordinals.tolist() == [0, 1, 0, 1, 2]
    assert full.ats.tolist() == [5, 5, 3, 7, 7]
    assert full.kinds.tolist() == [
        Kind.click, Kind.click, Kind.rating, Kind.purchase, Kind.click,
    ]  # fmt: skip
    assert full.weights.tolist() == [1.0] * 5
    assert catalogue.hashes.tolist() == [hash64(item) for item in catalogue.items]
    assert np.flatnonzero(catalogue.kind_weights).tolist() == sorted(set(full.kinds.tolist()))
    # Without a kind every row is a purchase.
    assert set(interactions(rows.drop("kind"))[1].kinds.tolist()) == {Kind.purchase}

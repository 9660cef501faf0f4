"""Canonical frames: every column in its place, and ids that depend on content alone."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from training.importing.canonical import CANONICAL, canonical, with_event_ids
from training.importing.readers import FAULT, ROW

COLUMNS = {"user": pl.col("u"), "kind": pl.lit("click"), "at": pl.col("t"), "value": pl.col("v")}


def raw(rows: list[tuple[str, int, float | None]]) -> pl.DataFrame:
    frame = pl.DataFrame(
        rows, schema={"u": pl.String, "t": pl.Int64, "v": pl.Float64}, orient="row"
    )
    places = pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True)
    return frame.with_columns(places.alias(ROW), pl.lit("").alias(FAULT))


def ids(frames: list[pl.DataFrame], source: str = "") -> list[str]:
    made = with_event_ids([canonical(frame, COLUMNS) for frame in frames], source)
    return [name for frame in made for name in frame["event_id"]]


ROWS = [("anna", 1, 0.5), ("bert", 1, None), ("anna", 1, 0.5), ("anna", 2, 0.5)]


def test_all_columns_in_order_with_their_types() -> None:
    frame = canonical(raw(ROWS), COLUMNS)
    assert dict(frame.schema) == dict(CANONICAL)
    assert frame["item"].to_list() == [""] * 4
    assert frame["value"].to_list() == [0.5, None, 0.5, 0.5]


def test_the_readers_fault_stands_before_the_mappings() -> None:
    broken = raw(ROWS).with_columns(pl.Series(FAULT, ["cut", "", "", ""]))
    fault = pl.when(pl.col("t") == 1).then(pl.lit("at: no")).otherwise(pl.lit(""))
    made = canonical(broken, {**COLUMNS, "fault": fault})
    assert made["fault"].to_list() == ["cut", "at: no", "at: no", ""]


def test_identical_rows_get_their_own_ids() -> None:
    first, other, second, later = ids([raw(ROWS)])
    assert second == first + "-1"
    assert len({first, other, second, later}) == 4
    assert len(first) == 24


@given(st.permutations(ROWS), st.integers(1, 4))
def test_ids_do_not_depend_on_order_or_batches(
    rows: list[tuple[str, int, float | None]], cut: int
) -> None:
    frames = [raw(rows[start : start + cut]) for start in range(0, len(rows), cut)]
    assert sorted(ids(frames)) == sorted(ids([raw(ROWS)]))


def test_ids_depend_on_the_source_and_on_every_column() -> None:
    assert set(ids([raw(ROWS)])).isdisjoint(ids([raw(ROWS)], "shop"))
    one = ids([raw([("a", 1, 1.0)])])
    for changed in (("b", 1, 1.0), ("a", 2, 1.0), ("a", 1, 1.000001), ("a", 1, None)):
        assert ids([raw([changed])]) != one


def test_known_id_stays_the_same_in_every_release() -> None:
    # Written down once: another value here would import every file a second time.
    assert ids([raw([("anna", 1_500_000_000_000, 2.5)])], "shop") == ["c32db4645e97486d98728c49"]


def test_a_files_own_ids_are_kept() -> None:
    columns = {**COLUMNS, "event_id": pl.when(pl.col("u") == "anna").then(pl.lit("mine"))}
    (frame,) = with_event_ids([canonical(raw(ROWS), columns)], "")
    assert [name == "mine" for name in frame["event_id"]] == [True, False, True, True]
    assert "" not in frame["event_id"].to_list()

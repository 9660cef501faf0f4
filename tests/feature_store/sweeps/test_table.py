"""The table on disk: what is written is what is read, without a copy."""

from pathlib import Path

import numpy as np
import pytest

from domain.errors import OperatorError
from feature_store.sweeps.table import (
    SCORED,
    by_name,
    joined,
    open_table,
    parted,
    table_of,
    write_table,
)
from tests.feature_store.sweeps.making import scored, with_features


def test_what_is_written_is_read(tmp_path: Path) -> None:
    table = scored(["b", "ä", "a"], [0.5, 0.25, np.nan], [10.0, np.nan, 1.0])
    write_table(tmp_path / "t.arrow", table)
    read = open_table(tmp_path / "t.arrow")
    assert read.users.to_pylist() == ["b", "ä", "a"]
    assert len(read) == 3
    for name, array in table.columns.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)
        assert not read[name].flags.writeable


def test_it_can_be_read_after_it_was_deleted(tmp_path: Path) -> None:
    table = scored([f"u{n}" for n in range(5000)], [0.5] * 5000, [1.0] * 5000)
    write_table(tmp_path / "t.arrow", table)
    read = open_table(tmp_path / "t.arrow")
    (tmp_path / "t.arrow").unlink()
    assert read["probability"].sum() == 2500
    assert read.names(np.array([4999, 0])) == ["u4999", "u0"]


def test_rows_are_taken_and_joined() -> None:
    table = scored(["a", "b", "c"], [0.1, 0.2, 0.3], [1.0, 2.0, 3.0])
    taken = table.taken(np.array([2, 0]))
    assert taken.users.to_pylist() == ["c", "a"]
    assert taken["probability"].tolist() == [0.3, 0.1]
    whole = joined([taken, table])
    assert whole.users.to_pylist() == ["c", "a", "a", "b", "c"]
    assert whole["survival"].shape == (5, 2)


def test_an_empty_table_is_a_table(tmp_path: Path) -> None:
    write_table(tmp_path / "t.arrow", scored([], [], []))
    assert len(open_table(tmp_path / "t.arrow")) == 0


def test_names_are_ordered_by_their_bytes() -> None:
    table = table_of(["b", "ä", "a", "B"], {})
    assert [table.names(by_name(table))] == [sorted(["b", "ä", "a", "B"], key=str.encode)]


def test_columns_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="every column"):
        table_of(["a"], {"probability": np.zeros(2)})


@pytest.mark.parametrize("content", [None, b"", b"ARROW1 no more", b"x" * 4096])
def test_a_broken_table_says_what_to_do(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "t.arrow").write_bytes(content)
    with pytest.raises(OperatorError, match="sweep again"):
        open_table(tmp_path / "t.arrow")


def test_what_only_some_parts_hold_is_left_out_and_the_rest_is_parted() -> None:
    plain = scored(["a"], [0.5], [1.0])
    more = with_features(scored(["b"], [0.25], [1.0]), {"rfm.recency": [3.0]})
    whole = joined([more, plain])
    assert tuple(whole.columns) == SCORED
    scores, features = parted(joined([more, more]))
    assert tuple(scores.columns) == SCORED
    assert features["rfm.recency"].tolist() == [3.0, 3.0]
    assert features.users is scores.users

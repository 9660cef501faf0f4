"""Sets without times: the made-up times keep the order and make the last event a split."""

from pathlib import Path

import polars as pl
import pytest

from domain.clock import DAY_MS
from training.importing import readers
from training.importing.presets import PRESETS, positional
from training.importing.presets.positional import LAST_AT, read_sequences, read_tags


def test_order_is_kept_and_everybody_ends_together(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("u1 a b a\nu2 c\n")
    (frame,) = read_sequences(path)
    assert frame.select("user", "item", "at").rows() == [
        ("u1", "a", LAST_AT - 2 * DAY_MS),
        ("u1", "b", LAST_AT - DAY_MS),
        ("u1", "a", LAST_AT),
        ("u2", "c", LAST_AT),
    ]
    assert frame[readers.ROW].to_list() == [1, 1, 1, 2]


def test_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positional, "BATCH_ROWS", 2)
    path = tmp_path / "log.txt"
    path.write_text("u1 a b a\nu2 c\n")
    assert [frame.height for frame in read_sequences(path)] == [3, 1]


def test_tags_each_once(tmp_path: Path) -> None:
    path = tmp_path / "tags.json"
    path.write_text('{"a": [2, 1, 2], "b": []}')
    (frame,) = read_tags(path)
    assert frame.select("item", "tags").rows() == [("a", ["2", "1"]), ("b", [])]


@pytest.mark.parametrize(
    ("name", "events", "users", "items", "kind"),
    [
        ("amazon-beauty", 198_502, 22_363, 12_101, "purchase"),
        ("lastfm", 52_551, 1_090, 3_646, "click"),
    ],
)
def test_the_published_counts(
    data_dir: Path, name: str, events: int, users: int, items: int, kind: str
) -> None:
    preset = PRESETS[name]
    frame = pl.concat(preset.events(data_dir / name))
    assert (frame.height, frame["user"].n_unique(), frame["item"].n_unique()) == (
        events,
        users,
        items,
    )
    assert set(frame["kind"]) == {kind}
    assert frame.filter(pl.col("at") == LAST_AT).height == users
    assert frame["at"].max() == LAST_AT
    assert pl.concat(preset.items(data_dir / name))["item"].n_unique() == items

"""Counting occurrences: the same as a plain dict, however it is cut and however it grows."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.importing import occurrences
from training.importing.occurrences import Occurrences

HASHES = st.lists(st.integers(0, 40) | st.integers(0, 2**64 - 1), max_size=300)


def plain(hashes: list[int]) -> list[int]:
    seen: Counter[int] = Counter()
    counted = []
    for value in hashes:
        # 0 marks an empty slot: it is counted with 1, which costs nothing but a suffix.
        key = value or 1
        counted.append(seen[key])
        seen[key] += 1
    return counted


@given(HASHES, st.integers(1, 50))
def test_counts_as_a_dict_does(hashes: list[int], cut: int) -> None:
    table = Occurrences(slots=4)
    counted: list[int] = []
    for start in range(0, len(hashes), cut):
        part = np.array(hashes[start : start + cut], np.uint64)
        counted += table.count(part).tolist()
    assert counted == plain(hashes)


def test_grows_behind_a_file_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(occurrences, "IN_MEMORY_SLOTS", 64)
    table = Occurrences(tmp_path, slots=16)
    values = np.random.default_rng(3).integers(1, 500, 5_000).astype(np.uint64)
    assert table.count(values).tolist() == plain(values.tolist())
    assert list(tmp_path.iterdir()) == []

"""The home of the score benchmarks: refuses to be filled with nothing."""

from pathlib import Path

import pytest

from benchmarks.harness import Arguments
from benchmarks.scored_home import HURRIED, scored_home
from domain.errors import TooLittleData


def test_without_the_logs_there_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "online-retail").mkdir()
    with pytest.raises(TooLittleData), scored_home(Arguments(tmp_path)):
        pytest.fail("there is nothing to measure")


def test_both_parts_of_intent_are_in_use() -> None:
    assert HURRIED.champion == "blend"

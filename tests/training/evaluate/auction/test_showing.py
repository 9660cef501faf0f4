"""A day is played, told in figures and drawn; the same seed is the same day."""

import json

from tests.training.evaluate.auction.markets import SMALL
from training.evaluate.auction.showing import FIGURES, PICTURE, SHARE, show


def test_figures_and_a_picture(tmp_path):
    files = show(tmp_path / "new", 3, SMALL)
    assert [file.name for file in files] == [FIGURES, PICTURE]
    assert files[1].read_bytes()[:4] == b"\x89PNG"
    told = json.loads(files[0].read_text())
    assert 0 < told["spend"] <= told["budget"]
    assert abs(told["spend"] / told["budget"] - 1.0 - told["plan_error"]) < 1e-9
    assert told["surplus"] + told["constant_regret"] == told["best_constant"]
    assert told["best_constant"] <= told["hindsight"]
    assert 0 < SHARE < 1


def test_the_same_seed_is_the_same_day(tmp_path):
    one, again, other = (
        show(tmp_path / name, seed, SMALL)[0].read_text()
        for name, seed in (("one", 5), ("again", 5), ("other", 6))
    )
    assert one == again
    assert one != other

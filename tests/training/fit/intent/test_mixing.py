"""Who answers: the part that is clearly better, or both where nobody can tell."""

import numpy as np
import pytest

from models.calibration import sigmoid
from training.fit.intent.mixing import SHARES, champion_of, choose_mix


def drawn(n: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Answer true log-odds, noise, labels and owners of n rows."""
    rng = np.random.default_rng(seed)
    odds, noise = rng.normal(0, 2, n), rng.normal(0, 2, n)
    return odds, noise, (rng.random(n) < sigmoid(odds)).astype(np.uint8), np.arange(n) // 4


def test_the_part_that_knows_answers_alone() -> None:
    odds, noise, y, owner = drawn()
    assert choose_mix(odds, noise, y, owner).champion == "network"
    assert choose_mix(noise, odds, y, owner).champion == "forest"
    assert choose_mix(odds, noise, y, owner).mix == (1.0, 0.0)


def test_two_halves_of_the_truth_are_blended() -> None:
    odds, noise, y, owner = drawn()
    found = choose_mix(odds + noise, odds - noise, y, owner)
    assert found.champion == "blend"
    assert found.mix == (0.5, 0.5)
    assert found.log_loss["0.5"] < min(found.log_loss["0"], found.log_loss["1"])


def test_where_nobody_can_tell_both_answer() -> None:
    odds, _, y, owner = drawn(60)
    assert choose_mix(odds, odds.copy(), y, owner).mix == (0.5, 0.5)


@pytest.mark.parametrize("wanted", ["network", "forest", "blend"])
def test_a_champion_may_be_ordered(wanted: str) -> None:
    odds, noise, y, owner = drawn()
    assert choose_mix(noise, odds, y, owner, wanted).champion == wanted


def test_every_share_is_told() -> None:
    odds, noise, y, owner = drawn(200)
    found = choose_mix(odds, noise, y, owner)
    assert list(found.log_loss) == [f"{share:g}" for share in SHARES]


def test_owners_may_be_numbered_with_gaps() -> None:
    odds, noise, y, owner = drawn(400)
    assert choose_mix(odds, noise, y, owner * 7 + 3).mix == choose_mix(odds, noise, y, owner).mix


@pytest.mark.parametrize(
    ("share", "name"), [(0.0, "forest"), (0.25, "blend"), (0.75, "blend"), (1.0, "network")]
)
def test_shares_have_names(share: float, name: str) -> None:
    assert champion_of(share) == name

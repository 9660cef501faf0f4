import numpy as np
import pytest

from domain.errors import ScientistError
from domain.events import KINDS, Kind
from training.fit.settings import RecommendSettings


def test_impressions_say_nothing_and_purchases_most():
    weights = RecommendSettings().weights_by_kind()
    assert weights.shape == (KINDS,)
    assert weights[Kind.impression] == weights[Kind.refund] == 0
    assert weights[Kind.purchase] == weights.max() == 1
    assert 0 < weights[Kind.click] < weights[Kind.add_to_cart] < 1


def test_kinds_are_chosen_by_name():
    weights = RecommendSettings(kind_weights={"seen": 0.5}).weights_by_kind()
    assert np.flatnonzero(weights).tolist() == [Kind.seen]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind_weights": {"bought": 1}}, "no such kind: bought"),
        ({"split": "random"}, "leave-one-out"),
        ({"test_share": 0}, "between 0 and 0.5"),
        ({"test_share": 0.5}, "between 0 and 0.5"),
    ],
)
def test_wrong_choices_are_refused(wrong, message):
    with pytest.raises(ScientistError, match=message):
        RecommendSettings(**wrong)


def test_each_has_its_own_weights():
    RecommendSettings().kind_weights["seen"] = 9
    assert "seen" not in RecommendSettings().kind_weights

"""Defaults hold; what makes no sense is refused with the setting's name."""

import pytest

from domain.errors import ScientistError
from training.fit.uplift.learners import LEARNERS
from training.fit.uplift.settings import UpliftSettings


def test_every_learner_is_a_candidate_and_trees_are_fast_to_serve():
    settings = UpliftSettings()
    assert settings.learners == list(LEARNERS) == ["s", "t", "x", "dr"]
    assert max(settings.leaves) <= 8
    assert (settings.value, settings.cost) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"learners": []}, "learners"),
        ({"learners": ["z"]}, "learners"),
        ({"leaves": [16]}, "leaves"),
        ({"trees": [0]}, "trees"),
        ({"repeats": 1}, "repeats"),
        ({"choosing": 0}, "choosing"),
        ({"test_share": 0.0}, "test_share"),
        ({"value": float("nan")}, "value"),
        ({"cost": -1.0}, "cost"),
        ({"definition": "gone"}, "definition"),
        ({"horizon_days": 0}, "horizon_days"),
        ({"kinds": ["dance"]}, "dance"),
    ],
)
def test_nonsense_is_refused(wrong, named):
    with pytest.raises(ScientistError, match=named):
        UpliftSettings(**wrong)

"""Settings of a bidding fit: defaults hold, nonsense is told."""

import pytest

from domain.errors import BadField, ScientistError
from training.fit.bidding.settings import BiddingSettings


def test_the_end_is_after_the_last_event_or_as_chosen():
    assert BiddingSettings().until(999) == 1000
    assert BiddingSettings(as_of="2024-01-01").until(5) == 1_704_067_200_000


@pytest.mark.parametrize(
    "chosen",
    [
        {"test_share": 0.0},
        {"test_share": 0.45, "validation_share": 0.4},
        {"click_days": 0},
        {"conversion_days": -1},
        {"silent_hours": -1},
        {"leaves": 31},
        {"most_trees": 0},
        {"rate": 0},
        {"blind_share": 1.0},
        {"law": "cauchy"},
        {"price_buckets": 0},
        {"least_clicks": 1},
    ],
)
def test_what_makes_no_sense_is_refused(chosen):
    with pytest.raises(ScientistError):
        BiddingSettings(**chosen)


def test_a_time_that_is_none_is_told():
    with pytest.raises(BadField):
        BiddingSettings(as_of="soon")

"""Settings: defaults that stand, times that are read, nonsense that is refused."""

import pytest

from domain.errors import ScientistError
from training.fit.churn.settings import ChurnSettings

NOW = 1_700_000_000_000


def test_the_end_of_the_log_is_the_default() -> None:
    assert ChurnSettings().until(NOW - 5, NOW) == NOW - 4


def test_a_log_that_runs_ahead_of_the_clock_is_cut_at_now() -> None:
    assert ChurnSettings().until(NOW + 1000, NOW) == NOW


@pytest.mark.parametrize("text", ["2023-06-01", "1685577600", "2023-06-01T00:00:00Z"])
def test_as_of_is_iso_or_epoch(text) -> None:
    assert ChurnSettings(as_of=text).until(NOW, NOW) == 1_685_577_600_000


@pytest.mark.parametrize("text", ["tomorrow", "2030-01-01", "-5"])
def test_no_time_or_a_future_one_is_refused(text) -> None:
    with pytest.raises(ScientistError, match="as_of"):
        ChurnSettings(as_of=text).until(NOW, NOW)


def test_what_churn_means_is_taken_over() -> None:
    meaning = ChurnSettings(horizon_days=28, lead_days=2, active_days=56).meaning()
    assert meaning.window_ms == 30 * 86_400_000
    assert meaning.active_days == 56


@pytest.mark.parametrize(
    "wrong", [{"folds": 1}, {"max_cutoffs": 1}, {"definition": "x"}, {"kinds": []}, {"leaves": [1]}]
)
def test_nonsense_is_refused(wrong) -> None:
    with pytest.raises(ScientistError):
        ChurnSettings(**wrong)

"""Cut-offs: tests at the end, learned from before them, never a window that is not over."""

from training.fit.churn.cutoffs import cutoffs, drawn
from training.fit.churn.settings import ChurnSettings

DAY = 86_400_000


def test_tests_lie_one_window_apart_in_a_long_log() -> None:
    found = cutoffs(0, 1000 * DAY, ChurnSettings(horizon_days=90))
    assert found.tests == (730 * DAY, 820 * DAY, 910 * DAY)


def test_windows_are_over_by_the_end() -> None:
    for days in (270, 300, 500, 2000):
        settings = ChurnSettings(horizon_days=60, lead_days=10)
        found = cutoffs(0, days * DAY, settings)
        assert max(found.learned) + 70 * DAY <= days * DAY
        assert all(time > max(found.tests) for time in found.open)
        assert len(found.tests) == 3
        # Each test finds something to learn from whose windows end by it.
        assert min(found.learned) + 70 * DAY <= found.tests[0]


def test_the_grid_is_no_longer_than_asked() -> None:
    settings = ChurnSettings(horizon_days=30, max_cutoffs=10)
    found = cutoffs(0, 3000 * DAY, settings)
    assert len(found.learned) <= 10 + 2 + 2 * settings.test_cutoffs


def test_a_short_log_still_has_three_tests_and_rows_before_them() -> None:
    found = cutoffs(0, 270 * DAY, ChurnSettings(horizon_days=90))
    assert len(set(found.tests)) == 3
    assert min(found.learned) >= 30 * DAY


def test_drawing_keeps_both_ends() -> None:
    assert drawn((1, 2, 3, 4, 5), 3) == (1, 3, 5)
    assert drawn((1, 2), 3) == (1, 2)

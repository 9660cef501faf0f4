import numpy as np
import pytest

from domain.clock import DAY_MS
from tests.training.fit.test_blending import walkers
from tests.training.worlds import START, full_of_rows, groceries
from training.fit import lessons
from training.fit.lessons import before_all, earlier, earlier_lessons
from training.splits import leave_one_out, time_split


def test_an_earlier_lesson_of_the_last_events_is_the_event_before():
    full, _ = full_of_rows(walkers(20))
    split = leave_one_out(full, 2, 512, repeats=False)
    one, two = (earlier(full, split, back, 512, False) for back in (1, 2))
    lasts = split.cases.ends - full.offsets[split.cases.users]
    ends = dict(zip(split.cases.users, lasts, strict=True))
    for back, taught in ((1, one), (2, two)):
        cases = taught.split.cases
        assert len(cases)
        for user, end in zip(
            cases.users, cases.ends - taught.log.offsets[cases.users], strict=True
        ):
            assert end == ends[user] - back
        assert len(taught.split.known.items) < len(split.known.items)


def test_an_earlier_lesson_of_a_window_is_the_window_before():
    full, _ = full_of_rows(groceries())
    day = 100
    split = time_split(full, START + day * DAY_MS, START + (day + 14) * DAY_MS, 512, True)
    taught = earlier(full, split, 1, 512, True)
    assert taught.split.as_of == pytest.approx(START + (day - 14) * DAY_MS, abs=2 * DAY_MS)
    assert taught.split.known.ats.max() < taught.split.as_of
    assert taught.log.ats.max() < split.as_of
    assert (
        earlier(full, split._replace(cases=split.cases.take(np.zeros(0, np.int64))), 1, 9, True)
        is None
    )


def test_lessons_are_taken_until_there_are_cases_enough(monkeypatch):
    full, _ = full_of_rows(walkers(20))
    split = leave_one_out(full, 2, 512, repeats=False)
    assert len(earlier_lessons(full, split, 3, 512, False)) == 3
    monkeypatch.setattr(lessons, "THIN", len(split.cases) + 1)
    assert len(earlier_lessons(full, split, 3, 512, False)) == 1
    monkeypatch.setattr(lessons, "THIN", len(split.cases))
    assert earlier_lessons(full, split, 3, 512, False) == []


@pytest.mark.parametrize("timed", [False, True])
def test_what_lies_before_all_lessons_holds_no_target_of_any(timed):
    """A short history is asked about by the later lessons only, and must be cut all the same."""
    rows = groceries() if timed else [*walkers(20), ("short", "i01", 1), ("short", "i02", 2),
                                      ("short", "i03", 3), ("short", "i04", 4)]  # fmt: skip
    full, _ = full_of_rows(rows)
    if timed:
        split = time_split(full, START + 100 * DAY_MS, START + 114 * DAY_MS, 512, True)
    else:
        split = leave_one_out(full, 2, 512, repeats=False)
    found = earlier_lessons(full, split, 4, 512, timed)
    first = before_all(split.known, found)
    kept = np.diff(first.offsets)
    assert len(found) == 4
    assert first.items.size > 0
    for one in found:
        cases = one.split.cases
        assert (kept[cases.users] <= cases.ends - one.log.offsets[cases.users]).all()
    # And no more is cut than must be.
    asked = np.min([np.diff(one.split.known.offsets) for one in found], axis=0)
    np.testing.assert_array_equal(kept, asked)

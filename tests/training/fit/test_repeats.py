import numpy as np
import pytest

from domain.clock import DAY_MS
from models.recommend.repeats import FACTS, FEATURES
from tests.models.recommend.small import past_of
from tests.training.worlds import START, full_of_rows
from training.fit.repeats import PRIOR, facts_of_items, fit_repeats, logistic

PARAMS = {"horizon_days": 28.0, "lift": 3.0}


def day(number):
    return START + number * DAY_MS


def test_what_is_known_of_an_item():
    rows = [
        ("a", "x", 0), ("a", "x", 4), ("a", "x", 20), ("b", "x", 6),
        ("a", "y", 0), ("b", "y", 20),
    ]  # fmt: skip
    full, items = full_of_rows(rows)
    facts = facts_of_items(full, day(20))
    x, y = (dict(zip(FACTS, facts[items.index(item)], strict=True)) for item in "xy")
    overall = 2 / 6
    assert x["log_rate"] == pytest.approx(np.log((2 + 10 * overall) / (4 + 10)))
    assert y["log_rate"] == pytest.approx(np.log((0 + 10 * overall) / (2 + 10)))
    recent = 2 ** (-20 / 14) + 2 ** (-16 / 14) + 1 + 2 ** (-14 / 14)
    assert x["log_recent"] == pytest.approx(np.log1p(recent))
    usual = (np.log(4.5) + np.log(16.5)) / 2
    assert x["log_gap"] == pytest.approx((np.log(4.5) + np.log(16.5) + 5 * usual) / 7)
    assert y["log_gap"] == pytest.approx(usual)


def test_the_regression_finds_what_made_the_answers():
    rng = np.random.default_rng(0)
    x = rng.normal([0, 5, -2], [1, 20, 0.1], (40_000, 3))
    wanted = np.array([8.3, 1.0, -0.05, 4.0])
    odds = wanted[0] + x @ wanted[1:]
    y = (rng.random(len(x)) < 1 / (1 + np.exp(-odds))).astype(float)
    np.testing.assert_allclose(logistic(x, y), wanted, rtol=0.1)


def test_a_column_that_hardly_varies_tells_nothing():
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(size=500), 7 + 1e-7 * rng.random(500)])
    y = (x[:, 0] + rng.normal(size=500) > 0).astype(float)
    found = logistic(x, y)
    assert found[1] > 1
    assert found[2] == 0


def stocked(users=60, weeks=30):
    """Everyone has milk every week; salt every tenth; and each week a novelty never had again."""
    rows = []
    for user in range(users):
        for week in range(weeks):
            rows.append((f"{user}", "milk", 7 * week))
            rows.append((f"{user}", f"new{(user * 7 + week) % 50}", 7 * week + 1))
            if (week + user) % 10 == 0:
                rows.append((f"{user}", "salt", 7 * week + 2))
    return full_of_rows(rows)


def ranked(member, items, past):
    out = np.empty(len(items), np.float32)
    member.raw(past, out)
    return dict(zip(items, out.tolist(), strict=True))


def test_what_comes_back_is_learned_from_the_log():
    full, items = stocked()
    member = fit_repeats(full, day(210), {**PARAMS, "horizon_days": 7.0}, 0)
    milk, salt, new = items.index("milk"), items.index("salt"), items.index("new3")
    # Had as often and as lately, milk comes back and the novelty does not.
    found = ranked(member, items, past_of([milk, new], days=[7, 7]))
    assert found["milk"] > found["new3"] > 0
    assert found["salt"] == 0
    # Salt three weeks ago is far from due; seventy days ago it is.
    early = ranked(member, items, past_of([salt, salt, milk], days=[91, 21, 7]))["salt"]
    due = ranked(member, items, past_of([salt, salt, milk], days=[139, 69, 7]))["salt"]
    assert due > early


def test_the_very_next_thing_is_learned_too():
    # Everyone goes to and fro between two things and leaves older ones behind.
    rows = [(f"{user}", f"i{(step // 6 * 2 + step % 2 + user) % 40}", step)
            for user in range(40) for step in range(30)]  # fmt: skip
    full, items = full_of_rows(rows)
    member = fit_repeats(full, day(30), {**PARAMS, "horizon_days": 0.0}, 0)
    found = ranked(member, items, past_of([0, 1, 0, 1, 0, 1, 2, 3, 2], days=range(9, 0, -1)))
    # The last one is never next: the other of the pair is, and not one left behind.
    assert max(found, key=lambda item: found[item]) == items[3]
    others = [found[item] for item in items if item != items[3]]
    # Far above 0 a score is log-odds: twenty to one against any other.
    assert max(others) < found[items[3]] - np.log(20)


def test_nothing_after_as_of_is_learned_from():
    full, _ = stocked(weeks=30)
    known = full.until(full.places_before(day(150)))
    later = full._replace(ats=np.where(full.ats >= day(150), full.ats + 5 * DAY_MS, full.ats))
    again = later.until(later.places_before(day(150)))
    one, other = (fit_repeats(some, day(150), PARAMS, 0) for some in (known, again))
    assert (one.coefficients == other.coefficients).all()
    assert (one.facts == other.facts).all()


def test_a_log_too_short_to_learn_from_falls_back_on_often_and_lately():
    full, _ = full_of_rows([("a", "x", 0), ("a", "x", 3), ("b", "y", 1)])
    for horizon in (28.0, 0.0):
        member = fit_repeats(full, day(4), {**PARAMS, "horizon_days": horizon}, 0)
        learned = dict(zip(("alone", *FEATURES), member.coefficients.tolist(), strict=True))
        assert {name: value for name, value in learned.items() if value} == PRIOR

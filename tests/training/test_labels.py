"""Labels by known answers: windows, leads, terms, label words, the reactivation curve."""

import numpy as np
import pytest

from domain.errors import ScientistError
from domain.events import Kind
from tests.training.leaving import at_day, history_of_orders
from training.labels import NEVER, around, kind_flags, outcomes, reactivation, terms

BUY, RENEW, CANCEL, SUB = Kind.purchase, Kind.renew, Kind.cancel, Kind.subscribe
DAY = 86_400_000
PURCHASE = kind_flags(["purchase"])


def _around(events, day, lead=0.0):
    history = history_of_orders({"ada": events})
    found = around(history, np.array([0]), np.array([at_day(day)]), round(lead * DAY), PURCHASE)
    return int(found.last[0]), int(found.following[0])


def test_the_last_before_and_the_first_from_then_on() -> None:
    assert _around([(1, BUY), (5, BUY), (9, BUY)], 6) == (at_day(5), at_day(9))


def test_as_of_is_exclusive_and_starts_the_window() -> None:
    assert _around([(1, BUY), (5, BUY)], 5) == (at_day(1), at_day(5))


def test_what_happens_within_the_lead_is_not_in_the_window() -> None:
    assert _around([(1, BUY), (7, BUY), (12, BUY)], 6, lead=2) == (at_day(1), at_day(12))


def test_other_kinds_do_not_count() -> None:
    assert _around([(1, BUY), (5, Kind.login), (9, Kind.login)], 6) == (at_day(1), NEVER)


def test_nothing_before_is_told_apart() -> None:
    assert _around([(9, BUY)], 6)[0] == -1


def _terms(events, day=10.0, lead=0.0, horizon=10.0):
    history = history_of_orders({"ada": events})
    running, left = terms(
        history, np.array([0]), np.array([at_day(day)]), round(lead * DAY), round(horizon * DAY)
    )
    return bool(running[0]), int(left[0])


def test_a_cancel_in_the_window_ends_a_running_term() -> None:
    assert _terms([(1, SUB), (12, CANCEL)]) == (True, at_day(12))


def test_a_renewal_in_the_window_takes_the_cancel_back() -> None:
    assert _terms([(1, SUB), (12, CANCEL), (13, RENEW)]) == (True, NEVER)


def test_who_cancelled_before_is_not_asked_about() -> None:
    assert _terms([(1, SUB), (5, CANCEL)])[0] is False


def test_a_cancel_after_the_window_or_within_the_lead_is_none_of_it() -> None:
    assert _terms([(1, SUB), (21, CANCEL)])[1] == NEVER
    assert _terms([(1, SUB), (11, CANCEL)], lead=2)[1] == NEVER


def test_who_never_had_a_term_has_none_running() -> None:
    assert _terms([(1, BUY)])[0] is False


def test_words_for_leaving_and_staying() -> None:
    assert outcomes(["Yes", "no", " churned ", "renewed"]).tolist() == [1, 0, 1, 0]
    assert outcomes(["gone", "here"], left=["gone"]).tolist() == [1, 0]
    with pytest.raises(ScientistError, match="left_labels"):
        outcomes(["yes", "perhaps"])


def test_kinds_are_checked() -> None:
    with pytest.raises(ScientistError, match="teleport"):
        kind_flags(["teleport"])
    with pytest.raises(ScientistError, match="at least one"):
        kind_flags([])


def test_the_reactivation_curve_of_a_shop_everybody_returns_to_weekly() -> None:
    people = {f"c{n}": [(float(day), BUY) for day in range(n % 7, 200, 7)] for n in range(50)}
    found = reactivation(history_of_orders(people), PURCHASE, at_day(200))
    assert found.suggested_days == 7
    assert found.share[0] > 0.99
    # Whoever was silent for eight days was never seen to come back.
    assert found.share[8] == pytest.approx(0.0)


def test_a_log_in_which_nobody_returns_suggests_nothing() -> None:
    people = {f"c{n}": [(float(n), BUY)] for n in range(20)}
    found = reactivation(history_of_orders(people), PURCHASE, at_day(100))
    assert found.suggested_days is None
    assert found.events == 0


def test_sessions_are_not_people() -> None:
    history = history_of_orders({"ada": [(1, BUY), (3, BUY)]})
    visitors = type(history)(
        ("sada",), history.records, history.offsets, history.spans, history.cap
    )
    assert reactivation(visitors, PURCHASE, at_day(9)).events == 0

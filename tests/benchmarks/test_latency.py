"""What the latency benchmark sends: bodies of one size, real users, no event twice."""

import json
from pathlib import Path

import pytest

from benchmarks import latency, reference
from benchmarks.beauty import Beauty, beauty_home
from benchmarks.harness import Arguments
from domain.errors import TooLittleData

BEAUTY = Beauty(Path(), {"u1": ["a", "b"], "u2": ["c"]}, ["u1", "u2"])


@pytest.mark.parametrize("route", latency.ROUTES, ids=lambda route: route.name)
@pytest.mark.parametrize("number", [0, 1, 12_345, 9_999_999_999])
def test_every_body_has_the_size_of_the_reference(route: latency.Route, number: int) -> None:
    body = route.body(BEAUTY, number)
    assert len(body) == latency.BODY_BYTES == len(reference.body(latency.BODY_BYTES))
    assert json.loads(body)["user"] in BEAUTY.users


def test_every_event_is_a_new_one_about_something_its_user_knows() -> None:
    events = [json.loads(latency.event_body(BEAUTY, number)) for number in range(100)]
    assert len({event["event_id"] for event in events}) == 100
    assert all(event["item"] in BEAUTY.histories[event["user"]] for event in events)


def test_twenty_items_are_asked_for() -> None:
    assert json.loads(latency.recommendation_body(BEAUTY, 0))["k"] == 20


def test_without_the_log_it_does_not_run(tmp_path: Path) -> None:
    with pytest.raises(TooLittleData), beauty_home(Arguments(tmp_path)):
        pytest.fail("there is nothing to measure")


def test_what_a_catalogue_of_a_size_must_hold() -> None:
    figures = {"recommendations_ratio": 0.25, "recommendations_p99_ms": 24.0}
    assert [bar.holds for bar in latency.catalogue_bars(12_101, figures)] == [False, True]
    assert [bar.holds for bar in latency.catalogue_bars(100_000, figures)] == [True, True]
    late = {**figures, "recommendations_p99_ms": 26.0}
    assert [bar.holds for bar in latency.catalogue_bars(100_000, late)] == [True, False]

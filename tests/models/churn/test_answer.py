"""The answer by known numbers: log-odds, bands by limits and what went before, what is at stake."""

import numpy as np
import pytest

from domain.events import Kind
from domain.scores import Band
from feature_store.records import EMPTY_LIFETIME, EMPTY_RECORDS
from feature_store.views.catalogue import views_named
from models.calibration import sigmoid
from models.churn.answer import SLACK, ChurnDesk, Person, limits_around
from models.churn.attributes import Attributes
from models.churn.bands import Limits
from models.churn.features import VIEWS
from tests.feature_store.making import DAY, T0, event, state_of
from tests.golden.leaving import BASE_RATE, HORIZON, leaving_model

NOW = T0 + 400 * DAY
LIMITS = Limits(10.0, 8.0, 50.0, 40.0)


def rows_of(*histories: tuple[float, ...]) -> dict[str, np.ndarray]:
    """Answer a row of each view for customers who ordered so many days ago, 100 each time."""
    out = {view.name: np.zeros(len(histories), view.dtype) for view in views_named(VIEWS)}
    for place, days in enumerate(histories):
        made = [
            event(f"e{n}", Kind.purchase, NOW - round(ago * DAY), value=100_000_000)
            for n, ago in enumerate(days)
        ]
        lifetime, records = state_of(made) if made else (EMPTY_LIFETIME, EMPTY_RECORDS)
        for view in views_named(VIEWS):
            view.fill(records.copy(), lifetime.copy(), NOW, 512, out[view.name], place)
    return out


@pytest.fixture(scope="module")
def desk() -> ChurnDesk:
    return ChurnDesk(leaving_model(), LIMITS, True, BASE_RATE)


def test_the_numbers_are_the_models(desk) -> None:
    rows = rows_of((10, 20, 40), (300,))
    loyal, silent = desk.answers(rows, [Person(), Person()])
    assert loyal.probability == pytest.approx(sigmoid(-1.5))
    assert silent.probability == pytest.approx(sigmoid(2.0))
    assert loyal.confidence == 1.0
    # Three orders of 100 within the first year; less than a year counts as one.
    assert (loyal.value, silent.value) == (300.0, 100.0)
    assert loyal.expected_loss == pytest.approx(300 * loyal.probability)
    assert (loyal.band, silent.band) == (Band.high, Band.high)


def test_survival_goes_through_the_probability(desk) -> None:
    assert desk.days == (HORIZON / 2, HORIZON, 2 * HORIZON)
    (answer,) = desk.answers(rows_of((10, 20, 40)), [Person()])
    assert answer.survival[1] == pytest.approx(answer.probability)
    assert list(answer.survival) == sorted(answer.survival, reverse=True)
    # Two intervals at their own hazards up to the horizon, the last one's beyond.
    first, later = np.log1p(np.exp(-1.0)), np.log1p(np.exp(-2.0))
    ratio = -np.log(answer.probability) / (first + later)
    wanted = [np.exp(-ratio * one) for one in (first, first + later, first + 3 * later)]
    assert answer.survival == pytest.approx(wanted)


def test_reasons_add_up_and_the_strongest_comes_first(desk) -> None:
    (answer,) = desk.answers(rows_of((300, 310)), [Person()])
    first = answer.reasons[0]
    assert first.group == "recency"
    assert first.text == "no order for 300 days; their usual gap is 10"
    assert (first.value, first.reference, first.direction) == (300, 10, "raises")
    base = desk.model.forest.base
    odds = sum(reason.contribution for reason in answer.reasons) + base
    assert odds == pytest.approx(np.log(answer.probability / (1 - answer.probability)))
    assert sum(reason.share for reason in answer.reasons) == pytest.approx(1)


def test_a_band_is_left_later_than_it_was_entered(desk) -> None:
    rows = rows_of((10, 20, 40))
    loss = desk.answers(rows, [Person()])[0].expected_loss
    tight = ChurnDesk(desk.model, Limits(loss + 1, loss - 1, loss + 9, loss + 5), True)
    bands = [tight.answers(rows, [Person({}, band)])[0].band for band in (None, *Band)]
    assert bands == [Band.low, Band.low, Band.medium, Band.medium]


def test_before_the_first_sweep_bands_go_by_probability() -> None:
    limits = limits_around(BASE_RATE)
    assert limits == pytest.approx((0.4, 0.4 * (1 - SLACK), 0.7, 0.7 * (1 - SLACK)))
    desk = ChurnDesk(leaving_model(), limits)
    answers = desk.answers(rows_of((10, 20, 40), (300,)), [Person(), Person()])
    assert [answer.band for answer in answers] == [Band.low, Band.high]
    for rate in (0.0, 1.0, float("nan")):
        with pytest.raises(ValueError, match="base rate"):
            limits_around(rate)


def test_who_is_known_and_who_lapsed(desk) -> None:
    rows = rows_of((10,), (), (366,))
    assert desk.known(rows) == [True, False, True]
    assert desk.lapsed(rows) == [False, True, True]


def test_attributes_alone_read_the_profile_and_the_value_that_was_told() -> None:
    desk = ChurnDesk(leaving_model(events=False), LIMITS, True)
    rows = rows_of((), (), (1,))
    people = [Person({"months": 3, "plan": "gold"}, None, 80.0), Person({"months": 30}), Person()]
    new, old, nobody = desk.answers(rows, people)
    assert new.probability == pytest.approx(sigmoid(1.0))
    assert old.probability == pytest.approx(sigmoid(-0.5))
    assert nobody.confidence == 0.0
    assert (new.value, new.expected_loss) == (80.0, pytest.approx(80 * new.probability))
    assert (old.value, old.expected_loss, old.band) == (None, None, Band.low)
    assert new.survival[1] == pytest.approx(1 - new.probability)
    assert all(desk.known(rows))
    assert not any(desk.lapsed(rows))


def test_attributes_join_events() -> None:
    desk = ChurnDesk(leaving_model(Attributes(("age",))), LIMITS)
    told = desk.answers(rows_of((10,), (10,)), [Person({"age": 30}), Person()])
    assert told[0].probability == told[1].probability


def test_without_a_hazard_there_is_no_survival(desk) -> None:
    from dataclasses import replace

    plain = ChurnDesk(replace(desk.model, hazard=None), LIMITS)
    assert plain.days == ()
    assert plain.answers(rows_of((10,)), [Person()])[0].survival == ()


def test_many_are_answered_as_one_by_one(desk) -> None:
    histories = [tuple(range(1, n * 3, 2)) for n in range(1, 40)]
    people = [Person({}, Band.medium if n % 2 else None) for n in range(39)]
    together = desk.answers(rows_of(*histories), people)
    alone = [
        desk.answers(rows_of(days), [person])[0]
        for days, person in zip(histories, people, strict=True)
    ]
    assert together == alone

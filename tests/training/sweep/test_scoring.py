"""Scoring many is scoring each: every column against the plain way."""

from dataclasses import replace

import numpy as np
import pytest

from domain.ids import user_entity
from feature_store.audiences import FEATURES, feature_columns
from feature_store.sweeps.table import SCORED
from feature_store.views.catalogue import views_named
from models.churn.answer import ChurnDesk, Person, limits_around
from models.churn.features import VIEWS
from models.churn.picks import Picked, reasons_at
from tests.training.sweep.sweeping import AS_OF, learned_model
from training.sweep.scoring import REASONS, Scoring, ValueFrom, survival_days, teller_for


@pytest.fixture(scope="module")
def scoring(model) -> Scoring:
    return Scoring(model, teller_for(model))


def _everybody(history) -> tuple[list[str], np.ndarray]:
    return [name[1:] for name in history.entities], np.arange(len(history.entities))


def test_each_row_is_what_one_alone_would_get(history, model, scoring) -> None:
    users, entity = _everybody(history)
    table = scoring.score(history, users, entity, AS_OF)
    assert tuple(table.columns) == (*SCORED, *FEATURES)
    for place in (0, 17, 200):
        pairs = [(user_entity(users[place]), AS_OF)]
        rows = history.replay(views_named(VIEWS), pairs).views
        for name, (column,) in feature_columns(rows).items():
            assert table[name][place] == column
        x = model.matrix(rows)
        alone = model.score_many(x)
        probability = float(alone.probability[0])
        assert table["probability"][place] == pytest.approx(probability, abs=1e-12)
        value = rows["rfm"]["lifetime_value"][0] / max(rows["rfm"]["tenure"][0] / 365, 1)
        assert table["value"][place] == pytest.approx(value)
        assert table["expected_loss"][place] == pytest.approx(probability * max(value, 0))
        curve = model.survival(x, survival_days(model), alone.probability)
        assert table["survival"][place] == pytest.approx(curve[0])
        assert table["survival"][place][1] == pytest.approx(probability)
        picked = Picked(
            table["reason_group"], table["reason_line"],
            table["reason_numbers"].reshape(-1, REASONS, 2), table["reason_total"],
            table["reason_share"], table["rest"],
        )  # fmt: skip
        told = scoring.teller.reasons(alone.contributions[0], x[0], most=REASONS)
        mine = reasons_at(scoring.teller, picked, place)
        assert [one.text for one in mine] == [one.text for one in told]
        base = alone.contributions[0, -1]
        whole = sum(one.contribution for one in mine) + base
        assert whole == pytest.approx(alone.log_odds[0], abs=1e-6)


def test_chunks_change_nothing(history, scoring, monkeypatch) -> None:
    users, entity = _everybody(history)
    whole = scoring.score(history, users, entity, AS_OF)
    monkeypatch.setattr("training.sweep.scoring.CHUNK", 37)
    parts = scoring.score(history, users, entity, AS_OF)
    for name in SCORED:
        np.testing.assert_array_equal(parts[name], whole[name])
    assert parts.users.to_pylist() == users


def test_nobody_is_an_empty_table(history, scoring) -> None:
    table = scoring.score(history, [], np.zeros(0, np.int64), AS_OF)
    assert len(table) == 0
    assert table["survival"].shape == (0, 3)


def test_who_has_no_event_has_no_value(history, scoring) -> None:
    table = scoring.score(history, ["new"], np.array([-1]), AS_OF)
    assert np.isnan(table["value"][0])
    assert np.isnan(table["expected_loss"][0])
    assert 0 < table["probability"][0] < 1


def test_the_value_may_come_from_an_attribute(history) -> None:
    people = {name[1:]: {"fee": 5 * place} for place, name in enumerate(history.entities)}
    model = learned_model(history, people)
    scoring = Scoring(model, teller_for(model), ValueFrom("fee", 12.0))
    own = [{"fee": 10.0}, {"fee": "2.5"}, {}, {"fee": "much"}]
    table = scoring.score(history, ["a", "b", "c", "d"], np.arange(4), AS_OF, own)
    assert table["value"].tolist()[:2] == [120.0, 30.0]
    assert np.isnan(table["value"][2:]).all()


def test_without_a_hazard_survival_is_unknown(history, model) -> None:
    bare = replace(model, hazard=None)
    table = Scoring(bare, teller_for(bare)).score(history, ["a"], np.array([0]), AS_OF)
    assert np.isnan(table["survival"]).all()


def test_a_sweep_says_what_a_request_would_be_told(history, model, scoring) -> None:
    users, entity = _everybody(history)
    table = scoring.score(history, users, entity, AS_OF)
    desk = ChurnDesk(model, limits_around(0.4))
    rows = history.replay_at(views_named(VIEWS), entity, AS_OF).views
    answers = desk.answers(rows, [Person()] * len(users))
    picked = Picked(
        table["reason_group"], table["reason_line"],
        table["reason_numbers"].reshape(-1, REASONS, 2), table["reason_total"],
        table["reason_share"], table["rest"],
    )  # fmt: skip
    assert desk.days == survival_days(model)
    for place, told in enumerate(answers):
        assert table["probability"][place] == pytest.approx(told.probability, abs=1e-12)
        assert table["confidence"][place] == told.confidence
        assert table["value"][place] == pytest.approx(told.value, nan_ok=True)
        assert table["expected_loss"][place] == pytest.approx(told.expected_loss)
        assert table["survival"][place].tolist() == pytest.approx(list(told.survival))
        mine = reasons_at(scoring.teller, picked, place)
        assert [one.text for one in mine] == [one.text for one in told.reasons]

"""Churn from a label set: attributes alone, attributes with events, and every refusal."""

import numpy as np
import polars as pl
import pytest

from domain.errors import ScientistError, TooLittleData
from tests.training.leaving import at_day, leaving_shop
from training.fit.churn.labelled import fit_labelled, judge_labelled, labelled_table
from training.fit.churn.settings import ChurnSettings

FAST = ChurnSettings(
    definition="contractual",
    horizon_days=30,
    label_set="spring",
    leaves=[4],
    trees=[30],
    penalties=[0.02],
    rounds=30,
)


def contracts(rows=900, seed=0, days=0):
    """Answer (labels, profiles): who pays monthly leaves more often, and the truth is known."""
    rng = np.random.default_rng(seed)
    monthly = rng.random(rows) < 0.5
    fee = rng.normal(50, 15, rows)
    odds = -1.5 + 2 * monthly + (fee - 50) / 30
    left = rng.random(rows) < 1 / (1 + np.exp(-odds))
    at = at_day(300) + (rng.integers(0, days + 1, rows) * 86_400_000)
    users = [f"c{n}" for n in range(rows)]
    labels = pl.DataFrame(
        {"user": users, "at": at, "label": ["yes" if one else "no" for one in left]}
    )
    profiles = {
        user: {"plan": "monthly" if m else "yearly", "fee": float(f)}
        for user, m, f in zip(users, monthly, fee, strict=True)
    }
    return labels, profiles


@pytest.fixture(scope="module")
def fitted():
    return fit_labelled(None, *_swap(contracts()))


def _swap(made):
    labels, profiles = made
    return labels, FAST, profiles


def test_attributes_alone_tell_who_leaves(fitted) -> None:
    assert fitted.metrics["auc"].low > 0.68
    assert fitted.metrics["calibration_p"].value > 0.01
    assert fitted.split["kind"] == "customers"
    assert not fitted.model.events
    assert fitted.model.definition["definition"] == "contractual"


def test_reasons_point_at_the_plan(fitted) -> None:
    model = fitted.model
    both = model.matrix({}, [{"plan": "monthly", "fee": 50.0}, {"plan": "yearly", "fee": 50.0}])
    scored = model.score_many(both)
    plan = model.groups.index("attribute.plan")
    assert scored.contributions[0, plan] * scored.contributions[1, plan] < 0
    assert scored.probability.max() > 2 * scored.probability.min()


def test_unseen_categories_and_odd_numbers_are_answered(fitted) -> None:
    model = fitted.model
    odd = [{"plan": "lifetime", "fee": float("inf")}, {"fee": float("nan")}, {}]
    p = model.score_many(model.matrix({}, odd)).probability
    assert np.all((p > 0) & (p < 1))


def test_labels_spread_over_time_are_parted_by_time() -> None:
    labels, profiles = contracts(rows=1500, days=400)
    table = labelled_table(None, labels, FAST, profiles)
    judged, kind = judge_labelled(table, FAST)
    assert kind == "time"
    assert judged.as_of.min() > np.quantile(table.as_of, 0.35)


def test_events_join_where_most_people_have_them() -> None:
    shop = leaving_shop(300)
    labels, profiles = contracts(300)
    with_events = labelled_table(shop, labels, FAST, profiles)
    assert with_events.views
    assert with_events.as_of[0] == at_day(270)
    strangers = labels.with_columns(pl.lit("x").add(pl.col("user")).alias("user"))
    renamed = {"x" + user: person for user, person in profiles.items()}
    assert not labelled_table(shop, strangers, FAST, renamed).views


def test_labels_of_unknown_users_leave_nothing_to_learn_from() -> None:
    labels, _ = contracts(300)
    with pytest.raises(TooLittleData, match="neither attributes nor events"):
        labelled_table(None, labels, FAST, {})


def test_too_few_and_one_label_only_are_refused() -> None:
    labels, profiles = contracts(120)
    with pytest.raises(TooLittleData, match="100 of either"):
        fit_labelled(None, labels, FAST, profiles)
    same = labels.with_columns(pl.lit("yes").alias("label"))
    with pytest.raises(TooLittleData, match="everybody left"):
        fit_labelled(None, same, FAST, profiles)


def test_a_leaked_column_is_refused() -> None:
    labels, profiles = contracts(900)
    for user, label in labels.select("user", "label").iter_rows():
        profiles[user]["exit_call"] = label
    with pytest.raises(ScientistError, match=r"attribute\.exit_call=yes"):
        fit_labelled(None, labels, FAST, profiles)

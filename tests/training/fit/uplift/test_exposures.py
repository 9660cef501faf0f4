"""Who was contacted, by what chance, and what came: from a small log of known people."""

import numpy as np
import polars as pl
import pytest

from domain.clock import DAY_MS
from domain.errors import TooLittleData
from domain.events import Kind
from models.churn.features import NAMES
from tests.training.leaving import at_day, history_of_orders
from training.fit.uplift.exposures import (
    Dealt,
    from_campaign,
    from_decisions,
    read_decisions,
    trial_of,
)
from training.fit.uplift.settings import UpliftSettings

BUY = Kind.purchase
SHOP = history_of_orders(
    {
        "back": [(1.0, BUY), (20.0, BUY), (35.0, BUY)],
        "gone": [(2.0, BUY), (25.0, BUY)],
        "late": [(3.0, BUY), (70.0, BUY)],
        "new": [(31.0, BUY)],
        "looks": [(5.0, BUY), (33.0, Kind.click)],
    }
)
UNTIL = at_day(80)


def settings(**changes):
    return UpliftSettings(**{"horizon_days": 28.0, "campaign": "spring", **changes})


def shown(*rows):
    """Answer events of the campaign: (user, day, properties)."""
    return pl.DataFrame(
        [(f"u{name}", at_day(day), said) for name, day, said in rows],
        schema={"entity": pl.String, "at": pl.Int64, "properties": pl.String},
        orient="row",
    )


def decided(*rows):
    """Answer decisions: (user, day, items, propensities)."""
    return pl.DataFrame(
        [(f"d{n}", at_day(day), "contact", who, items, chances)
         for n, (who, day, items, chances) in enumerate(rows)],
        schema={
            "decision_id": pl.String, "at": pl.Int64, "family": pl.String, "entity": pl.String,
            "items": pl.List(pl.String), "propensities": pl.List(pl.Float64),
        },
        orient="row",
    )  # fmt: skip


def test_a_campaign_that_marks_whom_it_held_out():
    frame = shown(
        ("gone", 30, '{"arm": "control", "propensity": 0.8}'),
        ("back", 30, '{"arm": "treated", "propensity": 0.8}'),
        ("back", 31, '{"arm": "control", "propensity": 0.1}'),
    )
    dealt = from_campaign(frame, SHOP, settings())
    found = dict(zip(dealt.entities, dealt.treated.tolist(), strict=True))
    assert found == {"uback": True, "ugone": False}
    assert dealt.propensity is not None
    assert dealt.propensity.tolist() == [0.8, 0.8]


def test_without_a_chance_for_everyone_none_is_taken():
    frame = shown(("gone", 30, '{"arm": "control"}'), ("back", 30, '{"propensity": 0.8}'))
    assert from_campaign(frame, SHOP, settings()).propensity is None
    broken = shown(("gone", 30, '{"arm": "holdout"}'), ("back", 30, "no json"))
    assert from_campaign(broken, SHOP, settings()).treated.sum() == 1


def test_a_campaign_that_marks_nobody_is_held_against_the_active():
    dealt = from_campaign(shown(("back", 30, ""), ("late", 32, "")), SHOP, settings())
    found = dict(zip(dealt.entities, dealt.treated.tolist(), strict=True))
    assert found == {"uback": True, "ugone": False, "ulate": True, "ulooks": False}
    assert set(dealt.at) == {at_day(30)}
    recent = from_campaign(shown(("back", 30, "")), SHOP, settings(active_days=12))
    assert recent.entities == ["uback", "ugone"]


def test_decisions_tell_the_arm_and_the_chance():
    frame = decided(
        ("uback", 30, ["contact"], [0.7]),
        ("ugone", 30, ["wait"], [0.4]),
        ("ugone", 31, ["contact"], [0.6]),
        ("ssession", 30, ["contact"], [0.5]),
        ("ulate", 30, [], []),
    )
    dealt = from_decisions(frame, settings())
    assert dealt.entities == ["uback", "ugone"]
    assert dealt.treated.tolist() == [True, False]
    assert dealt.propensity is not None
    assert dealt.propensity == pytest.approx([0.7, 0.6])


def test_named_answers_are_the_arms():
    frame = decided(("uback", 30, ["coupon"], [0.7]), ("ugone", 30, ["call"], [0.3]),
                    ("ulate", 30, ["nothing"], [0.3]))  # fmt: skip
    dealt = from_decisions(frame, settings(treated=["coupon"], control=["nothing"]))
    assert dealt.entities == ["uback", "ulate"]
    assert dealt.propensity == pytest.approx([0.7, 0.7])


def test_what_came_within_the_horizon_is_the_outcome():
    names = ["uback", "ugone", "ulate", "ulooks"]
    dealt = Dealt(names, np.full(4, at_day(30)), np.array([True, False] * 2), None)
    trial = trial_of(dealt, SHOP, settings(), UNTIL, {"back": {"plan": "a"}})
    assert trial.outcome.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert trial.propensity.tolist() == [0.5] * 4
    assert trial.events
    assert not trial.logged
    recency = trial.x[:, NAMES.index("recency")]
    assert recency == pytest.approx([10.0, 5.0, 27.0, 25.0])
    longer = trial_of(dealt, SHOP, settings(horizon_days=45.0), UNTIL, {})
    assert longer.outcome.tolist() == [1.0, 0.0, 1.0, 0.0]


def test_other_kinds_may_count_as_good():
    dealt = Dealt(["ulooks"], np.array([at_day(30)]), np.array([True]), None)
    trial = trial_of(dealt, SHOP, settings(kinds=["click"]), UNTIL, {})
    assert trial.outcome.tolist() == [1.0]


def test_a_term_that_is_kept_is_good():
    terms = history_of_orders(
        {
            "keeps": [(1.0, Kind.subscribe)],
            "cancels": [(1.0, Kind.subscribe), (40.0, Kind.cancel)],
            "over": [(1.0, Kind.subscribe), (9.0, Kind.cancel)],
        }
    )
    names = ["ukeeps", "ucancels", "uover"]
    dealt = Dealt(names, np.full(3, at_day(30)), np.ones(3, bool), np.full(3, 0.5))
    trial = trial_of(dealt, terms, settings(definition="contractual"), at_day(90), {})
    assert trial.outcome.tolist() == [1.0, 0.0]
    assert trial.logged


def test_whose_time_is_not_over_or_of_whom_nothing_was_known_is_left_out():
    names = ["uback", "unew", "ustranger", "ulate"]
    at = np.array([at_day(30), at_day(30), at_day(30), at_day(60)])
    dealt = Dealt(names, at, np.array([True, False, True, False]), None)
    trial = trial_of(dealt, SHOP, settings(), UNTIL, {})
    assert len(trial) == 1
    with pytest.raises(TooLittleData, match="shorter horizon_days"):
        trial_of(dealt, SHOP, settings(), at_day(40), {})


def test_what_is_known_ends_before_the_contact():
    """The order at day 35 and the contact itself are no features of a contact at day 35."""
    dealt = Dealt(["uback"], np.array([at_day(35)]), np.array([True]), None)
    trial = trial_of(dealt, SHOP, settings(), UNTIL, {})
    assert trial.x[0, NAMES.index("recency")] == pytest.approx(15.0)
    assert trial.outcome.tolist() == [1.0]
    assert at_day(35) - at_day(20) == 15 * DAY_MS


def test_no_decision_and_no_event_say_who_must_act(tmp_path):
    empty = read_decisions(tmp_path, "contact")
    assert empty.height == 0
    with pytest.raises(TooLittleData, match="whoever decides on contact must log"):
        from_decisions(decided(), settings(campaign=""))
    with pytest.raises(TooLittleData, match="'spring'"):
        from_campaign(shown(), SHOP, settings())

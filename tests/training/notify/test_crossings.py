"""What is told: who crossed, once, not too often, in bodies whose ids stay the same."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from domain.clock import DAY_MS
from domain.errors import OperatorError
from domain.scores import Band
from feature_store.sweeps.ranking import rank
from feature_store.sweeps.reading import Sweep, Sweeps
from feature_store.sweeps.shelf import write_summary
from feature_store.sweeps.table import SweepTable, table_of
from tests.feature_store.sweeps.making import AS_OF, ID, by_loss, put, scored, with_features
from training.notify import crossings as module
from training.notify.crossings import (
    Rule,
    collect,
    collect_all,
    crossings,
    deliveries,
    rule_from_env,
)
from training.notify.outbox import Outbox


def _sweeps(root: Path, *losses: dict[str, float], days: float = 1.0) -> list[Sweep]:
    """Put sweeps of these losses by user, some days apart."""
    found: list[Sweep] = []
    before = None
    for number, loss in enumerate(losses, 1):
        table = scored(list(loss), [0.5] * len(loss), [2 * one for one in loss.values()])
        summary = put(root, number, table, None if before is None else before.table)
        summary = replace(
            summary,
            as_of=AS_OF + round(number * days * DAY_MS),
            previous=None if before is None else before.summary.id,
        )
        write_summary(root / summary.id, summary)
        before = Sweeps(root).get(summary.id)
        assert before is not None
        found.append(before)
    return found


def _brief(events) -> list[tuple[str, str | None, str]]:
    return [(event["user"], event["previous_band"], event["band"]) for event in events]


def test_who_crossed_is_told_with_what_matters(tmp_path: Path) -> None:
    first, second = _sweeps(
        tmp_path, {"a": 1, "b": 90, "c": 20}, {"a": 60, "b": 1, "c": 20, "d": 9}
    )
    assert list(crossings(first, Rule())) == []
    events = list(crossings(second, Rule()))
    assert _brief(events) == [("a", "low", "high"), ("b", "high", "low")]
    assert events[0] == {
        "id": events[0]["id"],
        "user": "a",
        "band": "high",
        "previous_band": "low",
        "probability": 0.5,
        "value": 120.0,
        "expected_loss": 60.0,
        "recommended_action": None,
    }
    assert len({event["id"] for event in events}) == 2
    assert list(crossings(second, Rule())) == events


def test_the_crossings_are_those_that_ranking_found(tmp_path: Path) -> None:
    first, second = _sweeps(tmp_path, {"a": 1, "b": 90}, {"a": 60, "b": 1, "new": 70})
    table = scored(["a", "b", "new"], [0.5] * 3, [120, 2, 140])
    ranked = rank(table, first.table, by_loss, table["expected_loss"])
    users = ranked.table.names(ranked.crossed)
    assert [event["user"] for event in crossings(second, Rule())] == users


def test_whom_contact_would_lose_is_told_so(tmp_path: Path) -> None:
    first = scored(["a", "b"], [0.5] * 2, [2, 180])
    put(tmp_path, 1, first)
    table = with_features(scored(["a", "b"], [0.5] * 2, [120, 2]), {})
    columns = {**table.columns, "uplift.action": np.array([2, 1], np.int8)}
    summary = put(tmp_path, 2, table_of(table.users, columns), first_ranked(tmp_path))
    write_summary(tmp_path / summary.id, replace(summary, previous=ID.format(1)))
    sweep = Sweeps(tmp_path).get(summary.id)
    assert sweep is not None
    told = {event["user"]: event["recommended_action"] for event in crossings(sweep, Rule())}
    assert told == {"a": "leave_alone", "b": "contact"}


def first_ranked(root: Path) -> SweepTable:
    sweep = Sweeps(root).get(ID.format(1))
    assert sweep is not None
    return sweep.table


def test_only_wanted_bands_are_told(tmp_path: Path) -> None:
    _, second = _sweeps(tmp_path, {"a": 1, "b": 90}, {"a": 60, "b": 1})
    rule = Rule(bands=(Band.high,))
    assert _brief(crossings(second, rule)) == [("a", "low", "high")]


def test_bodies_are_whole_json_in_batches(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    _, second = _sweeps(tmp_path, dict.fromkeys("abcde", 1.0), dict.fromkeys("abcde", 60.0))
    made = deliveries(second, list(crossings(second, Rule())), 7)
    assert [len(json.loads(one.body)["events"]) for one in made] == [2, 2, 1]
    body = json.loads(made[0].body)
    assert body["id"] == made[0].id
    assert body["type"] == "churn.band_crossed"
    assert body["sweep"] == second.summary.id
    assert [one.id for one in deliveries(second, list(crossings(second, Rule())), 8)] == [
        one.id for one in made
    ]


def test_a_user_and_band_rest_for_the_cooldown(tmp_path: Path) -> None:
    low, high = {"a": 1.0}, {"a": 60.0}
    sweeps = _sweeps(tmp_path / "s", low, high, low, high, low, high, days=3)
    with Outbox(tmp_path / "o") as outbox:
        told = [collect(outbox, sweep, Rule(cooldown_days=7), 0) for sweep in sweeps]
    # Day 6 high, day 9 low, day 12 high rests (6 days), day 15 low rests, day 18 high again.
    assert told == [0, 1, 1, 0, 0, 1]
    with Outbox(tmp_path / "p") as outbox:
        assert [collect(outbox, sweep, Rule(0), 0) for sweep in sweeps] == [0, 1, 1, 1, 1, 1]


def test_a_sweep_is_taken_in_once_and_old_ones_are_no_news(tmp_path: Path) -> None:
    low, high = {"a": 1.0, "b": 1.0}, {"a": 60.0, "b": 1.0}
    _sweeps(tmp_path / "s", low, high, low)
    sweeps = Sweeps(tmp_path / "s")
    with Outbox(tmp_path / "o") as outbox:
        assert collect_all(outbox, sweeps, Rule(), 5) == 1
        assert collect_all(outbox, sweeps, Rule(), 6) == 0
        (waiting,) = [outbox.due(5)]
        assert waiting is not None
        assert _brief(json.loads(waiting.body)["events"]) == [("a", "high", "low")]
        assert json.loads(waiting.body)["sweep"] == ID.format(3)


def test_the_rule_is_stated_by_the_environment() -> None:
    assert rule_from_env({}) == Rule()
    env = {"SANDERLING_WEBHOOK_COOLDOWN_DAYS": "2.5", "SANDERLING_WEBHOOK_BANDS": "high, medium"}
    assert rule_from_env(env) == Rule(2.5, (Band.high, Band.medium))


@pytest.mark.parametrize(
    "env",
    [
        {"SANDERLING_WEBHOOK_COOLDOWN_DAYS": "-1"},
        {"SANDERLING_WEBHOOK_COOLDOWN_DAYS": "soon"},
        {"SANDERLING_WEBHOOK_COOLDOWN_DAYS": "nan"},
        {"SANDERLING_WEBHOOK_BANDS": "huge"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_name(env: dict[str, str]) -> None:
    with pytest.raises(OperatorError, match=next(iter(env))):
        rule_from_env(env)

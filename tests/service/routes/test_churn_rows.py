"""A user as JSON, NDJSON and CSV, by known answers and what spreadsheets must not run."""

import csv
import io
import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_store.sweeps.reading import Sweep, Sweeps
from feature_store.sweeps.table import table_of
from service.routes.churn_rows import (
    UpliftOut,
    action_counts,
    csv_head,
    csv_lines,
    ndjson,
    safe_cell,
    users_out,
)
from tests.feature_store.sweeps.making import AS_OF, ID, put, scored, with_features


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    before = scored(["a", "=cmd|' /C calc'!A0"], [0.1, 0.9], [100.0, 100.0])
    put(tmp_path, 1, before)
    first = Sweeps(tmp_path).current()
    assert first is not None
    after = scored(["a", "=cmd|' /C calc'!A0", 'new,"one"'], [0.9, 0.4, 0.3], [100.0, 20.0, np.nan])
    after["survival"][2] = np.nan
    put(tmp_path, 2, after, first.table)
    found = Sweeps(tmp_path).current()
    assert found is not None
    return found


def test_a_user_in_full(sweep: Sweep) -> None:
    (user,) = msgspec.to_builtins(users_out(sweep, np.array([0])))
    assert user == {
        "user": "a",
        "probability": 0.9,
        "confidence": 0.75,
        "band": "high",
        "previous_band": "medium",
        "value": 100.0,
        "expected_loss": 90.0,
        "survival": ({"days": 15.0, "probability": 0.55}, {"days": 30.0, "probability": 1 - 0.9}),
        "reasons": (
            {
                "group": "recency",
                "text": "no order for 41 days; their usual gap is 9",
                "direction": "raises",
                "share": 0.6,
                "value": 41.0,
                "reference": 9.0,
                "contribution": 0.8,
            },
            {
                "group": "breadth",
                "text": "buys 7 items; 4 items is usual",
                "direction": "lowers",
                "share": 0.3,
                "value": 7.0,
                "reference": 4.0,
                "contribution": -0.4,
            },
            {
                "group": "rest",
                "text": "1 smaller influence together",
                "direction": "raises",
                "share": 0.1,
                "value": None,
                "reference": None,
                "contribution": 0.13,
            },
        ),
        "as_of": AS_OF,
        "horizon_days": 30.0,
        "model": f"{sweep.summary.family}/20240531-120000-0123456789ab",
        "uplift": None,
        "recommended_action": None,
    }
    assert action_counts(sweep, np.arange(3)) is None


def advised() -> dict[str, list[float]]:
    """Of three users: whom to leave alone, whom to contact, and one nobody is sure about."""
    return {
        "uplift.effect": [-0.3, 0.2, 0.0],
        "uplift.low": [-0.4, 0.1, -0.1],
        "uplift.high": [-0.2, 0.3, 0.1],
        "uplift.action": [2, 1, 0],
    }


def test_what_contact_would_change_is_told_where_it_was_measured(tmp_path: Path) -> None:
    table = with_features(scored(["a", "b", "c"], [0.9, 0.5, 0.1], [100.0] * 3), advised())
    columns = {**table.columns, "uplift.action": np.array([2, 1, 0], np.int8)}
    put(tmp_path, 1, table_of(table.users, columns))
    sweep = Sweeps(tmp_path).current()
    assert sweep is not None
    users = users_out(sweep, np.array([2, 0]))
    assert [one.recommended_action for one in users] == ["wait", "leave_alone"]
    assert users[1].uplift == UpliftOut(-0.3, -0.4, -0.2, f"uplift/{sweep.summary.uplift}")
    assert action_counts(sweep, np.array([0, 1])) == {"wait": 0, "contact": 1, "leave_alone": 1}
    text = csv_head(sweep.summary, 4) + csv_lines(sweep.summary, users_out(sweep, np.arange(3)), 4)
    rows = list(csv.DictReader(io.StringIO(text.decode(), newline="")))
    assert [row["recommended_action"] for row in rows] == ["leave_alone", "contact", "wait"]
    assert [row["uplift_low"] for row in rows] == ["-0.4", "0.1", "-0.1"]


def test_what_is_not_known_is_null(sweep: Sweep) -> None:
    (user,) = users_out(sweep, np.array([2]))
    assert (user.value, user.expected_loss, user.survival, user.previous_band) == (
        None,
        None,
        (),
        None,
    )


def test_ndjson_is_one_object_a_line(sweep: Sweep) -> None:
    lines = ndjson(users_out(sweep, np.array([1, 0]))).splitlines()
    assert [json.loads(line)["user"] for line in lines] == ["=cmd|' /C calc'!A0", "a"]


def test_csv_is_read_back_as_it_was(sweep: Sweep) -> None:
    text = csv_head(sweep.summary, 4) + csv_lines(sweep.summary, users_out(sweep, np.arange(3)), 4)
    rows = list(csv.DictReader(io.StringIO(text.decode(), newline="")))
    assert [row["user"] for row in rows] == ["a", "'=cmd|' /C calc'!A0", 'new,"one"']
    assert rows[0]["expected_loss"] == "90.0"
    assert rows[2]["value"] == ""
    assert rows[0]["survival_15d"] == "0.55"
    assert rows[0]["reason_1"] == "no order for 41 days; their usual gap is 9"
    assert rows[0]["reason_4"] == ""
    assert rows[0]["sweep"] == ID.format(2)
    assert text.count(b"\r\n") == 4


@given(st.text(max_size=20))
def test_no_cell_begins_a_formula(text: str) -> None:
    assert not safe_cell(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert safe_cell(text).removeprefix("'") == text.removeprefix("'")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_formulas_are_disarmed(text: str) -> None:
    assert safe_cell(text) == "'" + text

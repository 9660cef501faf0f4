"""Tables as people write them: words for arms and outcomes, and clear refusals."""

import numpy as np
import polars as pl
import pytest

from domain.errors import ScientistError, TooLittleData
from training.fit.uplift.settings import UpliftSettings
from training.fit.uplift.tables import (
    arms_of,
    digest_of,
    outcome_of,
    read_table,
    trial_from_table,
)

ROWS = {
    "who": ["a", "b", "c", "d"],
    "treatment": ["1", "0", "1", "0"],
    "outcome": ["1", "0", "0", "1"],
    "age": ["30", "40", "", "50"],
    "plan": ["gold", "plain", "gold", "plain"],
    "chance": ["0.2", "0.3", "0.4", "0.5"],
}


def frame(**changes):
    return pl.DataFrame({**ROWS, **changes})


def chosen(**changes):
    return UpliftSettings(**{"user": "who", "drop": ["chance"], **changes})


@pytest.fixture(autouse=True)
def small_words(monkeypatch):
    """Four rows are too few for a category to count; let one do."""
    monkeypatch.setattr("training.fit.churn.table.LEAST_OF_WORD", 1)


def test_columns_become_attributes():
    trial = trial_from_table(frame(), chosen())
    assert trial.names == ("attribute.age", "attribute.plan=plain")
    np.testing.assert_array_equal(trial.x, [[30, 0], [40, 1], [np.nan, 0], [50, 1]])
    assert trial.treated.tolist() == [True, False, True, False]
    assert trial.outcome.tolist() == [1, 0, 0, 1]
    assert trial.propensity.tolist() == [0.5] * 4
    assert not trial.logged
    assert not trial.events


def test_chances_are_read_when_they_are_named():
    trial = trial_from_table(frame(), chosen(propensity="chance", drop=[]))
    assert trial.logged
    assert trial.propensity.tolist() == [0.2, 0.3, 0.4, 0.5]


def test_named_words_choose_the_arms_and_leave_others_out():
    table = frame(treatment=["mail", "call", "none", "mail"])
    settings = chosen(treated=["mail"], control=["none"])
    trial = trial_from_table(table, settings)
    assert trial.treated.tolist() == [True, False, True]
    assert trial.propensity == pytest.approx([2 / 3] * 3)
    assert trial.outcome.tolist() == [1, 0, 1]


def test_who_is_held_out_does_not_depend_on_the_rows_order():
    one = trial_from_table(frame(), chosen())
    other = trial_from_table(frame().reverse(), chosen())
    assert one.keys.tolist() == other.keys.tolist()[::-1]


def test_arms_have_usual_words_and_others_are_refused():
    treated, known = arms_of(["Yes", "no", True, 0, 1.0, " control "], (), ())
    assert treated.tolist() == [True, False, True, False, True, False]
    assert known.all()
    with pytest.raises(ScientistError, match="'perhaps' says neither"):
        arms_of(["1", "perhaps"], (), ())
    with pytest.raises(ScientistError, match="both arms"):
        arms_of(["1"], ["1"], ())


def test_outcomes_are_0_or_1_and_may_be_turned():
    assert outcome_of(["yes", "NO", "1", 0.0, True], bad=False).tolist() == [1, 0, 1, 0, 1]
    assert outcome_of(["1", "0"], bad=True).tolist() == [0, 1]
    with pytest.raises(ScientistError, match="3 outcomes are neither"):
        outcome_of(["2", None, "", "1"], bad=False)


@pytest.mark.parametrize(
    ("changes", "settings", "error", "told"),
    [
        ({}, {"outcome": "stayed"}, ScientistError, "no column stayed"),
        ({}, {"drop": ["chance", "nothing"]}, ScientistError, "no column nothing"),
        ({"who": ["a", "a", "b", "c"]}, {}, ScientistError, "twice"),
        ({"age": ["1"] * 4, "plan": ["x"] * 4}, {}, TooLittleData, "told apart"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(changes, settings, error, told):
    with pytest.raises(error, match=told):
        trial_from_table(frame(**changes), chosen(**settings))


def test_an_empty_table_is_refused():
    with pytest.raises(TooLittleData, match="no row"):
        trial_from_table(frame().clear(), chosen())


def test_files_of_either_kind_are_read(tmp_path):
    frame().write_csv(tmp_path / "t.csv")
    frame().with_columns(pl.col("age").cast(pl.Float64, strict=False)).write_parquet(
        tmp_path / "t.parquet"
    )
    trials = [
        trial_from_table(read_table(tmp_path / name), chosen()) for name in ("t.csv", "t.parquet")
    ]
    np.testing.assert_array_equal(trials[0].x, trials[1].x)
    assert digest_of(tmp_path / "t.csv") != digest_of(tmp_path / "t.parquet")


def test_files_that_are_not_there_or_no_tables_are_refused(tmp_path):
    (tmp_path / "bad.parquet").write_bytes(b"no parquet")
    for name in ("absent.csv", "bad.parquet"):
        with pytest.raises(ScientistError, match=f"{name} cannot be read"):
            read_table(tmp_path / name)
    with pytest.raises(ScientistError, match="cannot be read"):
        digest_of(tmp_path / "absent.csv")

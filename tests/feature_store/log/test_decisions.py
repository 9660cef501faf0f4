"""Decisions become rows."""

from domain.decisions import Decision
from feature_store.log.decisions import SCHEMA, table_of_entries
from feature_store.store import DecisionEntry

ONE = Decision(
    "d1", 5, "recommend", "uada", "m7", 4, ("tea", "pot"), (1.5, 0.5), (1.0, 0.25), "popular"
)


def test_a_row_holds_the_whole_decision() -> None:
    table = table_of_entries([DecisionEntry("9-1", [ONE, ONE._replace(decision_id="d2")])])
    assert table.schema == SCHEMA
    rows = table.to_pylist()
    assert [row["row"] for row in rows] == [0, 1]
    assert {name: rows[0][name] for name in Decision._fields} == {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in ONE._asdict().items()
    }


def test_an_empty_answer_is_a_row_too() -> None:
    empty = ONE._replace(items=(), scores=(), propensities=())
    assert table_of_entries([DecisionEntry("9-1", [empty])]).to_pylist()[0]["items"] == []

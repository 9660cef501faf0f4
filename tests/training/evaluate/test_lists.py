import numpy as np
import polars as pl
import pytest

from domain.clock import DAY_MS
from domain.errors import ScientistError, TooLittleData
from tests.training.worlds import START, groceries, history_of_rows
from training.evaluate.lists import (
    LENGTH,
    Listed,
    Question,
    arranged,
    judge_lists,
    most_wanted,
    read_lists,
    read_table,
)
from training.splits import entities_of, interactions_of

ROWS = [
    ("a", "x", 0), ("a", "y", 1), ("b", "y", 0), ("b", "y", 3), ("c", "x", 2), ("d", "w", 2),
    ("a", "y", 10), ("a", "z", 11), ("b", "x", 10), ("c", "w", 12), ("e", "x", 12),
]  # fmt: skip
CUT = START + 10 * DAY_MS


def listed(*rows, as_of=None):
    schema = {"user": pl.String, "item": pl.String, "rank": pl.Float64}
    return Listed(pl.DataFrame(rows, schema=schema, orient="row"), as_of)


def judged(lists, question, rows=ROWS):
    return judge_lists(history_of_rows(rows), dict.fromkeys(r[1] for r in rows), lists, question)


def test_lists_are_judged_by_what_came_after():
    lists = listed(("a", "z", 1), ("a", "q", 2), ("a", "y", 3), ("b", "y", 1), ("e", "x", 1))
    found = judged(lists, Question(CUT))
    # Asked: a (y, z), b (x) and c (w), who has no list; e did nothing before, d nothing after.
    assert (found.cases, found.with_list, found.as_of) == (3, 2, CUT)
    metrics = found.report.metrics
    ndcg = (1 + 1 / np.log2(4)) / (1 + 1 / np.log2(3))
    assert metrics["ndcg_at_10"].value == pytest.approx(ndcg / 3)
    assert metrics["recall_at_10"].value == pytest.approx(1 / 3)
    assert metrics["hr_at_10"].value == pytest.approx(1 / 3)
    # Everybody is shown y, x, w: wanted by a, b and c.
    assert metrics["popularity_recall_at_10"].value == pytest.approx((0.5 + 1 + 1) / 3)
    assert metrics["over_best_member"].value < 0


def test_in_discovery_what_was_had_is_neither_wanted_nor_shown():
    lists = listed(("a", "y", 1), ("a", "z", 2), ("b", "y", 1), ("b", "x", 2), ("c", "w", 1))
    found = judged(lists, Question(CUT, discover=True))
    assert found.cases == 3
    # With their own things gone everyone's first is right.
    assert found.report.metrics["ndcg_at_10"].value == 1


def test_the_time_is_the_file_s_when_none_is_given_and_else_the_last_tenth():
    lists = listed(("a", "z", 1), as_of=CUT)
    assert judged(lists, Question()).as_of == CUT
    assert judged(lists, Question(CUT + DAY_MS)).as_of == CUT + DAY_MS
    late = judged(listed(("0", "i00", 1)), Question(), groceries()).as_of
    assert late > START + 100 * DAY_MS


def test_a_file_of_truth_takes_the_place_of_the_log():
    truth = pl.DataFrame({"user": ["a", "a", "b", "nobody"], "item": ["new", "x", "y", "x"]})
    lists = listed(("a", "new", 1), ("b", "x", 1))
    found = judged(lists, Question(truth=truth))
    assert (found.cases, found.with_list) == (2, 2)
    assert found.report.metrics["recall_at_10"].value == pytest.approx(0.25)
    fresh = judged(lists, Question(truth=truth, discover=True))
    # a had x and b had y: of both only the new thing of a is left.
    assert fresh.cases == 1
    assert fresh.report.metrics["ndcg_at_10"].value == 1


def test_nobody_to_ask_is_said():
    with pytest.raises(TooLittleData, match="nobody has an event"):
        judged(listed(("a", "x", 1)), Question(START + 99 * DAY_MS))


def test_a_list_is_cut_and_closes_up_where_something_is_left_out():
    rows = listed(*[("a", f"i{n}", n) for n in range(30)]).rows
    numbers = {f"i{n}": n for n in range(30)}
    lists, count = arranged(rows, ["a", "b"], numbers, [{0, 2}, set()])
    assert lists[0].tolist() == [1, *range(3, LENGTH + 2)]
    assert (lists[1] == -1).all()
    assert count == 1


def test_the_most_wanted_are_the_same_for_all_but_what_is_left_out():
    history = history_of_rows(ROWS)
    from domain.events import KINDS
    from domain.ids import hash64

    hashes = np.array([hash64(item) for item in "xyzw"], np.uint64)
    full = interactions_of(history, hashes, np.ones(KINDS, np.float32))
    lists = most_wanted(full, [set(), {0}])
    assert lists[0, :4].tolist() == [0, 1, 3, 2]
    assert lists[1, :4].tolist() == [1, 3, 2, -1]
    assert sorted(entities_of(history, hashes, np.ones(KINDS))) == ["ua", "ub", "uc", "ud", "ue"]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_files_of_lists_are_read_and_put_in_order(tmp_path, suffix):
    frame = pl.DataFrame(
        {"rank": [2, 1, 1, 3], "user": ["7", "7", "8", "7"], "item": ["b", "a", "c", "a"],
         "as_of": [5, 5, 5, 5]}
    )  # fmt: skip
    path = tmp_path / f"lists{suffix}"
    if suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path, separator="\t" if suffix == ".tsv" else ",")
    found = read_lists(path)
    assert found.as_of == 5
    # An item named twice counts at its better place.
    assert found.rows.select("user", "item").rows() == [("7", "a"), ("7", "b"), ("8", "c")]


def test_files_that_are_no_lists_are_refused(tmp_path):
    path = tmp_path / "lists.csv"
    path.write_text("user,item\n1,2\n")
    with pytest.raises(ScientistError, match="no column 'rank'"):
        read_lists(path)
    path.write_text("user,item,rank\n1,2,first\n")
    with pytest.raises(ScientistError, match="no number"):
        read_lists(path)
    path.write_text("user,item,rank\n1,2,1\n1,3,1\n")
    with pytest.raises(ScientistError, match="two items with one rank"):
        read_lists(path)
    with pytest.raises(ScientistError, match="cannot be read"):
        read_table(tmp_path / "absent.csv", ("user",))

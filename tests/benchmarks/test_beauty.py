"""The synthetic catalogue: copies of a log, each with the structure of the original."""

from collections import Counter
from pathlib import Path

from benchmarks.beauty import read_histories, repeated

LOG = {"u1": ["a", "b", "c"], "u2": ["c", "a"], "u3": ["d"], "u4": ["b", "d"]}


def items_of(histories):
    return {item for history in histories.values() for item in history}


def test_there_are_as_many_items_as_asked_for() -> None:
    for wanted in (5, 8, 10, 41):
        assert len(items_of(repeated(LOG, wanted))) == wanted


def test_a_whole_copy_is_the_log_under_other_names() -> None:
    made = repeated(LOG, 10)
    for copy in ("0", "1"):
        mine = {
            user.removesuffix(f"-{copy}"): [item.removesuffix(f"-{copy}") for item in history]
            for user, history in made.items()
            if user.endswith(f"-{copy}")
        }
        assert mine == LOG


def test_items_of_the_last_copy_have_all_their_events() -> None:
    wanted = Counter(item for history in LOG.values() for item in history)
    made = Counter(item for history in repeated(LOG, 10).values() for item in history)
    last = {item: count for item, count in made.items() if item.endswith("-2")}
    assert len(last) == 2
    for item, count in last.items():
        assert count == wanted[item.removesuffix("-2")]


def test_it_is_the_same_every_time_and_mixed() -> None:
    one, other = repeated(LOG, 41), repeated(LOG, 41)
    assert list(one.items()) == list(other.items())
    copies = [user.rpartition("-")[2] for user in one]
    assert copies != sorted(copies, key=int)


def test_a_log_that_is_large_enough_stays_as_it_is() -> None:
    assert repeated(LOG, 4) == LOG == repeated(LOG, 1)


def test_histories_are_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("u1 a b c\nu2 c a\nu3 d\nu4 b d\n")
    assert read_histories(path) == LOG

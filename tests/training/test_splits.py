import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.clock import DAY_MS
from domain.events import Event, Kind
from domain.ids import hash64
from feature_store.history import History
from feature_store.linking import Link
from tests.training.worlds import START, full_of_rows
from training.splits import (
    cut_times,
    interactions_of,
    leave_one_out,
    repeat_share,
    session_split,
    time_split,
)

ROWS = [
    ("a", "x", 0), ("a", "y", 1), ("a", "x", 2), ("a", "z", 3),
    ("b", "y", 0), ("b", "z", 5),
    ("c", "z", 1),
]  # fmt: skip

logs = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("uvwxyz"), st.integers(0, 12)),
    min_size=2,
    max_size=40,
)


def day(number: int) -> int:
    return START + number * DAY_MS


def asked(full, items, cases):
    """Cases in words: (history, targets, as_of day) by user."""
    return [
        (
            "".join(items[i] for i in full.items[start:end]),
            "".join(sorted(items[i] for i in cases.targets[first:last])),
            (as_of - START) / DAY_MS,
        )
        for start, end, as_of, first, last in zip(
            cases.starts,
            cases.ends,
            cases.as_of,
            cases.target_offsets[:-1],
            cases.target_offsets[1:],
            strict=True,
        )
    ]


def test_interactions_are_grouped_and_ordered():
    full, items = full_of_rows(list(reversed(ROWS)))
    words = [
        "".join(items[i] for i in full.items[a:b])
        for a, b in zip(full.offsets[:-1], full.offsets[1:], strict=True)
    ]
    assert sorted(words) == ["xyxz", "yz", "z"]
    assert full.n_items == 3
    assert len(full.users) == len(ROWS)


def test_kinds_without_weight_and_unknown_items_are_left_out_but_counted_in_the_order():
    kinds = [Kind.click, Kind.impression, Kind.purchase, Kind.purchase, Kind.click]
    things = ["x", "x", "x", "unknown", "y"]
    history = History.from_events(
        [
            Event(f"e{i}", "ua", kind, day(i), item)
            for i, (kind, item) in enumerate(zip(kinds, things, strict=True))
        ]
    )
    weights = np.zeros(len(Kind), np.float32)
    weights[[Kind.click, Kind.purchase]] = 0.3, 1.0
    hashes = np.array([hash64("x"), hash64("y")], np.uint64)
    full = interactions_of(history, hashes, weights)
    assert full.items.tolist() == [0, 0, 1]
    np.testing.assert_allclose(full.weights, [0.3, 1, 0.3])
    assert full.ordinals.tolist() == [0, 2, 4]


def test_no_items_give_no_interactions():
    history = History.from_events([Event("e", "ua", Kind.click, day(0), "x")])
    full = interactions_of(history, np.empty(0, np.uint64), np.ones(len(Kind)))
    assert len(full.items) == 0
    assert full.offsets.tolist() == [0]
    assert repeat_share(full) == 0


def test_a_linked_session_counts_once_under_its_user():
    history = History.from_events(
        [
            Event("e1", "sweb", Kind.click, day(0), "x"),
            Event("e2", "ua", Kind.click, day(1), "y"),
            Event("e3", "ua", Kind.click, day(3), "z"),
        ],
        links=[Link("sweb", "ua", day(2))],
    )
    hashes = np.array([hash64(item) for item in "xyz"], np.uint64)
    full = interactions_of(history, hashes, np.ones(len(Kind)))
    assert full.items.tolist() == [0, 1, 2]
    assert full.offsets.tolist() == [0, 3]


def test_time_split_asks_for_what_came_in_the_window():
    full, items = full_of_rows(ROWS)
    known, cases, as_of = time_split(full, day(2), day(6), 512, repeats=True)
    assert asked(full, items, cases) == [("xy", "xz", 2), ("y", "z", 2)]
    assert as_of == day(2)
    assert (known.ats < day(2)).all()
    assert len(known.items) == 4


def test_without_repeats_items_of_the_history_are_no_targets():
    full, items = full_of_rows(ROWS)
    cases = time_split(full, day(2), day(6), 512, repeats=False).cases
    assert asked(full, items, cases) == [("xy", "z", 2), ("y", "z", 2)]
    cases = time_split(full, day(2), day(3), 512, repeats=False).cases
    assert len(cases) == 0


def test_only_users_with_enough_before_the_cut_are_asked():
    full, items = full_of_rows(ROWS)
    cases = time_split(full, day(2), day(6), 512, repeats=True, least=2).cases
    assert asked(full, items, cases) == [("xy", "xz", 2)]
    assert len(time_split(full, day(2), day(6), 512, repeats=True, least=3).cases) == 0


def test_every_event_of_a_session_but_the_first_is_asked_for():
    # Sessions by a gap of one day: a has x y | z v | u, b has y z.
    rows = [("a", "x", 0), ("a", "y", 1), ("a", "z", 5), ("a", "v", 6), ("a", "u", 9),
            ("b", "y", 5), ("b", "z", 6)]  # fmt: skip
    full, items = full_of_rows(rows)
    gap = day(1) - day(0)
    known, cases, as_of = session_split(full, day(6), day(10), 512, gap, repeats=True)
    assert asked(full, items, cases) == [("xyz", "v", 6), ("y", "z", 6)]
    assert as_of == day(6)
    assert len(known.items) == 4
    # The day before the cut: one session's second event, and no event that opens a session.
    cases = session_split(full, day(0), day(6), 512, gap, repeats=True).cases
    assert asked(full, items, cases) == [("x", "y", 1)]
    # Own items are nobody's question where repeats are not the task.
    again, words = full_of_rows([("a", "x", 0), ("a", "x", 1), ("a", "y", 1), ("b", "x", 0)])
    cases = session_split(again, day(0), day(9), 512, gap, repeats=False).cases
    assert [c[1] for c in asked(again, words, cases)] == ["y"]


def test_leave_one_out_asks_for_the_last_or_the_one_before():
    full, items = full_of_rows(ROWS)
    known, cases, _ = leave_one_out(full, 1, 512, repeats=True)
    assert asked(full, items, cases) == [("xyx", "z", 3), ("y", "z", 5)]
    assert len(known.items) == len(ROWS) - 2
    known, cases, _ = leave_one_out(full, 2, 512, repeats=True)
    assert asked(full, items, cases) == [("xy", "x", 2)]
    assert len(known.items) == len(ROWS) - 2


def test_the_cap_counts_events_of_every_kind():
    kinds = [Kind.purchase, Kind.impression, Kind.purchase, Kind.impression, Kind.purchase]
    history = History.from_events(
        [Event(f"e{i}", "ua", kind, day(i), "xyzvw"[i]) for i, kind in enumerate(kinds)]
    )
    weights = np.zeros(len(Kind), np.float32)
    weights[Kind.purchase] = 1
    hashes = np.array([hash64(item) for item in "xyzvw"], np.uint64)
    full = interactions_of(history, hashes, weights)
    for cap, wanted in ((4, "xz"), (3, "z"), (2, "z")):
        cases = leave_one_out(full, 1, cap, repeats=False).cases
        assert asked(full, "xyzvw", cases) == [(wanted, "w", 4)]
    # Only the impression is left of the history: there is nothing to ask from.
    assert len(leave_one_out(full, 1, 1, repeats=False).cases) == 0


@settings(deadline=None)
@given(logs, st.integers(0, 12), st.integers(0, 12), st.booleans())
def test_no_case_sees_its_future(rows, cut, length, repeats):
    full, _ = full_of_rows(rows)
    split = time_split(full, day(cut), day(cut + length), 512, repeats)
    assert (split.known.ats < day(cut)).all()
    assert len(split.known.items) == (full.ats < day(cut)).sum()
    cases = split.cases
    for case in range(len(cases)):
        history = slice(cases.starts[case], cases.ends[case])
        assert (full.ats[history] < cases.as_of[case]).all()
        assert (full.users[history] == cases.users[case]).all()
        targets = cases.targets[cases.target_offsets[case] : cases.target_offsets[case + 1]]
        assert len(targets) == len(set(targets.tolist())) > 0
        if not repeats:
            assert not set(targets) & set(full.items[history])


@settings(deadline=None)
@given(logs, st.integers(1, 3))
def test_leave_one_out_knows_all_but_the_last(rows, back):
    full, _ = full_of_rows(rows)
    split = leave_one_out(full, back, 512, repeats=True)
    lengths = np.diff(full.offsets)
    assert len(split.cases) == (lengths > back).sum()
    assert len(split.known.items) == lengths.sum() - back * (lengths > back).sum()


def test_take_and_sample_keep_whole_cases():
    full, items = full_of_rows([*ROWS, ("d", "x", 0), ("d", "y", 3), ("d", "z", 4)])
    cases = time_split(full, day(1), day(9), 512, repeats=True).cases
    whole = asked(full, items, cases)
    assert asked(full, items, cases.take(np.array([2, 0]))) == [whole[2], whole[0]]
    one = cases.sample(1, np.random.default_rng(0))
    assert len(one) == 1
    assert asked(full, items, one)[0] in whole
    assert cases.sample(99, np.random.default_rng(0)) is cases


def test_sampled_users_are_whole():
    rows = [(f"{user}", f"i{k}", k) for user in range(200) for k in range(5)]
    full, _ = full_of_rows(rows)
    part = full.sample_users(300, np.random.default_rng(0))
    assert set(np.diff(part.offsets)) == {0, 5}
    assert 200 < len(part.items) < 400
    assert full.sample_users(5_000, np.random.default_rng(0)) is full


def test_cut_times_give_two_windows_of_one_length():
    full, _ = full_of_rows([("a", "x", number) for number in range(100)])
    valid, test, end = cut_times(full, 0.1)
    assert end == day(99) + 1
    assert test - valid == end - test
    assert (full.ats >= test).mean() == pytest.approx(0.1, abs=0.01)


def test_repeat_share():
    full, _ = full_of_rows(ROWS)
    assert repeat_share(full) == pytest.approx(1 / 7)

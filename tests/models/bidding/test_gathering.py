"""Rows of lines that match: within their caps, of brands that may and shapes that fit."""

import numpy as np

from models.bidding.gathering import ALLOWED, ASK, FLAT, NEVER, REFUSED, UNKNOWN, gather
from models.bidding.pricing import PLAIN

# Three lines of two, one and two rows; brands and shapes of each row.
ROWS = tuple(np.array(part, np.int32) for part in ([0, 2, 3, 5], [0, 0, 1, 2, 2], [0, 1, 0, 1, 0]))
MONEY = (np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 30.0]), np.array([1.0, 1.0, 0.5]))


def gathered(lines, verdicts, floors, flat=5.0, money=MONEY, room=8):
    """Answer the rows gathered, or the number below 0 that names the row to ask about."""
    out = np.zeros((room, 6))
    count = gather(
        np.array(lines, np.int32), ROWS, np.array(verdicts, np.uint8), np.array(floors), flat,
        money, out,
    )  # fmt: skip
    return out[:count].tolist() if count >= 0 else count


def test_rows_carry_the_money_of_their_line():
    found = gathered([0, 2], [ALLOWED] * 3, [FLAT, 7.0])
    assert found == [
        [0, 1.0, 10.0, 5.0, 1.0, PLAIN], [1, 1.0, 10.0, 7.0, 1.0, PLAIN],
        [3, 3.0, 30.0, 7.0, 0.5, PLAIN], [4, 3.0, 30.0, 5.0, 0.5, PLAIN],
    ]  # fmt: skip


def test_refused_brands_and_shapes_that_do_not_fit_are_left_out():
    assert [row[0] for row in gathered([0, 1, 2], [REFUSED, ALLOWED, ALLOWED], [FLAT, NEVER])] == [
        2, 4
    ]  # fmt: skip


def test_a_floor_above_the_cap_keeps_out():
    assert [row[0] for row in gathered([0, 1, 2], [ALLOWED] * 3, [FLAT, NEVER], flat=15.0)] == [
        2,
        4,
    ]
    assert [row[0] for row in gathered([0], [ALLOWED] * 3, [FLAT, NEVER], flat=10.0)] == [0]


def test_a_line_that_does_not_buy_here_has_no_cap():
    money = (MONEY[0], np.array([10.0, -1.0, 30.0]), MONEY[2])
    assert gathered([1], [ALLOWED] * 3, [0.0, 0.0], money=money) == []


def test_what_is_not_known_yet_is_told():
    assert gathered([1, 2], [ALLOWED, ALLOWED, UNKNOWN], [FLAT, FLAT]) == -1 - 3
    assert gathered([0], [ALLOWED] * 3, [FLAT, ASK]) == -1 - 1
    # A shape that does not fit needs no verdict on its brand.
    assert gathered([2], [ALLOWED, ALLOWED, UNKNOWN], [NEVER, NEVER]) == []


def test_no_more_than_there_is_room_for():
    assert len(gathered([0, 1, 2], [ALLOWED] * 3, [FLAT, FLAT], room=2)) == 2
    assert gathered([], [ALLOWED] * 3, [FLAT, FLAT]) == []

"""No order of lending, bidding, billing, dying and waiting overspends, in memory."""

from hypothesis import settings

from feature_store.ledgers import MemoryBudgets
from tests.feature_store.lending import NOON, ask
from tests.feature_store.spending import Spending, now

TestSpending = Spending.TestCase
TestSpending.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


def test_money_is_lent_by_the_wall_clock_unless_another_is_given() -> None:
    (grant,) = now(MemoryBudgets().lease([ask(5, 0)]))
    assert grant.now_ms > NOON
    assert grant.refusal == "clock", "the days asked with are those of 1970"

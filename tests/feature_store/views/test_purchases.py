"""What a refund undoes, case by case."""

import numpy as np

from domain.events import Event, Kind
from feature_store.views.purchases import net_purchases, standing
from tests.feature_store.making import T0, event, state_of

UNIT = 1_000_000


def _net(*events: Event) -> tuple[list[int], list[int], int, int]:
    _, records = state_of(events)
    kept, left, undone, unpriced = net_purchases(records, 0, len(records))
    return kept.tolist(), left.tolist(), int(undone), int(unpriced)


def buy(name: str, at: int, item: str = "tea", value: int | None = 10 * UNIT, **more: str) -> Event:
    return event(name, Kind.purchase, T0 + at, item=item, value=value, **more)


def refund(name: str, at: int, item: str = "tea", value: int | None = None, **more: str) -> Event:
    return event(name, Kind.refund, T0 + at, item=item, value=value, **more)


def test_a_refund_without_a_name_undoes_the_latest_purchase_of_the_item() -> None:
    assert _net(buy("a", 1), buy("b", 2), buy("c", 3, "pot"), refund("r", 4)) == (
        [1, 0, 1, 0],
        [10 * UNIT, 0, 10 * UNIT, 0],
        1,
        10 * UNIT,
    )


def test_a_second_refund_undoes_the_one_before() -> None:
    kept, _, undone, _ = _net(buy("a", 1), buy("b", 2), refund("r", 3), refund("s", 4))
    assert (kept, undone) == ([0, 0, 0, 0], 2)


def test_a_named_refund_undoes_that_purchase_even_a_later_one() -> None:
    kept, _, _, _ = _net(buy("a", 1), refund("r", 2, refunds="b"), buy("b", 3))
    assert kept == [1, 0, 0]


def test_a_name_that_is_not_here_undoes_nothing() -> None:
    assert _net(buy("a", 1), refund("r", 2, refunds="gone"))[0] == [1, 0]


def test_a_purchase_is_undone_once() -> None:
    kept, _, undone, _ = _net(
        buy("a", 1), buy("b", 2), refund("r", 3, refunds="a"), refund("s", 4, refunds="a")
    )
    assert (kept, undone) == ([0, 1, 0, 0], 1)


def test_a_refund_of_part_leaves_the_rest_and_the_purchase_counts() -> None:
    assert _net(buy("a", 1), refund("r", 2, value=4 * UNIT)) == ([1, 0], [6 * UNIT, 0], 0, 0)


def test_parts_add_up_to_the_whole_whatever_their_sign() -> None:
    kept, left, undone, unpriced = _net(
        buy("a", 1), refund("r", 2, value=4 * UNIT), refund("s", 3, value=-6 * UNIT)
    )
    assert (kept, left, undone, unpriced) == ([0, 0, 0], [0, 0, 0], 1, 0)


def test_a_refund_in_another_currency_undoes_the_whole() -> None:
    kept, left, _, unpriced = _net(buy("a", 1), refund("r", 2, value=1, currency="SEK"))
    assert (kept, left, unpriced) == ([0, 0], [0, 0], 10 * UNIT)


def test_a_purchase_in_another_currency_counts_but_is_worth_nothing_here() -> None:
    assert _net(buy("a", 1, currency="SEK")) == ([1], [0], 0, 0)


def test_an_earlier_refund_without_a_name_finds_nothing() -> None:
    assert _net(refund("r", 1), buy("a", 2))[0] == [0, 1]


def test_a_part_of_the_records_is_seen_alone() -> None:
    _, records = state_of([buy("a", 1), buy("b", 2), refund("r", 3)])
    kept, left, _, _ = net_purchases(records, 2, 3)
    assert np.array_equal(kept, [0])
    assert np.array_equal(left, [0])


def test_what_was_refunded_whole_is_no_taste_and_what_was_refunded_in_part_is() -> None:
    lifetime, records = state_of(
        [
            buy("a", 1),
            buy("b", 2, "pot"),
            refund("r", 3),
            refund("s", 4, "pot", value=4 * UNIT),
            event("c", Kind.click, T0 + 5, item="tea"),
        ]
    )
    kept = standing(records, lifetime)
    assert [Kind(kind) for kind in kept["kind"]] == [
        Kind.purchase, Kind.refund, Kind.refund, Kind.click,
    ]  # fmt: skip
    assert np.array_equal(standing(records), kept)


def test_a_history_without_refunds_is_handed_back_as_it_is() -> None:
    lifetime, records = state_of([buy("a", 1)])
    assert standing(records, lifetime) is records
    assert standing(records) is records

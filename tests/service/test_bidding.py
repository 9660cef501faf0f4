"""The decision: floors, caps, agreed prices, deals, pods and money; each price a whole micro."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.currencies import REFERENCE
from domain.opportunities import Auction, NoBidReason
from service.bid_settings import BidSettings
from service.bidding import Bidder, Decided, NoMoney, Order, no_bid
from service.openrtb.candidates import find_candidates
from tests.service.openrtb.making import VIDEO, always, auction, creative, imp, line_of, video


class Purse:
    """A till with so many micros; it keeps the orders it took."""

    def __init__(self, micros: int = 10**15) -> None:
        self.left = micros
        self.orders: list[Order] = []

    def reserve(self, order: Order) -> str | None:
        if not order.test:
            if order.cost > self.left:
                return None
            self.left -= order.cost
        self.orders.append(order)
        return f"t{len(self.orders)}"


def decide(offered: Auction, *lines: Any, till: Any = None, open_bids: int = 1) -> Decided:
    found = find_candidates(offered, lines, REFERENCE, always)
    settings = BidSettings(open_bids=open_bids)
    return Bidder(settings, till or Purse()).decide(offered, found.candidates)


def line(name: str, bid: float = 2.0, **parts: Any) -> Any:
    wishes = {"bid": int(bid * 1_000_000), **parts.pop("line", {})}
    return line_of(*parts.pop("creatives", ()), campaign=name, line=wishes, **parts)


def prices(decided: Decided) -> list[tuple[str, str, int]]:
    return [(one.campaign, one.deal, one.price) for one in decided.bids]


def test_the_standard_bid_of_the_best_line() -> None:
    decided = decide(auction(imp(bidfloor=1)), line("a", 1.5), line("b", 2.5), line("c", 0.5))
    assert prices(decided) == [("b", "", 2_500_000)]
    assert decided.causes == {"floor": 1}
    (bid,) = decided.bids
    assert (bid.opportunity, bid.token, bid.w, bid.h) == ("1", "t1", 300, 250)
    assert (bid.line, bid.seat, bid.expires_in) == ("l-1", "", 900)


def test_several_campaigns_may_bid_in_the_open_market_and_none_against_itself() -> None:
    lines = [line("a", 3), line("a", 2.5), line("b", 2), line("c", 1)]
    assert prices(decide(auction(), *lines, open_bids=2)) == [("a", "", 3_000_000),
                                                              ("b", "", 2_000_000)]  # fmt: skip


def test_every_deal_and_the_open_market() -> None:
    pmp = {"deals": [{"id": "d", "bidfloor": 1}, {"id": "e", "bidfloor": 2.5}, {"id": "f"}]}
    lines = [line("a", 2, line={"deals": ("d", "e")}), line("b", 3, line={"deals": ("d", "e")}),
             line("c", 1, line={"deals": ("x",)})]  # fmt: skip
    decided = decide(auction(imp(pmp=pmp)), *lines)
    assert sorted(prices(decided)) == [
        ("b", "", 3_000_000), ("b", "d", 3_000_000), ("b", "e", 3_000_000)
    ]  # fmt: skip


def test_an_agreed_price_is_bid_as_agreed_or_not_at_all() -> None:
    pmp = {"deals": [{"id": "d", "at": 3, "bidfloor": 4.321}]}
    owner = {"deals": ("d",), "open_market": False}
    assert prices(decide(auction(imp(pmp=pmp)), line("a", 1, line=owner))) == [
        ("a", "d", 4_321_000)
    ]
    assert decide(auction(imp(pmp=pmp)), line("a", 1, line=owner, max_bid=4_320_999)).bids == []


def test_a_guaranteed_deal_is_bid_at_its_floor_if_need_be() -> None:
    owner = {"deals": ("d",), "open_market": False}
    for guar, told in ((1, [("a", "d", 3_500_000)]), (0, [])):
        pmp = {"deals": [{"id": "d", "bidfloor": 3.5, "guar": guar}]}
        assert prices(decide(auction(imp(pmp=pmp)), line("a", 1, line=owner))) == told


def test_a_guaranteed_deal_comes_before_all_else_when_money_is_short() -> None:
    pmp = {"deals": [{"id": "d", "bidfloor": 1, "guar": 1}]}
    lines = [line("rich", 4), line("owner", 1, line={"deals": ("d",), "open_market": False})]
    assert prices(decide(auction(imp(pmp=pmp)), *lines, till=Purse(1_000))) == [
        ("owner", "d", 1_000_000)
    ]


def test_without_money_the_next_best_bids() -> None:
    class Picky(Purse):
        def reserve(self, order: Order) -> str | None:
            poor = order.candidate.ready.campaign.campaign == "poor"
            return None if poor else super().reserve(order)

    decided = decide(auction(), line("poor", 4), line("b", 2), till=Picky())
    assert prices(decided) == [("b", "", 2_000_000)]
    assert decided.causes == {"budget": 1}
    broke = decide(auction(), line("a"), till=NoMoney())
    assert (broke.bids, broke.causes) == ([], {"budget": 1})


def test_the_order_says_what_a_bid_may_cost() -> None:
    till = Purse()
    offered = auction(
        imp(qty={"multiplier": 14.2}, exp=360), cur=["GBP"], test=1
    )._replace(exchange="adx")  # fmt: skip
    decide(offered, line("a", 1.000001, currency="EUR"), till=till)
    (order,) = till.orders
    price = REFERENCE.down(1_000_001, "EUR", "GBP")
    assert (order.price, order.currency, order.test) == (price, "GBP", True)
    pounds = -(-price * 14_200_000 // 10**9)
    assert order.cost == REFERENCE.up(pounds, "GBP", "EUR")
    assert (order.expires_in, order.exchange) == (360, "adx")
    assert till.left == 10**15


@given(price=st.integers(1, 10**10), quantity=st.integers(1, 10**9).map(lambda n: n / 1_000_000))
def test_what_is_set_aside_is_never_less_than_what_may_be_owed(price: int, quantity: float) -> None:
    till = Purse()
    offered = auction(imp(qty={"multiplier": quantity}))
    decide(offered, line("a", max_bid=price, line={"bid": price}), till=till)
    (order,) = till.orders
    assert order.cost * 1_000 >= price * quantity * (1 - 1e-12)
    assert (order.cost - 1) * 1_000 <= price * quantity * (1 + 1e-12)


@given(
    floor=st.integers(0, 4_000_000), bid=st.integers(1, 6_000_000), cap=st.integers(1, 5_000_000),
    code=st.sampled_from(["USD", "EUR", "JPY"]), own=st.sampled_from(["USD", "GBP"]),
)  # fmt: skip
def test_never_below_the_floor_and_never_above_the_cap(
    floor: int, bid: int, cap: int, code: str, own: str
) -> None:
    offered = auction(imp(bidfloor=floor / 1_000_000, bidfloorcur=code), cur=["USD", "EUR"])
    one = line("a", line={"bid": bid}, max_bid=cap, currency=own)
    for made in decide(offered, one).bids:
        per = REFERENCE.per_euro
        assert made.price * per[code] >= floor * per[offered.currency]
        assert made.price * per[own] <= min(cap, bid) * per[offered.currency]


def test_a_dynamic_pod_takes_several_advertisements() -> None:
    clips = tuple(video(creative=f"v{n}", duration_ms=10_000) for n in range(5))
    part = imp(video={**VIDEO, "podid": "p", "poddur": 30, "maxseq": 4})
    decided = decide(auction(part), line("a", creatives=clips))
    assert [one.creative.creative for one in decided.bids] == ["v0", "v1", "v2"]
    assert decided.causes == {"pod": 2}


def test_slots_of_one_pod_show_different_advertisements() -> None:
    slots = [imp(str(n), video={**VIDEO, "podid": "p", "slotinpod": 0}) for n in (1, 2)]
    clips = (video(creative="v1"), video(creative="v2"))
    shown = [(one.opportunity, one.creative.creative)
             for one in decide(auction(*slots), line("a", creatives=clips)).bids]  # fmt: skip
    assert len(shown) == 2
    assert {creative for _, creative in shown} == {"v1", "v2"}
    alone = decide(auction(*slots), line("a", creatives=clips[:1])).bids
    assert len(alone) == 1


@pytest.mark.parametrize(
    ("value", "standard", "floor", "cap", "price", "last"),
    [
        (5, 2, 0, 9, 2, "standard_bid"), (5, 7, 0, 9, 5, "value"), (5, 5, 0, 3, 3, "cap"),
        (5, 2, 3, 9, None, "floor"), (0, 0, 0, 0, None, "floor"), (5, 5, 5, 5, 5, "standard_bid"),
    ],
)  # fmt: skip
def test_quotes(
    value: int, standard: int, floor: int, cap: int, price: int | None, last: str
) -> None:
    quote = Bidder(BidSettings(), NoMoney()).quote(value, standard, floor, cap)
    assert (quote.price, quote.reasons[-1]) == (price, last)
    assert (quote.confidence, quote.propensity, quote.win_probability) == (0.0, 1.0, None)


def test_words_have_the_exchanges_codes() -> None:
    assert no_bid("late") == (NoBidReason.too_late, "late")
    assert no_bid("duplicate_impression").reason == 2
    assert no_bid("floor") == (NoBidReason.unknown, "floor")


def test_a_creative_of_another_size_is_no_candidate() -> None:
    assert decide(auction(), line("a", creatives=(creative(width=9),))).bids == []

"""The decision: floors, caps, agreed prices, deals, pods and money; each price a whole micro."""

from random import Random
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.clock import FixedClock
from domain.currencies import REFERENCE
from domain.opportunities import Auction, NoBidReason
from models.bidding.memo import read_memo
from service.bid_prices import Prices
from service.bid_settings import BidSettings
from service.bidding import Bidder, Decided, Made, NoMoney, Order, no_bid
from service.openrtb.candidates import find_candidates
from service.openrtb.gathering import Gatherer
from service.openrtb.table import lay_out
from tests.service.openrtb.making import VIDEO, always, auction, creative, imp, line_of, video

NOW = FixedClock(1_790_000_000_000)


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
    placed, table = lay_out(lines)
    found = find_candidates(offered, placed, REFERENCE, always)
    settings = BidSettings(open_bids=open_bids)
    bidder = Bidder(settings, till or Purse(), Prices(NOW))
    decided = bidder.decide(offered, found.candidates, table)
    decided.causes = {**found.causes, **decided.causes}
    return decided


def pick(offered: Auction, *lines: Any, till: Any = None, prices: Any = None) -> Made | None:
    placed, table = lay_out(lines)
    gatherer = Gatherer(placed)
    every = np.arange(len(placed), dtype=np.int32)
    gathered = gatherer.gather(offered, every, REFERENCE)
    if gathered is None:
        return None
    bidder = Bidder(BidSettings(), till or Purse(), prices or Prices(NOW))
    return bidder.pick(offered, gatherer, gathered, table)


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
    assert (bid.line, bid.seat, bid.expires_in) == ("l-1", "", 300)


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


def test_so_many_deals_and_so_many_beside_them_each_with_its_own_money() -> None:
    pmp = {"deals": [{"id": "d", "bidfloor": 1}, {"id": "e", "bidfloor": 2.5}]}
    lines = [line(name, bid, line={"deals": ("d", "e")}) for name, bid in
             (("a", 2), ("b", 3), ("c", 2.6), ("d", 1.5))]  # fmt: skip
    till = Purse()
    decided = decide(auction(imp(pmp=pmp)), *lines, till=till, open_bids=3)
    assert sorted(prices(decided)) == [
        ("a", "", 2_000_000), ("b", "", 3_000_000), ("b", "d", 3_000_000), ("b", "e", 3_000_000),
        ("c", "", 2_600_000),
    ]  # fmt: skip
    assert len({bid.id for bid in decided.bids}) == len({bid.token for bid in decided.bids}) == 5
    assert sum(order.cost for order in till.orders) == 13_600
    # In a private auction nothing is bid beside the deals, however many may be.
    closed = decide(auction(imp(pmp={**pmp, "private_auction": 1})), *lines, open_bids=3)
    assert sorted(prices(closed)) == [("b", "d", 3_000_000), ("b", "e", 3_000_000)]


def test_of_many_beside_deals_those_without_money_make_room_for_the_next() -> None:
    class Tight(Purse):
        def reserve(self, order: Order) -> str | None:
            rich = order.candidate.ready.campaign.campaign == "rich"
            return None if rich else super().reserve(order)

    pmp = {"deals": [{"id": "d", "bidfloor": 1}]}
    lines = [line(name, bid, line={"deals": ("d",)}) for name, bid in
             (("rich", 4), ("a", 3), ("b", 2), ("c", 1))]  # fmt: skip
    decided = decide(auction(imp(pmp=pmp)), *lines, till=Tight(), open_bids=2)
    assert sorted(prices(decided)) == [
        ("a", "", 3_000_000), ("a", "d", 3_000_000), ("b", "", 2_000_000)
    ]  # fmt: skip
    assert decided.causes["budget"] == 2


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
        imp(qty={"multiplier": 14.2}, exp=240), cur=["GBP"], test=1
    )._replace(exchange="adx")  # fmt: skip
    decide(offered, line("a", 1.000001, currency="EUR"), till=till)
    (order,) = till.orders
    price = REFERENCE.down(1_000_001, "EUR", "GBP")
    assert (order.price, order.currency, order.test) == (price, "GBP", True)
    pounds = -(-price * 14_200_000 // 10**6)
    assert order.owed == REFERENCE.up(pounds, "GBP", "EUR")
    assert order.cost == -(-order.owed // 1_000)
    assert order.quantity == 14_200_000
    assert (order.expires_in, order.exchange) == (240, "adx")
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


def test_words_have_the_exchanges_codes() -> None:
    assert no_bid("late") == (NoBidReason.too_late, "late")
    assert no_bid("duplicate_impression").reason == 2
    assert no_bid("floor") == (NoBidReason.unknown, "floor")


def test_a_creative_of_another_size_is_no_candidate() -> None:
    assert decide(auction(), line("a", creatives=(creative(width=9),))).bids == []


def test_one_impression_of_the_open_market_is_picked_as_it_would_be_decided() -> None:
    rng = Random(3)
    for _ in range(200):
        lines = [
            line(f"c{n}", rng.choice([0.5, 1, 2, 3]), currency=rng.choice(["USD", "EUR"]),
                 max_bid=rng.choice([1_500_000, 5_000_000]),
                 creatives=(creative(width=rng.choice([300, 9])), creative(creative="b")))
            for n in range(4)
        ]  # fmt: skip
        offered = auction(
            imp(bidfloor=rng.choice([0, 0.7, 1.8])), badv=rng.choice([[], ["x.test"]])
        )
        made, decided = pick(offered, *lines), decide(offered, *lines)
        assert bool(made) == bool(decided.bids)
        if made:
            (other,) = decided.bids
            assert (made.bid.campaign, made.bid.price) == (other.campaign, other.price)


def test_what_is_more_than_one_impression_of_the_open_market_is_not_picked() -> None:
    pmp = {"deals": [{"id": "d"}]}
    for offered in (auction(imp("1"), imp("2")), auction(imp(pmp=pmp)),
                    auction(imp(video={**VIDEO, "podid": "p"}))):  # fmt: skip
        assert pick(offered, line("a")) is None
    assert pick(auction(), line("a", bid=0)) is None
    assert pick(auction(), line("a"), till=NoMoney()) is None
    assert pick(auction(), line("a")) is not None


def test_an_order_brings_back_what_it_was_worth() -> None:
    till = Purse()
    made = pick(auction(imp(bidfloor=1), at=1), line("a", 2), till=till)
    (order,) = till.orders
    memo = read_memo(order.about)
    assert made is not None
    assert memo is not None
    assert (order.at, order.policy, order.arm, order.propensity) == (1, "bid/1", 2, 1.0)
    assert (memo.value, memo.greedy, memo.features[0]) == (2_000_000, True, 0.5)
    assert len(memo.places) == 8


def test_a_deal_teaches_nothing_of_open_prices() -> None:
    till = Purse()
    decide(auction(imp(pmp={"deals": [{"id": "d"}]})), line("a", line={"deals": ("d",)}), till=till)
    memos = [read_memo(order.about) for order in till.orders]
    assert [len(memo.places) if memo else None for memo in memos] == [0, 8]

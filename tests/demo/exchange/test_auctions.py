"""Auctions: who wins, what is paid, and that everybody is told, with every macro replaced."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from demo.exchange.auctions import Exchange
from demo.exchange.books import Books
from demo.exchange.connection import Connections
from demo.exchange.supply import HOUSES, Offer, Visitor

NOTICES = ("/v1/openrtb2/win", "/v1/openrtb2/bill", "/v1/openrtb2/loss")
QUERY = (
    "token=T&price=${AUCTION_PRICE}&currency=${AUCTION_CURRENCY}&min_to_win=${AUCTION_MIN_TO_WIN}"
    "&loss=${AUCTION_LOSS}&multiplier=${AUCTION_MULTIPLIER}"
)


class Bidder:
    """A service of sorts: bids one price on everything, or says why not."""

    def __init__(self, price: float = 0.5, size: tuple[int, int] = (300, 250)) -> None:
        self.price, self.size = price, size
        self.asked: list[str] = []
        self.notices: list[tuple[str, dict[str, str]]] = []
        self.events: list[dict[str, Any]] = []

    def __call__(self, method: str, path: str, body: Any) -> tuple[Any, ...]:
        parts = urlsplit(path)
        if parts.path in NOTICES:
            assert method == "GET"
            fields = parse_qs(parts.query, keep_blank_values=True)
            self.notices.append(
                (parts.path.rpartition("/")[2], {k: v[0] for k, v in fields.items()})
            )
            return 204, "", {"x-sanderling-notice": "taken"}
        if parts.path == "/v1/events":
            self.events.append(body)
            return 202, {"accepted": 1}
        self.asked.append(parts.query)
        if not self.price:
            return 204, "", {"x-sanderling-why": "nbr=0; cause=budget"}
        urls = {name: f"http://bids.example{path}?{QUERY}"
                for name, path in zip(("nurl", "burl", "lurl"), NOTICES, strict=True)}  # fmt: skip
        bid = {
            "id": f"b{len(self.asked)}", "impid": "1", "price": self.price, "cid": "c1",
            "crid": "bright", "w": self.size[0], "h": self.size[1], **urls,
        }  # fmt: skip
        return 200, {"id": body["id"], "seatbid": [{"bid": [bid]}]}


def offer(
    others: float = 300_000.0, floor: int = 0, house: int = 0, luck: float = 0.9, law: str = ""
) -> Offer:
    return Offer(
        0, 0.0, HOUSES[house], 1, 12, floor, np.array([others, 0.0]), 0.5, luck, True, 0.0,
        Visitor("anna", law),
    )  # fmt: skip


async def sold(desk: Any, bidder: Bidder, offers: Sequence[Offer]) -> Books:
    desk.behaviour = bidder
    connections = Connections(desk.base)
    exchange = Exchange(connections, "ab12", {"bright": 1.5})
    await exchange.sell(offers)
    await connections.close()
    return exchange.books


async def test_a_first_price_win_pays_the_bid_and_is_told(desk: Any) -> None:
    bidder = Bidder()
    books = await sold(desk, bidder, [offer()])
    assert bidder.asked == ["exchange=dawn"]
    common = {"token": "T", "price": "0.500000", "currency": "USD", "min_to_win": "0.300000"}
    expected = {**common, "loss": "", "multiplier": "1"}
    assert bidder.notices == [("win", expected), ("bill", expected)]
    account = books.accounts["c1"]
    assert (account.bids, account.wins, account.charged) == (1, 1, 500)
    assert books.told == {"win taken": 1, "bill taken": 1}
    (sale,) = books.sales
    assert (sale.paid, sale.to_beat, sale.user) == (500_000, 300_000, "anna")


async def test_a_second_price_win_pays_what_was_to_beat_and_is_not_told_it(desk: Any) -> None:
    bidder = Bidder()
    books = await sold(desk, bidder, [offer(others=300_001.4, house=1)])
    assert bidder.asked == ["exchange=dusk"]
    assert [fields["price"] for _, fields in bidder.notices] == ["0.300001"] * 2
    assert {fields["min_to_win"] for _, fields in bidder.notices} == {""}
    assert books.accounts["c1"].charged == 300
    floored = await sold(desk, Bidder(), [offer(others=0.0, floor=400_000, house=1)])
    assert floored.accounts["c1"].charged == 400


async def test_a_loser_is_told_why_and_pays_nothing(desk: Any) -> None:
    bidder = Bidder()
    books = await sold(desk, bidder, [offer(others=600_000.0)])
    ((word, fields),) = bidder.notices
    assert word == "loss"
    assert (fields["loss"], fields["price"], fields["min_to_win"]) == (
        "102",
        "0.600000",
        "0.600000",
    )
    account = books.accounts["c1"]
    assert (account.bids, account.wins, account.charged) == (1, 0, 0)
    assert not books.sales
    # A tie goes to the others.
    assert not (await sold(desk, Bidder(), [offer(others=500_000.0)])).sales


async def test_a_bid_that_breaks_a_rule_never_wins(desk: Any) -> None:
    bidder = Bidder()
    books = await sold(desk, bidder, [offer(others=0.0, floor=500_001)])
    assert books.broken == {"floor": 1}
    assert [(word, fields["loss"]) for word, fields in bidder.notices] == [("loss", "100")]
    sized = await sold(desk, Bidder(size=(728, 90)), [offer()])
    assert sized.broken == {"size": 1}
    assert not sized.sales


async def test_why_there_is_no_bid(desk: Any) -> None:
    books = await sold(desk, Bidder(price=0.0), [offer(), offer()])
    assert books.reasons == {"budget": 2}
    assert books.statuses == {204: 2}
    assert not books.accounts


async def test_clicks_and_purchases_follow_the_draw_and_quote_the_bid(desk: Any) -> None:
    bidder = Bidder()
    # The chance is one half, of which the creative makes three quarters.
    books = await sold(desk, bidder, [offer(luck=0.74), offer(luck=0.76)])
    click, purchase = bidder.events
    who = {"user": "anna", "decision_id": "b1", "campaign": "c1", "channel": "rtb"}
    assert click == {**who, "event_id": "b1-click", "kind": "click"}
    assert purchase == {**who, "event_id": "b1-purchase", "kind": "purchase", "value": 20.0}
    account = books.accounts["c1"]
    assert (account.clicks, account.purchases) == (1, 1)
    assert account.clicked == {"bright": 1}
    assert account.shown == {"bright": 2}
    assert books.told["click 202"] == books.told["purchase 202"] == 1


async def test_whoever_may_not_be_known_clicks_without_a_name(desk: Any) -> None:
    bidder = Bidder()
    books = await sold(desk, bidder, [offer(luck=0.0, law="coppa"), offer(law="granted")])
    assert {event.get("user") for event in bidder.events} == {None}
    assert bidder.events[0]["session"] == "ab12-0"
    account = books.accounts["c1"]
    assert (account.strangers, account.people) == (1, {"anna"})


async def test_nobody_answers(desk: Any) -> None:
    connections = Connections("http://127.0.0.1:9")
    exchange = Exchange(connections, "ab12", {})
    await exchange.sell([offer()])
    assert exchange.books.unanswered == exchange.books.auctions == 1


async def test_a_late_answer_is_no_bid(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.exchange.auctions.TMAX", -1)
    bidder = Bidder()
    books = await sold(desk, bidder, [offer()])
    assert books.late == 1
    assert not books.accounts
    assert not bidder.notices

"""/v1/openrtb2/{win,bill,loss}: only a genuine bill is spend, once; all else changes nothing."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import pytest

from domain.events import Event
from domain.notices import Signer
from feature_store.budgets import Ledger, Word
from feature_store.store import Appended
from service.routes.notices import Notice
from tests.service.campaigning import BODY, order
from tests.service.serving import App
from training.fit.bidding.bids import after, bids_of
from training.fit.bidding.settings import BiddingSettings


class Desk:
    """A campaign of its own, and its bids."""

    def __init__(self, app: App, name: str) -> None:
        self.app, self.name, self.count = app, name, 0
        assert app.send("PUT", f"/v1/campaigns/{name}", BODY)[0] == 200
        app.runner.run(app.context.money.purses.turn())

    def bid(self, **more: Any) -> str:
        """Answer the token of a bid at 1.00 for 1,000, so 1,000 micros each."""
        self.count += 1
        made = order(f"{self.name}-{self.count}", self.app.context.campaigns.by_name[self.name])
        token = self.app.context.money.reserve(made._replace(**more))
        assert token is not None
        return token

    def tell(self, word: str, token: str, query: str = "", method: str = "GET") -> tuple[int, str]:
        answer = self.app.ask(method, f"/v1/openrtb2/{word}?token={quote(token)}{query}")
        return answer.status, answer.headers.get("x-sanderling-notice", answer.body.decode())

    @property
    def ledger(self) -> Ledger:
        day = self.app.context.money.purses.by_name[self.name].day
        return self.app.runner.run(
            self.app.store.budgets.ledgers([(self.name, day)])
        )[0]  # fmt: skip


@pytest.fixture
def desk(app: App, request: pytest.FixtureRequest) -> Desk:
    return Desk(app, "d" + str(abs(hash(request.node.name)) % 10**9))


def test_a_bill_is_spend_and_ten_replays_are_one(desk: Desk) -> None:
    token = desk.bid()
    before = desk.ledger
    assert desk.tell("bill", token, "&price=0.6&currency=USD") == (204, "taken")
    for place in range(10):
        method = "GET" if place % 2 else "POST"
        assert desk.tell("bill", token, "&price=0.6", method) == (204, "duplicate")
    assert (desk.ledger.spent, desk.ledger.bills) == (600, 1)
    assert desk.ledger.lent == before.lent - 1_000


def test_a_win_is_a_signal_and_a_loss_frees(desk: Desk) -> None:
    won, lost = desk.bid(), desk.bid()
    lent = desk.ledger.lent
    assert desk.tell("win", won, "&price=0.6") == (204, "taken")
    assert desk.tell("loss", lost, "&loss=102&min_to_win=1.5") == (204, "taken")
    assert (desk.ledger.spent, desk.ledger.wins, desk.ledger.losses) == (0, 1, 1)
    assert desk.ledger.lent == lent - 1_000


def test_notices_may_come_in_any_order(desk: Desk) -> None:
    token = desk.bid()
    assert desk.tell("bill", token, "&price=1") == (204, "taken")
    assert desk.tell("win", token, "&price=1") == (204, "taken")
    assert desk.tell("loss", token) == (204, "contradiction")
    assert desk.ledger.spent == 1_000


@pytest.mark.parametrize("price", ["", "&price=", "&price=${AUCTION_PRICE}", "&price=%24%7BX%7D"])
def test_a_bill_without_a_price_is_what_was_offered(desk: Desk, price: str) -> None:
    assert desk.tell("bill", desk.bid(), price) == (204, "taken")
    assert desk.ledger.spent == 1_000


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("&price=1.01", "above_bid"),
        ("&price=-1", "bad_price"),
        ("&price=NaN", "bad_price"),
        ("&price=0.5&currency=EUR", "other_currency"),
    ],
)
def test_what_cannot_be_owed_is_refused(desk: Desk, query: str, code: str) -> None:
    token = desk.bid()
    before = desk.ledger
    status, body = desk.tell("bill", token, query)
    assert (status, code in body) == (400, True)
    assert desk.ledger == before
    assert desk.tell("bill", token, "&price=1.00009&currency=USD") == (204, "taken")
    assert desk.ledger.spent == 1_000


def for_many(desk: Desk, quantity: int) -> str:
    """Answer the token of a bid of 1,000 micros in all, for so many millionths of impressions."""
    signer = desk.app.context.money.signer
    assert signer is not None
    return signer.sign(signer.read(desk.bid())._replace(quantity=quantity))


@pytest.mark.parametrize(
    ("multiplier", "spent"),
    [
        ("", 1_000), ("${AUCTION_MULTIPLIER}", 1_000), ("AUDIT", 1_000), ("4", 1_000), ("1", 250),
        ("2.5", 625), ("0", 0), ("4.000001", 1_000), ("900", 1_000),
    ],
)  # fmt: skip
def test_a_bill_is_for_as_many_as_were_seen(desk: Desk, multiplier: str, spent: int) -> None:
    token = for_many(desk, 4_000_000)
    before = desk.ledger
    query = f"&price=1&multiplier={quote(multiplier)}"
    assert desk.tell("bill", token, query) == (204, "taken")
    assert desk.ledger.spent == spent
    # What was not spent is free again.
    assert desk.ledger.lent == before.lent - 1_000
    assert desk.tell("bill", token, "&price=1&multiplier=4") == (204, "duplicate")
    assert desk.ledger.spent == spent


def test_more_than_was_bid_for_is_counted_and_not_paid(desk: Desk) -> None:
    counted = desk.app.context.metrics.guarded.labels("bill", "quantity")
    before = counted._value.get()
    assert desk.tell("bill", for_many(desk, 4_000_000), "&multiplier=4") == (204, "taken")
    assert counted._value.get() == before
    assert desk.tell("bill", desk.bid(), "&multiplier=2") == (204, "taken")
    assert counted._value.get() == before + 1
    assert desk.ledger.spent == 2_000


@pytest.mark.parametrize("multiplier", ["-1", "NaN", "1e3", "x"])
def test_a_multiplier_that_is_none_is_refused(desk: Desk, multiplier: str) -> None:
    token = desk.bid()
    before = desk.ledger
    status, body = desk.tell("bill", token, f"&price=1&multiplier={multiplier}")
    assert (status, "bad_multiplier" in body) == (400, True)
    assert desk.ledger == before
    # A win is a price signal: what it says of quantities is not looked at.
    assert desk.tell("win", token, f"&price=1&multiplier={multiplier}") == (204, "taken")


def test_a_rehearsal_and_a_test_change_nothing(desk: Desk) -> None:
    token, test = desk.bid(), desk.bid(test=True)
    before = desk.ledger
    for word in ("win", "bill", "loss"):
        assert desk.tell(word, token, "&price=AUDIT") == (204, "audit")
        assert desk.tell(word, test, "&price=0.5") == (204, "test")
    assert desk.ledger == before


def test_forged_cut_and_unknown_tokens_change_nothing(desk: Desk) -> None:
    token = desk.bid()
    signer = desk.app.context.money.signer
    assert signer is not None
    forged = Signer([bytes(32)]).sign(signer.read(token))
    before = desk.ledger
    for wrong in (forged, token[:-3], token + "AAAA", "", "a" * 5_000, "ä"):
        status, body = desk.tell("bill", wrong, "&price=1")
        assert (status, "bad_token" in body or "too long" in body) == (400, True)
    unknown = signer.sign(signer.read(token)._replace(bid="never", lease=99))
    assert desk.tell("bill", unknown, "&price=1") == (204, "closed")
    greedy = signer.sign(signer.read(token)._replace(reserved=10**12, cost=10**15))
    assert desk.tell("bill", greedy) == (204, "overdrawn")
    assert desk.ledger == before


def test_a_bill_that_comes_too_late_is_not_paid(desk: Desk) -> None:
    token = desk.bid()
    desk.app.clock.advance(2_000_000)
    assert desk.tell("bill", token, "&price=1") == (204, "late")
    assert desk.ledger.spent == 0
    desk.app.clock.advance(-2_000_000)


def test_a_billed_impression_joins_the_user_s_history_once(desk: Desk) -> None:
    token = desk.bid(entity="uada")
    assert desk.tell("bill", token, "&price=0.5") == (204, "taken")
    assert desk.tell("bill", token, "&price=0.5") == (204, "duplicate")
    state = desk.app.runner.run(desk.app.store.read(["uada"])).states[0]
    assert len(state.records) == 1
    plain = desk.bid()
    desk.tell("bill", plain, "&price=0.5")
    assert len(desk.app.runner.run(desk.app.store.read(["uada"])).states[0].records) == 1


def test_a_fit_reads_from_the_impression_what_was_paid(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Event] = []

    async def append(events: Sequence[Event], now_ms: int) -> list[Appended]:
        kept.extend(events)
        return [Appended.accepted] * len(events)

    monkeypatch.setattr(desk.app.store, "append", append)
    desk.tell("bill", desk.bid(entity="uada"), "&price=0.5")
    desk.tell("bill", desk.bid(entity="uada"))
    said = {"bids": [{"price": 9, "bid": "b"}]}
    (bid,) = bids_of({"decision_id": "d", "at": 0, "entity": "", "request": said})
    seen = [
        after(bid, {"at": 1, "kind": int(one.kind), "entity": one.entity, "value": 0,
                    "currency_code": "", "properties": one.properties}, BiddingSettings())
        for one in kept
    ]  # fmt: skip
    assert [(one.won, one.paid) for one in seen] == [(True, 500_000), (True, 1_000_000)]


def test_who_learns_is_told_once_and_in_full(desk: Desk) -> None:
    heard: list[Notice] = []
    listeners = desk.app.context.money.listeners
    listeners.append(heard.append)
    token = desk.bid(policy="p/1")
    desk.tell("loss", token, "&price=1.2&min_to_win=1.25&loss=102")
    desk.tell("loss", token, "&price=1.2&min_to_win=1.25&loss=102")
    desk.tell("win", desk.bid(), "&price=0.7&min_to_win=-1&loss=many")
    listeners.remove(heard.append)
    assert [one.word for one in heard] == [Word.loss, Word.win]
    told = heard[0]
    assert (told.price, told.min_to_win, told.reason) == (1_200_000, 1_250_000, 102)
    assert told.token.policy == "p/1"
    assert (heard[1].price, heard[1].min_to_win, heard[1].reason) == (700_000, None, 0)


def test_notices_are_counted_by_what_became_of_them(desk: Desk) -> None:
    token = desk.bid()
    desk.tell("bill", token, "&price=9")
    desk.tell("bill", token)
    text = desk.app.ask("GET", "/metrics").body.decode()
    for outcome in ("above_bid", "taken"):
        assert f'sanderling_notices_total{{outcome="{outcome}",word="bill"}}' in text


def test_before_the_keys_are_known_nothing_is_taken(desk: Desk) -> None:
    token, money = desk.bid(), desk.app.context.money
    signer, money.signer = money.signer, None
    status, _ = desk.tell("bill", token, "&price=1")
    money.signer = signer
    assert status == 503
    assert desk.tell("bill", token, "&price=1") == (204, "taken")

"""/v1/openrtb2/{win,bill,loss}: what exchanges tell of a bid, as often as they like.

The token says which bid; only a bill is spend, once. A notice that changes nothing (told before,
too late, a rehearsal) is still a 204, so that nobody repeats it; which it was is told in a header
and counted. Knows nothing of how money is kept.
"""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qsl

from domain.errors import BadField, CallerError, Unavailable
from domain.events import Event, Kind
from domain.notices import MAX_TOKEN, Token, read_price, read_quantity, spend_for
from feature_store.budgets import Claim, Settled, Word
from service.context import Context
from service.http import HotRoute, Reply, Request, Route

MAX_QUERY = 4_096
TOLD = b"x-sanderling-notice"
CHANNEL = "rtb"
_REHEARSED = ("audit", "test")


class Notice(NamedTuple):
    """A notice as it was taken, for those who learn from it.

    price: what was told, cpm micros of the token's currency, None when nothing was; for a loss
    the winner's, if the exchange tells. min_to_win: likewise. reason: of a loss (OpenRTB 2.6,
    list of loss reason codes), 0 when none was told. at: UTC ms. cost: micros that a bill spent.
    """

    word: Word
    token: Token
    price: int | None
    min_to_win: int | None
    reason: int
    at: int
    cost: int = 0


Listener = Callable[[Notice], None]


def _handler(method: str, word: Word) -> HotRoute:
    async def take(context: Context, request: Request) -> Reply:
        return await _take(context, request, word)

    take.__name__ = f"{method.lower()}_{word.value}"
    return take


async def _take(context: Context, request: Request, word: Word) -> Reply:
    try:
        told = await _settle(context, _fields(request.query), word)
    except CallerError as error:
        context.metrics.notices.labels(word.value, error.code).inc()
        raise
    context.metrics.notices.labels(word.value, told).inc()
    return Reply(204, b"", ((TOLD, told.encode()),))


async def _settle(context: Context, fields: dict[str, str], word: Word) -> str:
    """Answer what became of a notice. Raises BadField, StoreUnavailable."""
    signer = context.money.signer
    if signer is None:
        raise Unavailable("the keys of notices are not known yet")
    token = signer.read(fields.get("token", ""))
    said = read_price(fields.get("price", ""))
    # Where the exchange writes AUDIT the bid is rehearsed: nobody sees it, nobody pays.
    if said.audit or token.test:
        return _REHEARSED[token.test]
    currency = fields.get("currency", "")
    if currency and not currency.startswith("${") and currency not in ("AUDIT", token.currency):
        raise BadField("not the currency of the bid", field="currency", code="other_currency")
    cost = _cost(context, token, said.micros, fields) if word == Word.bill else 0
    claim = Claim(
        *(word, token.campaign, token.bid, token.lease, token.day),
        *(token.reserved, cost, token.until_ms),
    )
    (settled,) = await context.store.budgets.settle([claim])
    now = context.clock()
    if word == Word.bill and token.entity and settled in (Settled.taken, Settled.duplicate):
        # Told again it is put again, in case the first time ended halfway: the same event twice
        # is one.
        await context.store.append([_shown(token, said.micros, now)], now)
    if settled == Settled.taken:
        floor = read_price(_unreplaced(fields.get("min_to_win", "")), "min_to_win")
        reason = fields.get("loss", "")
        notice = Notice(
            word, token, said.micros, floor.micros,
            int(reason) if reason.isascii() and reason.isdigit() and len(reason) < 6 else 0, now,
            cost,
        )  # fmt: skip
        for listener in context.money.listeners:
            listener(notice)
    return settled.value


def _cost(context: Context, token: Token, price: int | None, fields: dict[str, str]) -> int:
    """Answer what a bill spends: no more impressions than were reserved for, whoever counts more.

    What was reserved is all that is left to spend; that more were counted is counted itself.
    """
    told = fields.get("multiplier", "")
    quantity = None if told == "AUDIT" else read_quantity(told)
    if quantity is not None and quantity > token.quantity:
        context.metrics.guarded.labels("bill", "quantity").inc()
    return spend_for(token, price, quantity)


def _unreplaced(text: str) -> str:
    return "" if text in ("AUDIT", "-1") else text


def _shown(token: Token, price: int | None, now_ms: int) -> Event:
    """Make the impression that the user's history remembers: caps on frequency count these, and a
    fit learns from them what was paid (training.fit.bidding.bids).

    price: cpm micros, None where none was told: then what was offered.
    """
    paid = token.price if price is None else min(price, token.price)
    return Event(
        token.bid,
        token.entity,
        Kind.impression,
        now_ms,
        channel=CHANNEL,
        campaign=token.campaign,
        decision_id=token.bid,
        properties=f'{{"auction":"won","price":{paid}}}',
    )


def _fields(query: bytes) -> dict[str, str]:
    """Read the query; what we do not know is left alone, exchanges add their own."""
    if len(query) > MAX_QUERY + MAX_TOKEN:
        raise BadField("too long", field="query")
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=32)
    except ValueError as error:
        raise BadField("the query string cannot be decoded", field="query") from error
    return dict(reversed(pairs))


_QUERY: dict[str, tuple[object, str]] = {
    "token": (str, "of the bid; only ours are taken"),
    "price": (str, "for 1,000 impressions, in the bid's currency; empty: what was offered"),
    "currency": (str, "of the price; must be the bid's"),
    "min_to_win": (str, "the price that would have won; may be empty"),
    "loss": (str, "reason of a loss, OpenRTB's number"),
    "multiplier": (str, "of a bill: how many impressions it is for, at most those bid for"),
}
_ABOUT = (
    "Answers 204 with the header x-sanderling-notice: taken; duplicate, late, closed, "
    "contradiction, no_room, overdrawn, audit or test change nothing. A forged token (code "
    "bad_token), a price above the bid (above_bid), one that is none (bad_price), a multiplier "
    "that is none (bad_multiplier) or another currency (other_currency) answer 400 and change "
    "nothing."
)

ROUTES = tuple(
    Route(
        method, f"/v1/openrtb2/{word.value}", _handler(method, word), summary, "bids",
        query=_QUERY, replies={204: None}, errors=(503,), description=f"{more} {_ABOUT}",
    )
    for word, summary, more in (
        (Word.win, "A bid has won", "A price signal; no spend."),
        (Word.bill, "A bid is to be paid", "Spend, once, however often it is told."),
        (Word.loss, "A bid has lost", "What it had reserved is free again."),
    )
    for method in ("GET", "POST")
)  # fmt: skip
"""The notices' lines of the table."""

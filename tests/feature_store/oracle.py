"""The views again, in plain Python over plain events: slow and obviously right.

Shares no code with the views but the words of the domain.
"""

import itertools
import math
import statistics
from collections.abc import Iterable
from typing import Any

from domain.events import Event, Kind
from domain.ids import hash64

DAY = 86_400_000
WINDOWS = (1, 7, 28, 90, 180)


def accepted(events: Iterable[Event]) -> list[Event]:
    """Answer the events in (at, hash) order, the first arrival of each id alone."""
    first: dict[str, Event] = {}
    for event in events:
        first.setdefault(event.event_id, event)
    return sorted(first.values(), key=lambda event: (event.at, hash64(event.event_id)))


def visible(events: Iterable[Event], as_of: int) -> list[Event]:
    """Answer the accepted events before as_of."""
    return [event for event in accepted(events) if event.at < as_of]


def _acts(events: list[Event]) -> list[Event]:
    return [event for event in events if event.kind not in (Kind.impression, Kind.seen)]


def _house(event: Event) -> int:
    return event.value or 0 if event.currency == "" else 0


def net(window: list[Event]) -> tuple[list[tuple[Event, int]], int, int]:
    """Answer ((purchase that counts, micros left) …, purchases undone, micros without price)."""
    left = {place: event.value or 0 for place, event in enumerate(window) if _bought(event)}
    gone: set[int] = set()
    unpriced = 0
    for place, refund in enumerate(window):
        if refund.kind != Kind.refund:
            continue
        if refund.refunds:
            found = [p for p in left if window[p].event_id == refund.refunds and p not in gone]
        else:
            found = [
                p for p in left if p < place and window[p].item == refund.item and p not in gone
            ]
        if not found:
            continue
        target = max(found)
        purchase = window[target]
        comparable = (
            refund.value is not None
            and purchase.value is not None
            and refund.currency == purchase.currency
        )
        if comparable and abs(refund.value or 0) < left[target]:
            left[target] -= abs(refund.value or 0)
            continue
        if purchase.currency == "" and not comparable:
            unpriced += left[target]
        gone.add(target)
    kept = [
        (window[place], micros if window[place].currency == "" else 0)
        for place, micros in left.items()
        if place not in gone
    ]
    return kept, len(gone), unpriced


def _bought(event: Event) -> bool:
    return event.kind == Kind.purchase


def _trend(now: int, before: int) -> float:
    return (now - before) / (abs(now) + abs(before)) if now or before else 0.0


def sequence(events: list[Event], as_of: int, cap: int) -> dict[str, Any]:
    """The last fifty acts on items."""
    acts = [event for event in _acts(visible(events, as_of)[-cap:]) if event.item][-50:]
    pad = [0] * (50 - len(acts))
    return {
        "length": len(acts),
        "items": [hash64(event.item) for event in acts] + pad,
        "kinds": [int(event.kind) for event in acts] + pad,
        "ats": [event.at for event in acts] + pad,
    }


def rfm(events: list[Event], as_of: int, cap: int) -> dict[str, Any]:
    """Recency, frequency, value."""
    before = visible(events, as_of)
    kept, undone, unpriced = net(before[-cap:])
    paid = sum(_house(event) for event in before if _bought(event))
    returned = sum(_house(event) for event in before if event.kind == Kind.refund)
    row: dict[str, Any] = {
        "recency": (as_of - max(e.at for e, _ in kept)) / DAY if kept else -1.0,
        "tenure": (as_of - before[0].at) / DAY if before else -1.0,
        "lifetime_events": len(before),
        "lifetime_purchases": sum(map(_bought, before)) - undone,
        "lifetime_refunds": sum(event.kind == Kind.refund for event in before),
        "lifetime_value": (paid - abs(returned) - unpriced) / 1_000_000,
    }
    for name in ("orders", "purchases", "value", "orders_trend", "value_trend"):
        row[name] = []
    for days in WINDOWS:
        now = [(e, m) for e, m in kept if as_of - days * DAY <= e.at]
        past = [(e, m) for e, m in kept if as_of - 2 * days * DAY <= e.at < as_of - days * DAY]
        orders, past_orders = (len({e.at for e, _ in part}) for part in (now, past))
        value, past_value = (sum(m for _, m in part) for part in (now, past))
        row["orders"].append(orders)
        row["purchases"].append(len(now))
        row["value"].append(value / 1_000_000)
        row["orders_trend"].append(_trend(orders, past_orders))
        row["value_trend"].append(_trend(value, past_value))
    return row


def _gaps(times: list[int]) -> tuple[float, float, float]:
    gaps = [(b - a) / DAY for a, b in itertools.pairwise(times)]
    if not gaps:
        return -1.0, -1.0, -1.0
    mean = sum(gaps) / len(gaps)
    return mean, math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps)), gaps[-1]


def rhythm(events: list[Event], as_of: int, cap: int) -> dict[str, Any]:
    """Gaps and profiles."""
    window = visible(events, as_of)[-cap:]
    acts = _acts(window)
    days = sorted({event.at // DAY for event in acts})
    orders = sorted({event.at for event, _ in net(window)[0]})
    mean, deviation, last = _gaps([day * DAY for day in days])
    order_mean, order_deviation, order_last = _gaps(orders)
    return {
        "active_days": len(days),
        "gap_mean": mean,
        "gap_deviation": deviation,
        "gap_last": last,
        "overdue": (as_of - acts[-1].at) / DAY / mean if len(days) > 1 else -1.0,
        "orders": len(orders),
        "order_gap_mean": order_mean,
        "order_gap_deviation": order_deviation,
        "order_gap_last": order_last,
        "order_overdue": (as_of - orders[-1]) / DAY / order_mean if len(orders) > 1 else -1.0,
        "hours": [
            sum(e.at // 3_600_000 % 24 == hour for e in acts) / max(1, len(acts))
            for hour in range(24)
        ],
        "weekdays": [
            sum((e.at // DAY + 3) % 7 == day for e in acts) / max(1, len(acts)) for day in range(7)
        ],
    }


def session(events: list[Event], as_of: int, cap: int) -> dict[str, Any]:
    """The current session."""
    current: list[Event] = []
    following = as_of
    for event in reversed(visible(events, as_of)[-cap:]):
        if following - event.at > 30 * 60_000:
            break
        current.insert(0, event)
        following = event.at
    cart: dict[str, int] = {}
    on_items = [event for event in _acts(current) if event.item]
    for event in on_items:
        amount = _house(event)
        if event.kind == Kind.add_to_cart:
            cart[event.item] = cart.get(event.item, 0) + amount
        elif event.kind == Kind.purchase:
            cart.pop(event.item, None)
        elif event.kind == Kind.remove_from_cart and event.item in cart:
            cart[event.item] -= amount
            if amount <= 0 or cart[event.item] <= 0:
                del cart[event.item]
    return {
        "open": int(bool(current)),
        "events": len(current),
        "counts": [sum(event.kind == kind for event in current) for kind in Kind],
        "since_start": (as_of - current[0].at) / 1000 if current else -1.0,
        "since_last": (as_of - current[-1].at) / 1000 if current else -1.0,
        "spent": sum(map(_house, filter(_bought, current))) / 1_000_000,
        "items": len({event.item for event in on_items}),
        "last_item": hash64(on_items[-1].item) if on_items else 0,
        "cart_items": len(cart),
        "cart_value": sum(cart.values()) / 1_000_000,
    }


def breadth(events: list[Event], as_of: int, cap: int) -> dict[str, Any]:
    """Breadth, steadiness, service."""
    window = visible(events, as_of)[-cap:]
    kept, _, _ = net(window)
    orders = sorted({event.at for event, _ in kept})
    gaps = sorted(b - a for a, b in itertools.pairwise(orders))
    total = sum(micros for _, micros in kept) / 1_000_000
    units = sum(event.quantity for event, _ in kept)
    named = [event.item for event, _ in kept if event.item]

    def days_since(kind: Kind) -> float:
        found = [event.at for event in window if event.kind == kind]
        return (as_of - found[-1]) / DAY if found else -1.0

    def count(kind: Kind) -> int:
        return sum(event.kind == kind for event in window)

    adds = [place for place, e in enumerate(window) if e.kind == Kind.add_to_cart and e.item]
    followed = [
        place
        for place in adds
        if any(_bought(e) and e.item == window[place].item for e in window[place + 1 :])
    ]
    rated = [e.value for e in window if e.kind == Kind.rating and e.value is not None]
    refunds, purchases = count(Kind.refund), count(Kind.purchase)
    return {
        "days": [
            len({at // DAY for at in orders if as_of - at <= days * DAY})
            for days in (14, 28, 56, 112, 365)
        ],
        "faded": [
            sum(2 ** (-(as_of - at) / (life * DAY)) for at in orders) for life in (7, 28, 90)
        ],
        "gap_median": statistics.median(gaps) / DAY if gaps else -1.0,
        "gap_max": gaps[-1] / DAY if gaps else -1.0,
        "silence": sum(gap < as_of - orders[-1] for gap in gaps) / len(gaps) if gaps else -1.0,
        "items": len(set(named)),
        "repeat_share": 1 - len(set(named)) / len(named) if named else 0.0,
        "quantity": units / len(kept) if kept else 0.0,
        "price": total / units if units else 0.0,
        "basket": len(kept) / len(orders) if orders else 0.0,
        "order_value": total / len(orders) if orders else 0.0,
        "order_value_last": sum(m for e, m in kept if e.at == orders[-1]) / 1_000_000
        if orders
        else 0.0,
        "discount_share": sum(bool(e.campaign) for e, _ in kept) / len(kept) if kept else 0.0,
        "channels": len({event.channel for event in _acts(window) if event.channel}),
        "carts": len(adds),
        "cart_abandonment": 1 - len(followed) / len(adds) if adds else -1.0,
        "refund_share": refunds / (refunds + purchases) if refunds else 0.0,
        "refund_recency": days_since(Kind.refund),
        "support": count(Kind.support),
        "support_recency": days_since(Kind.support),
        "ratings": len(rated),
        "rating_mean": sum(rated) / 1_000_000 / len(rated) if rated else -1.0,
        "rating_last": rated[-1] / 1_000_000 if rated else -1.0,
        "renewals": count(Kind.renew),
        "renewal_recency": days_since(Kind.renew),
        "cancels": count(Kind.cancel),
        "cancel_recency": days_since(Kind.cancel),
    }


def goods(events: list[Event], as_of: int, cap: int) -> dict[str, Any]:
    """Answer the `goods` row."""
    kept = [held for held, _ in net(visible(events, as_of)[-cap:])[0] if held.item]
    lately = kept[::-1][:32]
    hashes = [hash64(event.item) for event in lately]
    return {
        "length": len(lately),
        "last": sum(event.at == lately[0].at for event in lately),
        "items": hashes + [0] * (32 - len(hashes)),
    }


ORACLES = {
    "sequence": sequence,
    "rfm": rfm,
    "rhythm": rhythm,
    "session": session,
    "breadth": breadth,
    "goods": goods,
}

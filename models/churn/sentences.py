"""The sentences that reasons are made of: templates by group, and how numbers are written.

A template names features in braces with the manner of writing; the first is the value the
sentence is about, the second what it is held against. Knows nothing of contributions.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

_PLACE = re.compile(r"\{(\w+):(\w+)\}")
_ABOUT = 0.05
"""Changes smaller than this are called none."""
_SAME = 0.005
"""Shares that lie closer than this are called the same."""


class Line(NamedTuple):
    """A template, cut at its features: texts, then the feature and manner that follow each."""

    texts: tuple[str, ...]
    features: tuple[str, ...]
    manners: tuple[str, ...]

    def say(self, numbers: Sequence[float]) -> str:
        """Answer the sentence with a number for each of its features, in their order."""
        parts = [self.texts[0]]
        for text, manner, value in zip(self.texts[1:], self.manners, numbers, strict=True):
            parts += (MANNERS[manner](value), text)
        return "".join(parts)


def line(template: str) -> Line:
    """Answer a template cut into its parts."""
    parts = _PLACE.split(template)
    return Line(tuple(parts[::3]), tuple(parts[1::3]), tuple(parts[2::3]))


def number(value: float) -> str:
    """Write a number as people would: whole from 10 up, else one or, below 1, two decimals."""
    if abs(value) >= 9.95:
        return f"{value:.0f}"
    text = f"{value:.2f}" if abs(value) < 0.995 else f"{value:.1f}"
    text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _counted(one: str, many: str) -> Callable[[float], str]:
    def write(value: float) -> str:
        text = number(value)
        return f"{text} {one if text == '1' else many}"

    return write


def _percent(value: float) -> str:
    return f"{number(100 * value)} %"


def _money(value: float) -> str:
    return f"{value:,.2f}"


def _than(fewer: str, same: str, more: str) -> Callable[[float], str]:
    def write(change: float) -> str:
        return same if abs(change) < _ABOUT else more if change > 0 else fewer

    return write


def _oftener(points: float) -> str:
    """Write a share less the usual one."""
    if abs(points) < _SAME:
        return "as often as usual"
    return f"{number(100 * abs(points))} points {'more' if points > 0 else 'less'} often than usual"


MANNERS: dict[str, Callable[[float], str]] = {
    "number": number,
    "days": _counted("day", "days"),
    "orders": _counted("order", "orders"),
    "items": _counted("item", "items"),
    "channels": _counted("channel", "channels"),
    "contacts": _counted("contact", "contacts"),
    "times": _counted("time", "times"),
    "percent": _percent,
    "money": _money,
    "than": _than("fewer than", "about as many as", "more than"),
    "level": _than("below", "about", "above"),
    "oftener": _oftener,
    "much": _than("less than usual", "as much as usual", "more than usual"),
}
"""How a number is written, by the word behind the colon."""

UNITS: dict[str, str] = {
    "days": "days",
    "orders": "orders",
    "items": "items",
    "channels": "channels",
    "share": "percent",
    "money": "money",
}
"""Unit of a feature → manner; any other unit is written as a number."""

_MODELS = ("bgnbd", "mbgnbd", "pareto")

TEMPLATES: dict[str, tuple[Line, ...]] = {
    group: tuple(map(line, templates))
    for group, templates in {
        "recency": (
            "no order for {recency:days}; their usual gap is {order_gap_mean:number}",
            "no order for {recency:days}",
            "no order for {order_overdue:times} their usual gap",
            "waiting longer than {silence:percent} of the gaps they left before",
            "nothing heard for {silent_days:days}",
            "no order for {recency_over_longest:times} their longest gap of {gap_max:days}",
        ),
        "rhythm": (
            "orders come every {order_gap_mean:days}, give or take {order_gap_deviation:number}",
            "the last gap between orders was {order_gap_last:days}; the mean is "
            "{order_gap_mean:number}",
            "half their gaps are shorter than {gap_median:days}",
            "their longest gap was {gap_max:days}; the mean is {order_gap_mean:number}",
        ),
        "frequency": (
            "{orders_90d:orders} in the last 90 days; {orders:number} as far as their history goes",
            "{orders_28d:orders} in the last 28 days; {orders_90d:number} in the last 90",
            "{orders_180d:orders} in the last 180 days",
            "{orders:orders} as far as their history goes",
            "a customer for {tenure:days}",
        ),
        "value": (
            "spent {value_90d:money} in the last 90 days, {lifetime_value:money} in all",
            "spent {value_28d:money} in the last 28 days, {value_90d:money} in the last 90",
            "spent {lifetime_value:money} in all",
            "the last order was worth {order_value_last:money}; the mean is {order_value:money}",
            "orders are worth {order_value:money} on average",
        ),
        "trend": (
            "orders of the last 28 days were {orders_trend_28d:than} those of the 28 days before",
            "orders of the last 90 days were {orders_trend_90d:than} those of the 90 days before",
            "spending of the last 28 days was {value_trend_28d:level} that of the 28 days before",
            "spending of the last 90 days was {value_trend_90d:level} that of the 90 days before",
        ),
        "breadth": (
            "buys {items:items}",
            "{repeat_share:percent} of purchases are of something bought before",
            "uses {channels:channels}",
        ),
        "discount": ("{discount_share:percent} of purchases came with an offer",),
        "service": (
            "{support:contacts} with support, the last {support_recency:days} ago",
            "{support:contacts} with support",
            "{refund_share:percent} of purchases were returned",
            "the last return was {refund_recency:days} ago",
            "{cart_abandonment:percent} of what went into the cart was not bought",
            "the last rating was {rating_last:number}; the mean is {rating_mean:number}",
            "cancelled {cancels:times}, the last {cancel_recency:days} ago",
            "renewed {renewals:times}, the last {renewal_recency:days} ago",
        ),
        "prospect": (
            *(f"customers who bought like this place {{{one}_expected:orders}}" for one in _MODELS),
            *(f"{{{one}_inactive:percent}} of those like them stay away" for one in _MODELS),
        ),
        "assortment": (
            "those who buy what they ordered last come back {last_return:oftener}",
            "those who buy what they buy come back {items_return:oftener}",
            "what they ordered last is bought twice {last_again:oftener}",
            "what they buy is bought twice {items_again:oftener}",
            "what they ordered last sells {last_sales:much}",
            "what they buy sells {items_sales:much}",
            "what they ordered last costs {last_price:much}",
            "what they buy costs {items_price:much}",
            "of what they ordered last others take {last_bulk:much} at once",
            "of what they buy others take {items_bulk:much} at once",
        ),
    }.items()
}
"""Group → templates. Of those whose numbers are all known, the one whose value speaks loudest
is said; a group without any is told by its loudest feature's name."""

UNKNOWN: dict[str, str] = {
    "recency": "no order is known",
    "rhythm": "too few orders for a rhythm",
    "frequency": "no order is known",
    "value": "no spending is known",
    "trend": "too little history for a trend",
    "breadth": "nothing bought is known",
    "discount": "no purchase with or without an offer is known",
    "service": "no dealings with service are known",
    "prospect": "too few orders to foretell from",
    "assortment": "nothing is known of what they bought",
}
"""What is said of a group none of whose numbers is known."""

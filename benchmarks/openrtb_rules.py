"""Which rules of its request a bid response breaks, from the two documents alone.

Written from the specification (OpenRTB 2.6, sections 3.2, 4.2 and notes 7.3, 7.6, 7.11) as a
second opinion: it shares no line with the service. What a response does not show (a creative's
mime type, whether its assets are secure) is looked up in the creatives that were offered.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from benchmarks.openrtb_media import CHECKS, Subject, number, sets

Json = Mapping[str, Any]
REQUIRED = ("id", "impid", "price", "adomain", "cid", "crid", "mtype", "cat", "attr", "adm",
            "nurl", "burl", "lurl", "exp")  # fmt: skip
NAMES = {1: "banner", 2: "video", 3: "audio", 4: "native"}
"""Markup type -> the object of the impression that offers it (4.2.3, mtype)."""


def broken_rules(
    request: Json, response: Json, creatives: Mapping[str, Json], rates: Mapping[str, int]
) -> list[str]:
    """Answer every rule that a response breaks, in words; [] when it breaks none.

    creatives: what was offered, by creative id, with the names of the campaigns' JSON.
    rates: ISO code -> amount of that currency for the same sum.
    """
    broken = [f"response: {what}" for what in _shape(request, response)]
    if broken:
        return broken
    imps = {imp["id"]: imp for imp in request["imp"]}
    bids: list[tuple[str, Json]] = [
        (seat.get("seat", ""), bid) for seat in response["seatbid"] for bid in seat["bid"]
    ]
    for seat, bid in bids:
        imp = imps.get(bid["impid"])
        if imp is None:
            broken.append(f"bid for an unknown impression {bid['impid']!r}")
            continue
        creative = creatives.get(bid["crid"], {})
        deal = _deal_of(imp, bid)
        subject = Subject(request, imp, bid, creative, deal)
        broken += [f"{bid['impid']}: {what}" for what in _of_request(subject, seat)]
        broken += [f"{bid['impid']}: {what}" for what in _of_price(subject, response["cur"], rates)]
        broken += [f"{bid['impid']}: {what}" for check in CHECKS for what in check(subject)]
    broken += list(_of_many(imps, [bid for _, bid in bids]))
    return broken


def _shape(request: Json, response: Json) -> Iterator[str]:
    """What the response itself lacks (4.2.1 to 4.2.3)."""
    if response.get("id") != request["id"]:
        yield "another id than the request's"
    allowed = request.get("cur") or ["USD"]
    if response.get("cur", "USD") not in allowed:
        yield "a currency that is not accepted"
    if not response.get("seatbid"):
        yield "no seatbid"
        return
    seen: list[str] = []
    for seat in response["seatbid"]:
        if not seat.get("bid"):
            yield "a seatbid without a bid"
        for bid in seat.get("bid", ()):
            for name in REQUIRED:
                if name not in bid:
                    yield f"a bid without {name}"
            seen.append(bid.get("id", ""))
            if not bid.get("adm") or not bid.get("adomain"):
                yield "empty markup or no advertiser"
    if len(seen) != len(set(seen)):
        yield "two bids of one id"


def _deal_of(imp: Json, bid: Json) -> Json | None:
    deals = (imp.get("pmp") or {}).get("deals") or []
    return next((deal for deal in deals if deal["id"] == bid.get("dealid")), None)


def _of_request(subject: Subject, seat: str) -> Iterator[str]:
    request, imp, bid, deal = subject.request, subject.imp, subject.bid, subject.deal
    if bid.get("dealid") and deal is None:
        yield "a deal that is not offered"
    if (imp.get("pmp") or {}).get("private_auction") == 1 and deal is None:
        yield "an open bid in a private auction"
    if request.get("wseat") and seat not in request["wseat"]:
        yield "a seat that is not allowed"
    if seat and seat in (request.get("bseat") or ()):
        yield "a seat that is blocked"
    if deal is not None and deal.get("wseat") and seat not in deal["wseat"]:
        yield "a seat that the deal does not allow"
    domains = [domain.lower() for domain in bid["adomain"]]
    if any(_under(domain, blocked.lower()) for domain in domains
           for blocked in request.get("badv") or ()):  # fmt: skip
        yield "a blocked advertiser"
    if deal is not None and deal.get("wadomain"):
        allowed = [name.lower() for name in deal["wadomain"]]
        if not all(any(_under(domain, name) for name in allowed) for domain in domains):
            yield "an advertiser that the deal does not allow"
    if bid.get("bundle") and bid["bundle"] in (request.get("bapp") or ()):
        yield "a blocked app"
    yield from _of_categories(request, bid)
    yield from _of_language(request, bid)


def _under(domain: str, name: str) -> bool:
    return domain == name or domain.endswith("." + name)


def _of_categories(request: Json, bid: Json) -> Iterator[str]:
    blocked, allowed = request.get("bcat") or (), request.get("acat") or ()
    if not blocked and not allowed:
        return
    taxonomy = number(request, "cattax", 1)
    if bid.get("cattax", 1) != taxonomy or not bid["cat"]:
        yield "categories that cannot be compared"
        return
    for category in bid["cat"]:
        lies_in = {category} | ({category.split("-")[0]} if taxonomy == 1 else set())
        if lies_in & set(blocked):
            yield f"the blocked category {category}"
        if allowed and not lies_in & set(allowed):
            yield f"the category {category} is not allowed"


def _of_language(request: Json, bid: Json) -> Iterator[str]:
    told = (bid.get("language") or bid.get("langb") or "").lower()
    if request.get("wlang") and told.split("-")[0] not in {one.lower() for one in request["wlang"]}:
        yield "a language that is not allowed"
    if request.get("wlangb") and not any(
        told == tag.lower() or told.startswith(tag.lower() + "-") for tag in request["wlangb"]
    ):
        yield "a language tag that is not allowed"


def _of_price(subject: Subject, currency: str, rates: Mapping[str, int]) -> Iterator[str]:
    """Floors in the order of note 7.11, compared as exact fractions."""
    imp, bid, deal = subject.imp, subject.bid, subject.deal
    price = _exact(bid["price"])
    if price <= 0:
        yield "a price of nothing"
        return

    def here(amount: Fraction, code: str) -> Fraction:
        return amount * rates[currency] / rates[code]

    own = imp.get("bidfloorcur") or "USD"
    code = (deal.get("bidfloorcur") or "USD") if deal is not None else own
    if own not in rates or code not in rates:
        yield "a floor in an unknown currency"
        return
    if deal is not None and deal.get("at") == 3:
        agreed = here(_exact(deal.get("bidfloor") or 0), code)
        if not agreed <= price <= agreed + Fraction(1, 500_000):
            yield f"{float(price)} is not the agreed price {float(agreed)}"
        return
    general = here(_exact(imp.get("bidfloor") or 0), own)
    floor = general
    media = imp.get(NAMES.get(bid["mtype"], "")) or {}
    if deal is not None and sets(deal, "bidfloor", "mincpmpersec", "durfloors"):
        floor = here(_timed(deal, subject.duration), code) if _covers(deal, subject.duration) else (
            max(here(_exact(deal.get("bidfloor") or 0), code),
                general if deal.get("bidfloor") is None else Fraction(0))
        )  # fmt: skip
    elif bid["mtype"] in (2, 3) and _covers(media, subject.duration):
        floor = here(_timed(media, subject.duration), own)
    if price < floor:
        yield f"{float(price)} is below the floor {float(floor)}"


def _exact(amount: float | int) -> Fraction:
    return max(Fraction(repr(amount)), Fraction(0))


def _spans(part: Json, duration: Fraction) -> list[Json]:
    return [
        span
        for span in part.get("durfloors") or ()
        if (span.get("mindur") is None or span["mindur"] <= duration)
        and (span.get("maxdur") is None or duration <= span["maxdur"])
    ]


def _covers(part: Json, duration: Fraction) -> bool:
    return part.get("mincpmpersec") is not None or bool(_spans(part, duration))


def _timed(part: Json, duration: Fraction) -> Fraction:
    """The lowest floor by duration that the parties could mean; the service takes the highest."""
    found = [_exact(span.get("bidfloor") or 0) for span in _spans(part, duration)]
    if part.get("mincpmpersec") is not None:
        found.append(_exact(part["mincpmpersec"]) * duration)
    return min(found)


def _of_many(imps: Mapping[str, Json], bids: Sequence[Json]) -> Iterator[str]:
    """Pods (note 7.6): no advertisement twice in a break, nor more than its dynamic part takes."""
    breaks: dict[str, list[Json]] = {}
    for bid in bids:
        timed = imps.get(bid["impid"], {}).get(NAMES.get(bid["mtype"], "")) or {}
        if bid["mtype"] in (2, 3) and timed.get("podid"):
            breaks.setdefault(timed["podid"], []).append(bid)
        if timed.get("poddur") or (timed.get("maxseq") or 0) > 1:
            own = [
                one for one in bids if (one["impid"], one["mtype"]) == (bid["impid"], bid["mtype"])
            ]
            if timed.get("maxseq") and len(own) > timed["maxseq"] * 2:
                yield f"{bid['impid']}: more bids than the pod takes"
            opens = [one for one in own if not one.get("dealid")]
            if timed.get("poddur") and sum(one.get("dur", 0) for one in opens) > timed["poddur"]:
                yield f"{bid['impid']}: longer than the pod"
    for podid, held in breaks.items():
        shown = Counter((bid["crid"], bid["impid"]) for bid in held)
        often = Counter(crid for crid, _ in shown)
        if any(count > 1 for count in often.values()):
            yield f"pod {podid}: one advertisement in two slots"


def parse(text: bytes) -> Json:
    """Answer a JSON document as plain values."""
    document: Json = json.loads(text)
    return document

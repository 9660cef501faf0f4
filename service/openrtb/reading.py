"""From the wire to an Auction: defaults, old places, micros, and what is personal only if it may.

Knows the specification's defaults; nothing of campaigns, creatives or prices.
Source: IAB Tech Lab, OpenRTB 2.6, section 3.2 and implementation notes 7.3, 7.6 and 7.11.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from domain.currencies import REFERENCE, Rates
from domain.ids import is_valid_id
from domain.opportunities import (
    Auction,
    AuctionType,
    Blocks,
    Deal,
    Keys,
    Opportunity,
    Place,
    Privacy,
)
from service.openrtb.addresses import truncated
from service.openrtb.agents import is_robot
from service.openrtb.amounts import millionths
from service.openrtb.reading_imp import floors_of_imp, read_deal, read_spots
from service.openrtb.wire import BidRequest, Chain
from service.openrtb.wire_imp import Imp
from service.openrtb.wire_place import App, Device, Dooh, Site, User

MAX_IMPRESSIONS = 100
LONGEST_MS = 60_000
"""No exchange waits longer, whatever it writes."""
SPECIAL = 500
"""Auction types from here on are the exchange's own."""

LONGEST_NAME = 253
"""Bytes of a domain's name at most (RFC 1035, section 2.3.4); what is longer is no name, of a site
or of anything else that is remembered."""

_TYPES = {1: AuctionType.first, 2: AuctionType.second}
_NO_KEYS = Keys()


@dataclass(slots=True, frozen=True)
class Reading:
    """What reading depends on.

    rates: the currencies we know. special: what an exchange's own auction type (500 and
    more) means; one that is not named is taken as first price, where nobody pays more than
    their bid.
    """

    rates: Rates = REFERENCE
    special: Mapping[int, AuctionType] = field(default_factory=dict[int, AuctionType])


def read_auction(
    request: BidRequest,
    privacy: Privacy,
    reading: Reading,
    exchange: str = "",
    deals: Container[str] | None = None,
) -> Auction:
    """Answer the auction that a request opens.

    exchange: who sent it, if the address said so; else the last node of its supply chain.
    deals: those that anybody may buy; others are not read. None: all are.
    """
    imps = request.imp
    at = auction_type(request.at, reading)
    broken = _broken(request)
    complete, chain = _chain_of(request)
    return Auction(
        request.id,
        at,
        _currency(request, reading.rates),
        ()
        if broken
        else tuple([_opportunity(imp, request.device, at, reading, deals) for imp in imps]),
        _place(request, personal=privacy.personal),
        _blocks(request),
        privacy,
        _keys(request.user, request.device) if privacy.personal else _NO_KEYS,
        None if request.tmax is None else max(-LONGEST_MS, min(request.tmax, LONGEST_MS)),
        request.test == 1,
        exchange or (chain[-1] if chain and is_valid_id(chain[-1]) else ""),
        complete,
        chain,
        request.device is not None and is_robot(request.device.ua or ""),
        broken,
    )


def auction_type(at: int | None, reading: Reading) -> int:
    """Answer how the price is found; 2 is the default, and what nobody explained is first price."""
    if at is None:
        return AuctionType.second
    if at >= SPECIAL:
        return reading.special.get(at, AuctionType.first)
    return _TYPES.get(at, AuctionType.first)


def _broken(request: BidRequest) -> str:
    """Answer why nothing may be bid on a request that could be read, "" when it may."""
    imps = request.imp
    if len(imps) > MAX_IMPRESSIONS:
        return "too_many_impressions"
    if len(imps) > 1 and len({imp.id for imp in imps}) < len(imps):
        return "duplicate_impression"
    places = (request.site is not None) + (request.app is not None) + (request.dooh is not None)
    return "site_and_app" if places > 1 else ""


def _currency(request: BidRequest, rates: Rates) -> str:
    """Answer what to bid in: of those accepted, the first floor's own, else the first known."""
    accepted = request.cur
    if not accepted:
        return "USD"
    floor = request.imp[0].bidfloorcur or "USD"
    if floor in accepted and rates.knows(floor):
        return floor
    return next((code for code in accepted if rates.knows(code)), "")


def _opportunity(
    imp: Imp, device: Device | None, at: int, reading: Reading, known: Container[str] | None
) -> Opportunity:
    pmp = imp.pmp
    rewarded = imp.rwdd
    if rewarded is None and imp.ext is not None:
        rewarded = imp.ext.is_rewarded_inventory
    deals: tuple[Deal, ...] = ()
    if pmp is not None and pmp.deals:
        deals = tuple(
            [
                read_deal(deal, at, reading.special)
                for deal in pmp.deals
                if known is None or deal.id in known
            ]
        )
    return Opportunity(
        imp.id,
        read_spots(imp, device),
        floors_of_imp(imp),
        deals,
        pmp is not None and pmp.private_auction == 1,
        imp.secure == 1,
        imp.instl == 1,
        bool(rewarded),
        max(imp.exp, 0) if imp.exp else 0,
        1_000_000 if imp.qty is None else millionths(imp.qty.multiplier),
        imp.tagid or "",
    )


def _blocks(request: BidRequest) -> Blocks:
    return Blocks(
        frozenset([one.lower() for one in request.badv]) if request.badv else frozenset(),
        request.bapp or (),
        request.bcat or (),
        request.acat or (),
        1 if request.cattax is None else request.cattax,
        request.wlang or (),
        request.wlangb or (),
        request.bseat or (),
        request.wseat or (),
    )


def _chain_of(request: BidRequest) -> tuple[bool | None, tuple[str, ...]]:
    source = request.source
    chain: Chain | None = None
    if source is not None:
        chain = source.schain or (source.ext.schain if source.ext is not None else None)
    if chain is None:
        return None, ()
    return chain.complete == 1, tuple([node.asi.lower() for node in chain.nodes])


def _place(request: BidRequest, *, personal: bool) -> Place:
    where: Site | App | Dooh | None = request.site or request.app or request.dooh
    kind = identity = domain = bundle = page = publisher = ""
    categories: tuple[str, ...] = ()
    taxonomy = 1
    if where is not None:
        identity, domain = where.id or "", _name(where.domain)
        if where.publisher is not None:
            publisher = where.publisher.id or ""
        if isinstance(where, Dooh):
            kind = "dooh"
        else:
            categories = where.pagecat or where.sectioncat or where.cat or ()
            taxonomy = 1 if where.cattax is None else where.cattax
            if isinstance(where, App):
                kind, bundle = "app", _short(where.bundle)
            else:
                kind, page = "site", where.page or ""
                domain = domain or _name(_host(page))
    device = request.device
    if device is None:
        return Place(kind, identity, domain, bundle, page, publisher, categories, taxonomy)
    geo = device.geo
    return Place(
        kind,
        identity,
        domain,
        bundle,
        page,
        publisher,
        categories,
        taxonomy,
        "" if geo is None else _short(geo.country),
        "" if geo is None else _short(geo.region),
        # A city and less may point to a person where there are few.
        "" if geo is None or not personal else _short(geo.city),
        None if geo is None else geo.utcoffset,
        device.devicetype or 0,
        _name(device.os),
        device.language or device.langb or "",
        truncated(device.ip, device.ipv6),
    )


def _name(text: str | None) -> str:
    """Answer a name in lower case, "" for none and for what is too long to be one."""
    return text.lower() if text and len(text) <= LONGEST_NAME else ""


def _short(text: str | None) -> str:
    return text if text and len(text) <= LONGEST_NAME else ""


def _host(page: str) -> str:
    """Answer the host of a page's address in lower case, "" when there is none."""
    _, found, rest = page.partition("://")
    host = (rest if found else page).partition("/")[0].partition("?")[0]
    return host.rpartition("@")[2].partition(":")[0].lower()


def _keys(user: User | None, device: Device | None) -> Keys:
    advertising = (device.ifa or "") if device is not None else ""
    if user is None:
        return Keys("", "", advertising) if advertising else _NO_KEYS
    eids = user.eids or (user.ext.eids if user.ext is not None else None)
    others: list[tuple[str, str]] = []
    for eid in eids or ():
        if eid.source:
            others.extend((eid.source, uid.id) for uid in eid.uids or () if uid.id)
    return Keys(user.buyeruid or "", user.id or "", advertising, tuple(others))

"""Opportunities: what an auction offers, what we bid or why not, and what came of it.

The words of OpenRTB without its wire: money is integer micros for 1,000 impressions ("cpm
micros") of a named currency, times are milliseconds. Everything here is read-only and made
for every request, hence named tuples. Knows nothing of JSON, prices or campaigns' budgets.
Source: IAB Tech Lab, OpenRTB 2.6, sections 3.2 and 4.2; OpenRTB 3.0, no-bid reason codes.
"""

from enum import IntEnum, StrEnum
from typing import NamedTuple

from domain.campaigns import Creative, Media


class NoBidReason(IntEnum):
    """Why there is no bid, as exchanges know it (OpenRTB 3.0, list of no-bid reason codes)."""

    unknown = 0
    technical = 1
    invalid_request = 2
    crawler = 3
    suspected_robot = 4
    proxy = 5
    unsupported_device = 6
    blocked_site = 7
    unmatched_user = 8
    user_cap = 9
    domain_cap = 10
    ads_txt_unavailable = 11
    ads_txt_violation = 12
    ads_cert_unavailable = 13
    ads_cert_violation = 14
    too_late = 15
    incomplete_chain = 16
    blocked_chain = 17


class AuctionType(IntEnum):
    """How the price is found. `fixed` is a deal's alone: its floor is the agreed price."""

    first = 1
    second = 2
    fixed = 3


class Privacy(NamedTuple):
    """Whether personal data may be used for this auction, and what forbids it ("" if it may)."""

    personal: bool
    why: str = ""


class Size(NamedTuple):
    """A size in density independent pixels, or a ratio with the least width it is shown at."""

    w: int = 0
    h: int = 0
    wratio: int = 0
    hratio: int = 0
    wmin: int = 0


class DurationFloor(NamedTuple):
    """A floor for advertisements of `low` to `high` milliseconds, both in; None is unbounded."""

    low: int | None
    high: int | None
    floor: int


class Floors(NamedTuple):
    """Floors in one currency, each None (or empty) when it was not given.

    per_second: cpm micros for every second an advertisement lasts.
    """

    currency: str = "USD"
    flat: int | None = None
    per_second: int | None = None
    by_duration: tuple[DurationFloor, ...] = ()


class Deal(NamedTuple):
    """A private agreement under which the impression may be bought.

    at: the auction's type when it was not given. seats, domains: who alone may bid, () all.
    guaranteed: whoever has it must bid.
    """

    id: str
    floors: Floors
    at: int
    seats: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    guaranteed: bool = False


class Asset(NamedTuple):
    """One asset of a native advertisement: asked for, or what a creative has.

    kind: title, img, data or video. sort: image or data asset type. w, h: of a request the
    least that is accepted, of a creative the image's own. length: the longest text accepted.
    value: of a creative the text or the address.
    """

    id: int
    kind: str
    required: bool = False
    sort: int = 0
    length: int = 0
    w: int = 0
    h: int = 0
    exact: bool = False
    mimes: tuple[str, ...] = ()
    value: str = ""


class Spot(NamedTuple):
    """One way in which an impression may be filled: as banner, video, audio or native.

    An empty tuple, None or 0 is "not given" unless said otherwise. sizes: any of them; for
    video the player's one. bounded: the size is the most, not the only one. low, high, exact:
    durations allowed, milliseconds. skippable: whether the player lets skip, None unknown;
    skip_above: only ads longer than this. boxing: whether another ratio than the player's is
    allowed. pod: its id, "" for none; pod_length: milliseconds of the dynamic part, 0 for a
    structured slot; pod_count: at most so many ads, 0 unknown; pod_apart: what ads of a pod may
    not share (AdCOM, pod deduplication). assets: of native.
    """

    media: Media
    mimes: tuple[str, ...] = ()
    sizes: tuple[Size, ...] = ()
    bounded: bool = False
    blocked_kinds: tuple[int, ...] = ()
    blocked_attributes: tuple[int, ...] = ()
    apis: tuple[int, ...] = ()
    expands: bool = False
    protocols: tuple[int, ...] = ()
    low: int = 0
    high: int | None = None
    exact: tuple[int, ...] = ()
    linearity: int = 0
    skippable: bool | None = None
    skip_above: int = 0
    min_bitrate: int = 0
    max_bitrate: int = 0
    boxing: bool = True
    pod: str = ""
    pod_length: int = 0
    pod_count: int = 0
    pod_apart: tuple[int, ...] = ()
    floors: Floors | None = None
    assets: tuple[Asset, ...] = ()
    native_version: str = ""


class Opportunity(NamedTuple):
    """One impression that is for sale.

    private: only under one of its deals. expiry: seconds that may pass until it is shown, 0
    unknown. multiplier: billable impressions of one showing, in millionths (out of home).
    """

    id: str
    spots: tuple[Spot, ...]
    floors: Floors
    deals: tuple[Deal, ...] = ()
    private: bool = False
    secure: bool = False
    interstitial: bool = False
    rewarded: bool = False
    expiry: int = 0
    multiplier: int = 1_000_000
    tag: str = ""


class Keys(NamedTuple):
    """Names by which the user may be known; empty without leave to use personal data.

    buyer: our own name for the user, as matched by the exchange. exchange: theirs. device:
    the advertising id. others: (source, id) of extended identifiers.
    """

    buyer: str = ""
    exchange: str = ""
    device: str = ""
    others: tuple[tuple[str, str], ...] = ()


class Place(NamedTuple):
    """Where the advertisement would appear, and on what.

    kind: site, app or dooh, "" unknown. offset: minutes from UTC, None unknown. address: the
    caller's network, truncated to /24 or /48. device: OpenRTB's device type, 0 unknown.
    """

    kind: str = ""
    id: str = ""
    domain: str = ""
    bundle: str = ""
    page: str = ""
    publisher: str = ""
    categories: tuple[str, ...] = ()
    taxonomy: int = 1
    country: str = ""
    region: str = ""
    city: str = ""
    offset: int | None = None
    device: int = 0
    system: str = ""
    language: str = ""
    address: str = ""


class Blocks(NamedTuple):
    """What creatives and buyers an auction refuses, or alone accepts; () is no restriction."""

    domains: frozenset[str] = frozenset()
    apps: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    only_categories: tuple[str, ...] = ()
    taxonomy: int = 1
    languages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    seats: tuple[str, ...] = ()
    only_seats: tuple[str, ...] = ()


class Auction(NamedTuple):
    """One bid request, read and judged.

    currency: what we bid in, "" when none that is accepted is known. limit_ms: how long the
    exchange waits, None unknown. chain: who handed the request on, first to last, and whether
    that is all of them. robot: the agent says it is no human. broken: why nothing may be bid
    although it could be read.
    """

    id: str
    at: int
    currency: str
    opportunities: tuple[Opportunity, ...]
    place: Place
    blocks: Blocks
    privacy: Privacy
    keys: Keys = Keys()
    limit_ms: int | None = None
    test: bool = False
    exchange: str = ""
    chain_complete: bool | None = None
    chain: tuple[str, ...] = ()
    robot: bool = False
    broken: str = ""


class Bid(NamedTuple):
    """What we offer for one impression.

    price: cpm micros of the auction's currency. w, h, ratio: as the creative would be shown.
    expires_in: seconds until the money is wanted back. deal: "" for the open market.
    """

    id: str
    opportunity: str
    campaign: str
    line: str
    creative: Creative
    seat: str
    price: int
    deal: str = ""
    w: int = 0
    h: int = 0
    ratio: tuple[int, int] = (0, 0)
    expires_in: int = 0
    token: str = ""
    markup: str = ""


class NoBid(NamedTuple):
    """Why there is no bid: the exchange's code, and our own word for what decided it."""

    reason: NoBidReason
    cause: str


class Event(StrEnum):
    """What may come of a bid."""

    win = "win"
    bill = "bill"
    loss = "loss"


class Outcome(NamedTuple):
    """What came of a bid. price, to_win: cpm micros as told, None when nothing was."""

    bid: str
    event: Event
    at: int
    price: int | None = None
    to_win: int | None = None
    reason: int | None = None

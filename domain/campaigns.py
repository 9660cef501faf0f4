"""Campaigns: who pays, for what, how much, when and how often; line items and creatives.

Money is integer micros of the campaign's currency; prices are for 1,000 impressions
("cpm micros"). Checks that need no store are in domain.campaign_checks. Knows nothing of JSON.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from domain.clock import DAY_MS, MINUTE_MS
from domain.targeting import Targeting

NO_END = 1 << 53
BREAKER_SHARE = 10
"""A tenth of a day's money gone within a minute is more than any plan asks for,"""
BREAKER_TIMES = 20
"""unless the flight is so short that this many times its even rate is more still,"""
BREAKER_IMPRESSIONS = 20
"""or the money so little that so many impressions at the highest price are more."""
_DAY_MINUTES = DAY_MS // MINUTE_MS


class Aim(StrEnum):
    """What a campaign wants for its money."""

    cpm = "cpm"
    """Impressions at the target price for 1,000."""
    cpc = "cpc"
    """Clicks at the target cost each."""
    cpa = "cpa"
    """Conversions at the target cost each."""
    roas = "roas"
    """Conversion value at the target ratio to spend."""
    clicks = "clicks"
    """As many clicks as the budget buys."""
    conversions = "conversions"
    """As many conversions as the budget buys."""


TARGETED = frozenset({Aim.cpm, Aim.cpc, Aim.cpa, Aim.roas})
"""Aims that need a target."""


@dataclass(slots=True, frozen=True)
class Objective:
    """An aim and its target: micros of money (of a ratio for roas), 0 for aims without one."""

    aim: Aim = Aim.clicks
    target: int = 0


class Pacing(StrEnum):
    """How a day's budget is spread over the day."""

    even = "even"
    demand = "demand"
    """As opportunities come."""
    front = "front"
    """Earlier rather than later."""
    asap = "asap"
    """As fast as it can be spent: nothing is held back, and no breaker stands by default."""


@dataclass(slots=True, frozen=True)
class Budget:
    """The most that may be spent, in micros; None is no bound of that kind, and one is needed.

    daily: within a day of the campaign's zone. per_minute: spending faster than this over a
    minute stops the campaign (a breaker against what nobody foresaw); None: `Campaign.breaker`
    makes one of the budget.
    """

    daily: int | None = None
    total: int | None = None
    per_minute: int | None = None


@dataclass(slots=True, frozen=True)
class FrequencyCap:
    """At most `impressions` of the campaign for one user within `window_ms`."""

    impressions: int
    window_ms: int = DAY_MS


@dataclass(slots=True, frozen=True)
class Flight:
    """When a campaign runs: UTC milliseconds, the start in, the end out."""

    starts_at: int = 0
    ends_at: int = NO_END

    def holds(self, now_ms: int) -> bool:
        """Tell whether `now_ms` lies in the flight."""
        return self.starts_at <= now_ms < self.ends_at


class Media(StrEnum):
    """What a creative is."""

    banner = "banner"
    video = "video"
    audio = "audio"
    native = "native"


@dataclass(slots=True, frozen=True)
class Creative:
    """One advertisement, with what a request's rules are held against.

    Numbers that stand for something are OpenRTB's (AdCOM lists). width, height: density
    independent pixels, 0 for none. duration_ms: of video and audio. kind: banner ad type
    (btype). protocol: of video or audio markup. attributes: creative attributes (battr).
    categories are of taxonomy `taxonomy` (cattax). secure: every asset is https. bundle: the
    app that is advertised. markup: what is sent, with macros; for native the assets' JSON.
    """

    creative: str
    media: Media = Media.banner
    width: int = 0
    height: int = 0
    mime: str = ""
    duration_ms: int = 0
    kind: int = 0
    protocol: int = 0
    apis: tuple[int, ...] = ()
    attributes: tuple[int, ...] = ()
    domains: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    taxonomy: int = 1
    language: str = ""
    bundle: str = ""
    secure: bool = True
    linear: bool = True
    skippable: bool = False
    expands: bool = False
    bitrate: int = 0
    image: str = ""
    click: str = ""
    markup: str = ""
    active: bool = True


@dataclass(slots=True, frozen=True)
class LineItem:
    """One wish within a campaign: where, with what, at what price.

    bid: the standard bid, used while little is known. max_bid: never above it, 0 for the
    campaign's cap alone. creatives: ids of the campaign's, () for all. deals: ids of private
    deals it may buy; open_market: whether it buys outside deals.
    """

    line: str
    bid: int
    max_bid: int = 0
    targeting: Targeting = field(default_factory=Targeting)
    creatives: tuple[str, ...] = ()
    deals: tuple[str, ...] = ()
    open_market: bool = True
    active: bool = True
    title: str = ""


@dataclass(slots=True, frozen=True)
class Campaign:
    """A campaign as it stands; `version` grows with every change of it, also beyond a deletion.

    seat: the buyer's seat on exchanges, "" for none. zone: IANA name; days and hours are its.
    max_bid: cap of every price, in cpm micros. created_at, updated_at: UTC ms.
    """

    campaign: str
    currency: str = "USD"
    budget: Budget = field(default_factory=Budget)
    objective: Objective = field(default_factory=Objective)
    pacing: Pacing = Pacing.even
    flight: Flight = field(default_factory=Flight)
    zone: str = "UTC"
    max_bid: int = 0
    frequency: tuple[FrequencyCap, ...] = ()
    lines: tuple[LineItem, ...] = ()
    creatives: tuple[Creative, ...] = ()
    seat: str = ""
    title: str = ""
    active: bool = True
    version: int = 0
    created_at: int = 0
    updated_at: int = 0

    def cap_of(self, line: LineItem) -> int:
        """Answer the highest price a line may offer, in cpm micros."""
        return min(line.max_bid or self.max_bid, self.max_bid)

    def creatives_of(self, line: LineItem) -> tuple[Creative, ...]:
        """Answer the creatives a line may show, in the campaign's order."""
        wanted = line.creatives
        return tuple(
            one for one in self.creatives if one.active and (not wanted or one.creative in wanted)
        )

    def lives(self, now_ms: int) -> bool:
        """Tell whether the campaign may buy at `now_ms`, budgets and switches aside."""
        return self.active and self.flight.holds(now_ms)

    @property
    def breaker(self) -> int | None:
        """Answer how much a minute may cost, in micros, before the campaign is stopped; None: any.

        What the budget says; else made of a day's money (the daily budget, or the total's share
        of a day of the flight). Money that is to go as fast as it can has no breaker of its own.
        """
        budget, flight = self.budget, self.flight
        if budget.per_minute is not None or self.pacing is Pacing.asap:
            return budget.per_minute
        began = max(flight.starts_at, self.created_at)
        known = began > 0 and flight.ends_at < NO_END
        minutes = max(1, (flight.ends_at - began) // MINUTE_MS) if known else _DAY_MINUTES
        days: list[int] = [] if budget.daily is None else [budget.daily]
        if budget.total is not None:
            days.append(budget.total * _DAY_MINUTES // max(minutes, _DAY_MINUTES))
        if not days:
            return None
        money = min(days)
        return max(
            money // BREAKER_SHARE,
            BREAKER_TIMES * money // min(minutes, _DAY_MINUTES),
            BREAKER_IMPRESSIONS * self.max_bid // 1_000,
            1,
        )

"""The JSON of a campaign: whole, as a change, and as answered; and its way into domain.campaigns.

Amounts come in units and are kept in micros. Knows nothing of where campaigns are kept.
"""

from typing import Annotated, Any, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import asdict

from domain.campaign_checks import check_campaign
from domain.campaigns import (
    NO_END,
    Aim,
    Budget,
    Campaign,
    Creative,
    Flight,
    FrequencyCap,
    LineItem,
    Media,
    Objective,
    Pacing,
)
from domain.clock import DAY_MS, Clock
from domain.errors import BadField, NotFound
from domain.money import from_micros, to_micros
from domain.targeting import Targeting
from service.shapes import At, Price, Text, check_at, check_text

Many = Annotated[list[str], Meta(max_length=2_000)]
Small = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Numbers = Annotated[list[Small], Meta(max_length=100)]
_MARKUP = 'macros are filled in; of native {"assets": [{"title": …}, …], "link": {"url": …}}'
_PRICE = Meta(description="in units of the campaign's currency, for 1,000 impressions")


class ObjectiveRow(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What the money is for; cpm, cpc and cpa have a target in units, roas one as a ratio."""

    aim: Aim = Aim.clicks
    target: Price | None = None


class BudgetRow(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """In units; daily, total or both. per_minute: faster spending stops the campaign for 5 min;
    unless it is given, that is a tenth of a day's money, more in a flight of hours."""

    daily: Price | None = None
    total: Price | None = None
    per_minute: Price | None = None


class BudgetPatch(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What to change of a budget; a null removes a bound, what is left out stays."""

    daily: Price | UnsetType | None = UNSET
    total: Price | UnsetType | None = UNSET
    per_minute: Price | UnsetType | None = UNSET


class FlightRow(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """From when, and until when (not in)."""

    starts_at: At | None = None
    ends_at: At | None = None


class CapRow(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """1 to 500 impressions for one user within a minute to 30 days; they count once billed, and
    who may not be known is not capped."""

    impressions: Small
    window_ms: Annotated[int, Meta(ge=0, le=10**12)] = DAY_MS


class TargetingRow(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is asked for; a dimension left empty asks for nothing, what is excluded wins."""

    geos: Many = []
    not_geos: Many = []
    devices: Many = []
    systems: Many = []
    hours: Annotated[list[Small], Meta(max_length=168)] = []
    segments: Many = []
    not_segments: Many = []
    intent_bands: Many = []
    churn_bands: Many = []
    sites: Many = []
    not_sites: Many = []
    exchanges: Many = []


class LineRow(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One wish: where, with what, at what price."""

    line: str
    bid: Annotated[Price, _PRICE]
    max_bid: Annotated[Price | None, _PRICE] = None
    targeting: TargetingRow = msgspec.field(default_factory=TargetingRow)
    creatives: Many = []
    deals: Many = []
    open_market: bool = True
    active: bool = True
    title: Text = ""


class CreativeRow(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One advertisement; numbers that stand for something are OpenRTB's."""

    creative: str
    media: Media = Media.banner
    width: Small = 0
    height: Small = 0
    mime: str = ""
    duration_ms: Small = 0
    kind: Small = 0
    protocol: Small = 0
    apis: Numbers = []
    attributes: Numbers = []
    domains: Many = []
    categories: Many = []
    taxonomy: Small = 1
    language: str = ""
    bundle: str = ""
    secure: bool = True
    linear: bool = True
    skippable: bool = False
    expands: bool = False
    bitrate: Small = 0
    image: str = ""
    click: str = ""
    markup: Annotated[str, Meta(description=_MARKUP)] = ""
    active: bool = True


class CampaignFields(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A whole campaign but for its id: what is left out takes its default."""

    max_bid: Annotated[Price, _PRICE]
    budget: BudgetRow
    currency: str = "USD"
    objective: ObjectiveRow = msgspec.field(default_factory=ObjectiveRow)
    pacing: Pacing = Pacing.even
    flight: FlightRow = msgspec.field(default_factory=FlightRow)
    zone: str = "UTC"
    frequency: Annotated[list[CapRow], Meta(max_length=4)] = []
    lines: Annotated[list[LineRow], Meta(max_length=500)] = []
    creatives: Annotated[list[CreativeRow], Meta(max_length=500)] = []
    seat: Annotated[str, Meta(max_length=64)] = ""
    title: Text = ""
    active: bool = True


class CampaignIn(CampaignFields, kw_only=True):
    """A whole campaign. `campaign`, if given, repeats the path."""

    campaign: str | None = None


class CampaignPatch(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays. A budget merges by its bounds, everything else
    that is given is replaced whole."""

    campaign: str | None = None
    max_bid: Annotated[Price | UnsetType, _PRICE] = UNSET
    budget: BudgetPatch | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    objective: ObjectiveRow | UnsetType = UNSET
    pacing: Pacing | UnsetType = UNSET
    flight: FlightRow | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    frequency: Annotated[list[CapRow], Meta(max_length=4)] | UnsetType = UNSET
    lines: Annotated[list[LineRow], Meta(max_length=500)] | UnsetType = UNSET
    creatives: Annotated[list[CreativeRow], Meta(max_length=500)] | UnsetType = UNSET
    seat: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET
    title: Text | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class BudgetOut(msgspec.Struct, frozen=True):
    """In units; null is no bound of that kind."""

    daily: float | None
    total: float | None
    per_minute: float | None


class ObjectiveOut(msgspec.Struct, frozen=True):
    """An aim; null where it has no target."""

    aim: Aim
    target: float | None


class FlightOut(msgspec.Struct, frozen=True):
    """Epoch milliseconds; null is open."""

    starts_at: int | None
    ends_at: int | None


class LineOut(msgspec.Struct, frozen=True):
    """A line as it stands; prices in units."""

    line: str
    bid: float
    max_bid: float | None
    targeting: Targeting
    creatives: tuple[str, ...]
    deals: tuple[str, ...]
    open_market: bool
    active: bool
    title: str


class CampaignReply(msgspec.Struct, frozen=True):
    """A campaign as it stands; times are epoch milliseconds, money in units of its currency."""

    campaign: str
    currency: str
    budget: BudgetOut
    objective: ObjectiveOut
    pacing: Pacing
    flight: FlightOut
    zone: str
    max_bid: float
    frequency: tuple[FrequencyCap, ...]
    lines: list[LineOut]
    creatives: tuple[Creative, ...]
    seat: str
    title: str
    active: bool
    version: int
    created_at: int
    updated_at: int


class CampaignPageReply(msgspec.Struct, frozen=True):
    """A page of campaigns in id order; `cursor` asks for the next one, "" at the end."""

    campaigns: list[CampaignReply]
    cursor: str


def campaign_reply(one: Campaign) -> CampaignReply:
    """Put a campaign as callers see it."""
    budget, flight = one.budget, one.flight
    return CampaignReply(
        *(one.campaign, one.currency),
        BudgetOut(_units(budget.daily), _units(budget.total), _units(budget.per_minute)),
        ObjectiveOut(one.objective.aim, _units(one.objective.target or None)),
        one.pacing,
        FlightOut(flight.starts_at or None, None if flight.ends_at == NO_END else flight.ends_at),
        *(one.zone, from_micros(one.max_bid), one.frequency),
        [
            LineOut(
                *(line.line, from_micros(line.bid), _units(line.max_bid or None), line.targeting),
                *(line.creatives, line.deals, line.open_market, line.active, line.title),
            )
            for line in one.lines
        ],
        *(one.creatives, one.seat, one.title, one.active),
        *(one.version, one.created_at, one.updated_at),
    )


def _units(micros: int | None) -> float | None:
    return None if micros is None else from_micros(micros)


def campaign_of(
    campaign_id: str, sent: CampaignFields, known: Campaign | None, clock: Clock
) -> Campaign:
    """Check a whole campaign as sent; raises BadField. `known` is what it replaces, if anything."""
    now = clock()
    made = Campaign(
        campaign=campaign_id,
        created_at=now if known is None else known.created_at,
        updated_at=now,
        **_values(asdict(sent), clock),
    )
    check_campaign(made)
    return made


def campaign_patched(
    campaign_id: str, sent: CampaignPatch, known: Campaign | None, clock: Clock
) -> Campaign:
    """Answer `known` with the changes as sent; raises BadField, NotFound."""
    if known is None:
        raise NotFound("no such campaign", field="campaign")
    given = {name: value for name, value in asdict(sent).items() if value is not UNSET}
    values: dict[str, Any] = {name: getattr(known, name) for name in Campaign.__dataclass_fields__}
    if sent.budget is not UNSET:
        given["budget"] = _merged(known.budget, sent.budget)
    values |= _values(given, clock)
    values["updated_at"] = clock()
    made = Campaign(**values)
    check_campaign(made)
    return made


def _values(given: dict[str, Any], clock: Clock) -> dict[str, Any]:
    """Turn what was sent into a campaign's own values, by name; raises BadField."""
    values = {name: value for name, value in given.items() if name != "campaign"}
    for name, turn in _TURNS.items():
        if name in values:
            values[name] = turn(values[name], name, clock)
    return values


def _money(amount: Any, field: str, clock: Clock | None = None) -> int:
    try:
        return to_micros(amount)
    except ValueError as error:
        raise BadField("a finite amount of at most 1e9 units", field=field) from error


def _perhaps(amount: Any, field: str) -> int | None:
    return None if amount is None else _money(amount, field)


def _merged(known: Budget, sent: BudgetPatch) -> Budget:
    return Budget(
        *(
            held if change is UNSET else _perhaps(change, f"budget.{name}")
            for name, held, change in (
                ("daily", known.daily, sent.daily),
                ("total", known.total, sent.total),
                ("per_minute", known.per_minute, sent.per_minute),
            )
        )
    )


def _budget(row: BudgetRow | Budget, field: str, clock: Clock) -> Budget:
    if isinstance(row, Budget):
        return row
    return Budget(
        _perhaps(row.daily, f"{field}.daily"),
        _perhaps(row.total, f"{field}.total"),
        _perhaps(row.per_minute, f"{field}.per_minute"),
    )


def _objective(row: ObjectiveRow, field: str, clock: Clock) -> Objective:
    return Objective(row.aim, _perhaps(row.target, f"{field}.target") or 0)


def _flight(row: FlightRow, field: str, clock: Clock) -> Flight:
    starts = check_at(row.starts_at, f"{field}.starts_at", clock)
    ends = check_at(row.ends_at, f"{field}.ends_at", clock)
    return Flight(starts or 0, NO_END if ends is None else ends)


def _frequency(rows: list[CapRow], field: str, clock: Clock) -> tuple[FrequencyCap, ...]:
    return tuple(FrequencyCap(row.impressions, row.window_ms) for row in rows)


def _lines(rows: list[LineRow], field: str, clock: Clock) -> tuple[LineItem, ...]:
    return tuple(
        LineItem(
            row.line,
            _money(row.bid, f"{field}.{place}.bid"),
            _perhaps(row.max_bid, f"{field}.{place}.max_bid") or 0,
            Targeting(**_tuples(row.targeting)),
            *(tuple(row.creatives), tuple(row.deals), row.open_market, row.active),
            check_text(row.title, f"{field}.{place}.title"),
        )
        for place, row in enumerate(rows)
    )


def _creatives(rows: list[CreativeRow], field: str, clock: Clock) -> tuple[Creative, ...]:
    return tuple(Creative(**_tuples(row)) for row in rows)


def _title(text: str, field: str, clock: Clock) -> str:
    return check_text(text, field)


def _tuples(row: msgspec.Struct) -> dict[str, Any]:
    return {
        name: tuple(cast("list[object]", value)) if isinstance(value, list) else value
        for name, value in asdict(row).items()
    }


_TURNS: dict[str, Any] = {
    "max_bid": _money,
    "budget": _budget,
    "objective": _objective,
    "flight": _flight,
    "frequency": _frequency,
    "lines": _lines,
    "creatives": _creatives,
    "title": _title,
}

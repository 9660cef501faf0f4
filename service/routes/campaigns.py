"""/v1/campaigns: who advertises, one campaign at a time; where it stands; and the kill switches.

A change is atomic and counts on every worker within a second (see service.live_campaigns). What
is wrong is refused with its field and the reason, and nothing is written.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from domain.calendars import day_number
from domain.campaign_checks import check_name
from domain.campaigns import Campaign
from domain.clock import Clock
from domain.errors import BadField, NotFound
from domain.money import from_micros
from feature_store.budgets import Ask, Day, Limits
from feature_store.purses import limits_of
from feature_store.switches import Switches, load_switches, put_switches
from service.codec import OneDecoder
from service.context import Context
from service.cursors import make_cursor, read_cursor
from service.http import Reply, Request, Route, json_reply, query_of
from service.routes.campaign_rows import (
    CampaignIn,
    CampaignPageReply,
    CampaignPatch,
    CampaignReply,
    campaign_of,
    campaign_patched,
    campaign_reply,
)
from service.shapes import check_id

MAX_BODY = 1 << 22
PAGE = 100
MAX_PAGE = 500
_LISTING = "campaigns"
_PAGE_QUERY = frozenset({"limit", "cursor"})
_Sent = TypeVar("_Sent", CampaignIn, CampaignPatch)

_decode = OneDecoder(CampaignIn)
_decode_patch = OneDecoder(CampaignPatch)
Names = Annotated[list[Annotated[str, Meta(min_length=1, max_length=256)]], Meta(max_length=10_000)]


class SwitchesRow(msgspec.Struct, forbid_unknown_fields=True):
    """What is switched off: everything, campaigns by id, exchanges by name (whatever its case).

    learning: whatever was learned, so that standard bids are bid. exploration: trying arms that
    are not the best known. recommend_learning, recommend_exploration: the same of
    recommendations.
    """

    everything: bool = False
    campaigns: Names = []
    exchanges: Names = []
    learning: bool = False
    exploration: bool = False
    recommend_learning: bool = False
    recommend_exploration: bool = False


class SpendReply(msgspec.Struct, frozen=True):
    """Where a campaign stands, over all workers; money in units of its currency.

    lent: set aside for bids that may still be billed, or held by workers for bids to come.
    tripped_until: epoch milliseconds, null while the breaker has not tripped.
    """

    campaign: str
    currency: str
    spent: float
    lent: float
    spent_today: float
    lent_today: float
    wins: int
    bills: int
    losses: int
    clicks: int
    conversions: int
    value: float
    tripped_until: int | None


_decode_switches = OneDecoder(SwitchesRow)


def _id_of(request: Request, repeated: str | None = None) -> str:
    name = request.param
    check_name(name, "campaign")
    if repeated and repeated != name:
        raise BadField("differs from the path", field="campaign")
    return name


async def _edit(
    context: Context,
    name: str,
    sent: _Sent,
    make: Callable[[str, _Sent, Campaign | None, Clock], Campaign],
) -> Reply:
    def edit(known: Campaign | None) -> Campaign:
        made = make(name, sent, known, context.clock)
        if known is not None and known.currency != made.currency:
            raise BadField(
                "a campaign keeps its currency: what was spent was spent in it", field="currency"
            )
        return made

    made = await context.store.campaigns.edit(name, edit)
    # The account learns of new limits now, whoever lends first: a lowered budget holds at once.
    await context.store.budgets.lease([_tell(made, limits_of(made))])
    await context.campaigns.look()
    return json_reply(campaign_reply(made))


def _tell(campaign: Campaign, limits: Limits) -> Ask:
    return Ask(campaign.campaign, limits, (Day(0, 0),), 0, 1, 0, 0)


async def put_campaign(context: Context, request: Request) -> Reply:
    """Create or replace a campaign."""
    sent = _decode(request.body)
    return await _edit(context, _id_of(request, sent.campaign), sent, campaign_of)


async def patch_campaign(context: Context, request: Request) -> Reply:
    """Change part of a campaign."""
    sent = _decode_patch(request.body)
    return await _edit(context, _id_of(request, sent.campaign), sent, campaign_patched)


async def _found(context: Context, name: str) -> Campaign:
    (campaign,) = await context.store.campaigns.get([name])
    if campaign is None:
        raise NotFound("no such campaign", field="campaign")
    return campaign


async def get_campaign(context: Context, request: Request) -> Reply:
    """Answer a campaign."""
    return json_reply(campaign_reply(await _found(context, _id_of(request))))


async def delete_campaign(context: Context, request: Request) -> Reply:
    """Delete a campaign; answer it as it was. What it owes is still paid."""
    name = _id_of(request)
    campaign = await _found(context, name)
    if not await context.store.campaigns.delete(name):
        raise NotFound("no such campaign", field="campaign")
    await context.campaigns.look()
    return json_reply(campaign_reply(replace(campaign, active=False)))


async def list_campaigns(context: Context, request: Request) -> Reply:
    """Answer a page of campaigns."""
    query = query_of(request, _PAGE_QUERY)
    text = query.get("limit", "") or str(PAGE)
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MAX_PAGE):
        raise BadField(f"a whole number from 1 to {MAX_PAGE}", field="limit")
    now = context.clock()
    place = read_cursor(_LISTING, query["cursor"], now) if query.get("cursor") else ""
    page = await context.store.campaigns.page(place, int(text))
    cursor = make_cursor(_LISTING, page.cursor, now) if page.cursor else ""
    return json_reply(CampaignPageReply([campaign_reply(one) for one in page.campaigns], cursor))


async def campaign_spend(context: Context, request: Request) -> Reply:
    """Answer where a campaign stands."""
    campaign = await _found(context, _id_of(request))
    today = day_number(campaign.zone, context.clock())
    (ledger,) = await context.store.budgets.ledgers([(campaign.campaign, today)])
    money = [from_micros(amount) for amount in ledger[:4]]
    return json_reply(
        SpendReply(
            *(campaign.campaign, campaign.currency),
            *(money[0], money[1], money[2], money[3]),
            *(ledger.wins, ledger.bills, ledger.losses, ledger.clicks, ledger.conversions),
            *(from_micros(ledger.value), ledger.tripped_until or None),
        )
    )


async def get_switches(context: Context, request: Request) -> Reply:
    """Answer what is switched off."""
    return _switches(await load_switches(context.store))


async def put_switches_off(context: Context, request: Request) -> Reply:
    """Replace what is switched off."""
    sent = _decode_switches(request.body)
    # Addresses name exchanges in any case, and auctions know them in the lower one; "" is the name
    # of those that say none.
    exchanges = [name.strip().lower() for name in sent.exchanges]
    made = Switches(
        sent.everything, frozenset(sent.campaigns),
        frozenset([check_id(name, f"exchanges[{at}]") for at, name in enumerate(exchanges)]),
        sent.learning, sent.exploration, sent.recommend_learning, sent.recommend_exploration,
    )  # fmt: skip
    await put_switches(context.store, made)
    await context.campaigns.look()
    return _switches(made)


def _switches(made: Switches) -> Reply:
    return json_reply(
        SwitchesRow(
            made.everything, sorted(made.campaigns), sorted(made.exchanges),
            made.learning, made.exploration, made.recommend_learning, made.recommend_exploration,
        )
    )  # fmt: skip


_ABOUT = (
    "Amounts are units of the campaign's currency (numbers, or texts so that no decimal is "
    "lost), prices for 1,000 impressions. Counts on every worker within a second. What is wrong "
    "answers 400 with the field, such as `lines.2.targeting.hours`, and nothing is written."
)

ROUTES = (
    Route(
        "PUT", "/v1/campaigns/{campaign}", put_campaign, "Create or replace a campaign",
        "campaigns", body=CampaignIn, replies={200: CampaignReply}, body_cap=MAX_BODY,
        errors=(503,), description=_ABOUT,
    ),
    Route(
        "PATCH", "/v1/campaigns/{campaign}", patch_campaign, "Change part of a campaign",
        "campaigns", body=CampaignPatch, replies={200: CampaignReply}, body_cap=MAX_BODY,
        errors=(404, 503), description=_ABOUT,
    ),
    Route(
        "GET", "/v1/campaigns/{campaign}", get_campaign, "A campaign as it stands", "campaigns",
        replies={200: CampaignReply}, errors=(404, 503),
    ),
    Route(
        "DELETE", "/v1/campaigns/{campaign}", delete_campaign, "Delete a campaign", "campaigns",
        replies={200: CampaignReply}, errors=(404, 503),
        description="Answers it as it was. Bids that are under way are still paid.",
    ),
    Route(
        "GET", "/v1/campaigns/{campaign}/spend", campaign_spend, "Where a campaign stands",
        "campaigns", replies={200: SpendReply}, errors=(404, 503),
    ),
    Route(
        "GET", "/v1/campaigns", list_campaigns, "List campaigns, page by page", "campaigns",
        query={
            "limit": (int, f"1 to {MAX_PAGE}; default {PAGE}"),
            "cursor": (str, "from the page before; valid for a day"),
        },
        replies={200: CampaignPageReply}, errors=(503,),
        description="A cursor that was changed or has expired answers 400, code bad_cursor.",
    ),
    Route(
        "GET", "/v1/campaigns:switches", get_switches, "What is switched off", "campaigns",
        replies={200: SwitchesRow}, errors=(503,),
    ),
    Route(
        "PUT", "/v1/campaigns:switches", put_switches_off, "Switch off, or on again", "campaigns",
        body=SwitchesRow, replies={200: SwitchesRow}, body_cap=1 << 20, errors=(503,),
        description="Replaces all switches. Nothing that is off is bid for, on any worker, within "
        "a second; what was bid before is still paid. With learning off only standard bids are "
        "bid; with exploration off always the best known arm; recommend_learning and "
        "recommend_exploration do the same to recommendations.",
    ),
)  # fmt: skip
"""The campaigns' lines of the table."""

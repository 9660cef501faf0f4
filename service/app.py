"""The composition root: opens every door of a worker and puts the thin dispatcher in front.

`create_app` is what uvicorn calls in each worker. Tests hand in a context of their own.
Knows which parts there are and in which order they start; nothing of what they do.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import resources
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from domain.campaigns import Campaign
from domain.clock import Clock, system_clock
from feature_store.opening import open_store
from feature_store.purses import Terms
from feature_store.settings import Home
from feature_store.settings import settings_from_env as store_settings_from_env
from feature_store.store import Store
from feature_store.sweeps.reading import Sweeps
from models.bidding.model import BiddingModel
from service.bid_door import BidDoor
from service.bid_learning import LiveLearning
from service.bid_prices import Prices
from service.bid_rehearsal import rehearse
from service.bid_users import BidUsers, Doors
from service.bidding import Bidder
from service.bundles import Bundles
from service.context import Context
from service.decisions import DecisionLog
from service.dispatch import Dispatcher
from service.errors import error_reply
from service.live_campaigns import LiveCampaigns
from service.live_catalogue import LiveCatalogue
from service.live_churn import LiveChurn
from service.live_intent import Door, IntentScorer
from service.live_money import LiveMoney
from service.live_paces import LivePaces
from service.live_segments import LiveSegments
from service.logs import configure_logs, log_info
from service.metrics import Metrics
from service.openapi import build_document
from service.openrtb.table import PriceTable
from service.recommend_learning import LiveRecommending
from service.routes.health import router as health_router
from service.routes.table import ROUTES
from service.score_cache import ScoreCache
from service.settings import ServiceSettings, settings_from_env
from service.settling import settle_memory
from service.shadowing import Beside, Shadow
from service.shedding import Gate
from service.store_watch import StoreWatch
from service.trends import LiveSegmentTrends, LiveTrends

OpenContext = Callable[[], AbstractAsyncContextManager[Context]]

DESCRIPTION = (
    "One decision service on one shared profile: apps tell what happened and ask what to show. "
    "Every refusal reads `{\"error\": {\"code\", \"field\", \"message\"}}`."
)  # fmt: skip
_DOCS_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; frame-ancestors 'none'"
)


@asynccontextmanager
async def serve_context(
    store: Store, home: Home, settings: ServiceSettings, clock: Clock
) -> AsyncGenerator[Context, None]:
    """Start every live part over an open store, and stop them in the opposite order."""
    metrics = Metrics()
    bundles = Bundles(home.bundles, metrics, clock, poll_s=settings.poll_s)
    trends, by_segment = LiveTrends(store), LiveSegmentTrends(store)
    sweeps = Sweeps(home.sweeps / "churn")
    scores = ScoreCache(store, metrics)
    door = Door(store, bundles, scores, metrics, clock, settings.unanswered)
    money = LiveMoney(store, clock, _terms(settings))
    learning = LiveLearning(
        store, clock, bundles, metrics, lambda: campaigns.by_name, settings.learning
    )
    paces = LivePaces(store, money.purses.now, lambda: _running(campaigns), metrics)
    money.listeners.append(learning.take)
    prices = Prices(clock, learning, lambda: _values(bundles), paces.multiplier)

    def fill(table: PriceTable) -> None:
        switches = campaigns.switches
        prices.learned, prices.explores = not switches.learning, not switches.exploration
        prices.fill(table)

    campaigns = LiveCampaigns(store, clock, money, fill=fill)
    churn, segments = LiveChurn(bundles, sweeps), LiveSegments(store)
    watch = StoreWatch(store, metrics)
    doors = Doors(store, settings, segments, churn, bundles, watch, metrics, clock)
    users = BidUsers(doors, lambda: campaigns.segments)
    bidder = Bidder(settings.bids, money, prices)
    bid_door = BidDoor(settings.bids, bidder, campaigns, clock, users)
    catalogue = LiveCatalogue(store, metrics, bundles, trends, by_segment)
    recommending = LiveRecommending(
        store, clock, metrics, lambda: catalogue.desk, lambda: campaigns.switches,
        settings.recommend,
    )  # fmt: skip
    context = Context(
        store=store,
        clock=clock,
        settings=settings,
        metrics=metrics,
        watch=watch,
        bundles=bundles,
        catalogue=catalogue,
        trends=trends,
        by_segment=by_segment,
        decisions=DecisionLog(store, metrics),
        sweeps=sweeps,
        scores=scores,
        churn=churn,
        intent=IntentScorer(door),
        segments=segments,
        bids=bid_door,
        bid_gate=Gate(settings.bids.in_flight),
        bid_waits=bid_door.waits,
        campaigns=campaigns,
        money=money,
        learning=learning,
        paces=paces,
        recommending=recommending,
    )
    beside = Beside(
        lambda: campaigns.by_name, paces.multiplier, learning.factors, learning.scale_of,
        settings.bids.rates,
    )  # fmt: skip
    shadow = Shadow(home.bundles, context.decisions, metrics, clock, beside)
    context.bids.noted = shadow.note
    parts = (
        *(context.watch, bundles, trends, by_segment, context.catalogue),
        *(context.decisions, scores, context.churn, context.intent, context.segments),
        *(money, campaigns, learning, paces, shadow, recommending),
    )
    # A first auction shall wait for no compiler.
    log_info("getting ready", note="compiled code is made at the first start, for about a minute")
    await asyncio.to_thread(rehearse)
    started: list[Any] = []
    try:
        for part in parts:
            await part.start()
            started.append(part)
        yield context
    finally:
        for part in reversed(started):
            await part.stop()


def _values(bundles: Bundles) -> BiddingModel | None:
    """Answer the released model of values, None without one."""
    loaded = bundles.current("bidding")
    return None if loaded is None else loaded.scorer


def _running(campaigns: LiveCampaigns) -> Mapping[str, Campaign]:
    """Answer the campaigns that are not switched off: that those spend nothing says nothing."""
    switches = campaigns.switches
    if switches.everything:
        return {}
    off = switches.campaigns
    return {name: one for name, one in campaigns.by_name.items() if name not in off}


def _terms(settings: ServiceSettings) -> Terms:
    bids = settings.bids
    return Terms(exp=bids.hold_s * 1_000, grace=bids.grace_s * 1_000)


@asynccontextmanager
async def open_context() -> AsyncGenerator[Context, None]:
    """Open the store and the live parts that the environment asks for."""
    _, home, _ = store_settings_from_env()
    settings = settings_from_env()
    store = await open_store(patience=settings.patience_s)
    try:
        async with serve_context(store, home, settings, system_clock) as context:
            yield context
    finally:
        await store.close()


def create_app(opening: OpenContext | None = None) -> Dispatcher:
    """Build the ASGI app; its lifespan opens the context (the environment's by default)."""
    level = os.environ.get("SANDERLING_LOG_LEVEL")
    if level:
        configure_logs(level)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        async with (opening or open_context)() as context:
            app.state.context = dispatcher.context = context
            log_info("serving", store="up" if context.watch.up else "down")
            if opening is None:
                settle_memory()
            yield
            app.state.context = dispatcher.context = None

    app = FastAPI(
        title="Sanderling",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(health_router)
    _add_documents(app)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    dispatcher = Dispatcher(ROUTES, app)
    return dispatcher


def _add_documents(app: FastAPI) -> None:
    page = resources.files("service").joinpath("static/docs.html").read_bytes()
    built: list[bytes] = []

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        if not built:
            built.append(msgspec.json.encode(build_document(app, ROUTES)))
        return Response(built[0], media_type="application/json")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        headers = {"content-security-policy": _DOCS_POLICY, "referrer-policy": "no-referrer"}
        return Response(page, media_type="text/html; charset=utf-8", headers=headers)

    @app.get("/", include_in_schema=False)
    async def root() -> Response:
        return Response(status_code=307, headers={"location": "/docs"})


async def _http_error(_: Request, error: Exception) -> Response:
    """Answer FastAPI's own refusals in the one shape of an error."""
    status = getattr(error, "status_code", 500)
    code, message = {
        404: ("not_found", "no such path"),
        405: ("method_not_allowed", "this path does not take this method"),
    }.get(status, ("refused", "the request was refused"))
    reply = error_reply(status, code, message)
    return Response(
        reply.body, status, media_type="application/json", headers=getattr(error, "headers", None)
    )


async def _validation_error(_: Request, error: Exception) -> Response:
    first: dict[str, Any] = error.errors()[0] if isinstance(error, RequestValidationError) else {}
    place = ".".join(str(part) for part in first.get("loc", ())[1:])
    reply = error_reply(400, "bad_field", str(first.get("msg", "not valid")), place)
    return Response(reply.body, reply.status, media_type="application/json")

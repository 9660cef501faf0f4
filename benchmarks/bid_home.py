"""A home for bids: campaigns of which ten lines match, users with histories, a model in full size.

What the latency of bids is measured on. Lines ask for a site each, a country, some for a segment;
every user has a history, consent and scores; forests are as large as fits make them. Knows
nothing of what is then measured.
"""

import asyncio
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.scored_home import release
from domain.clock import DAY_MS, system_clock
from domain.events import Event, Kind
from domain.scores import Band, Score
from domain.users import Profile, Purpose
from feature_store import segments
from feature_store.opening import open_store
from feature_store.settings import Home
from models.bidding.columns import BUCKETS, CATEGORIES, NAMES, WORDS
from models.bidding.landscape import Landscape, columns_of
from models.bidding.laws import LOGISTIC
from models.bidding.model import BiddingModel, Calibrated
from models.bundle import Draft, write_bundle
from training.fit.bidding.learner import Line, boost, calibrated
from training.fit.bidding.settings import BiddingSettings

VENDOR = 755
CONSENT = "CPXxRfAPXxRfKAfKABENB-CAAP_AAAAAAAAAF5wAwAGQGQAZIBeYAAAAA"
"""Consents to ten purposes and to VENDOR."""
USERS = 2_000
EVENTS = 30
LINES_A_CAMPAIGN = 4
MATCHING = 12
"""Lines that ask for one site; a quarter of them for a segment too, in which half of all are."""
SIZE = 2_048
"""Bytes of a request."""
SIZES = ((300, 250), (728, 90))
"""Of every campaign's creatives; one campaign in four has two to choose from."""
_LEARNED = 20_000
_AIMS: tuple[dict[str, Any], ...] = (
    {"aim": "cpm", "target": 6},
    {"aim": "cpc", "target": 0.15},
    {"aim": "cpa", "target": 2},
    {"aim": "clicks"},
    {"aim": "conversions"},
)


@dataclass(slots=True, frozen=True)
class BidHome:
    """A filled home. sites: how many there are that lines ask for."""

    home: Path
    sites: int


def campaigns(lines: int) -> list[dict[str, Any]]:
    """Answer campaigns of four lines each, in the JSON of /v1/campaigns."""
    sites = sites_of(lines)
    return [_campaign(number, sites) for number in range(lines // LINES_A_CAMPAIGN)]


def sites_of(lines: int) -> int:
    """Answer how many sites so many lines are spread over, an odd number: four lines of a campaign
    then never fall on the same sites again."""
    return lines // MATCHING | 1


def _campaign(number: int, sites: int) -> dict[str, Any]:
    brand = f"brand-{number}.example"
    common = {"domains": [brand], "categories": ["IAB22-1"], "kind": 2, "mime": "image/png",
              "click": f"https://{brand}/?c=${{AUCTION_ID}}"}  # fmt: skip
    creatives = [
        {"creative": f"cr-{number}-{place}", "width": w, "height": h,
         "image": f"https://cdn.{brand}/{place}.png", **common}
        for place, (w, h) in enumerate(SIZES if number % 4 else (*SIZES, SIZES[0]))
    ]  # fmt: skip
    lines = []
    for place in range(LINES_A_CAMPAIGN):
        at = number * LINES_A_CAMPAIGN + place
        targeting: dict[str, Any] = {
            "sites": [f"site-{at % sites}.example"], "geos": ["DEU"],
            "devices": ["phone", "desktop"],
        }  # fmt: skip
        if place == 3:
            targeting["segments"] = ["often"]
        lines.append({"line": f"l{place}", "bid": 2 + at % 7 / 4, "targeting": targeting})
    return {
        "campaign": f"camp-{number}",
        "currency": "USD",
        "max_bid": 12,
        "objective": _AIMS[number % len(_AIMS)],
        "budget": {"total": 1_000_000, "daily": 100_000},
        "frequency": [{"impressions": 50, "window_ms": DAY_MS}] if number % 2 else [],
        "lines": lines,
        "creatives": creatives,
    }


def request(number: int, sites: int) -> bytes:
    """Answer a bid request of SIZE bytes: one banner, one user after another."""
    rng = number * 7_919
    said: dict[str, Any] = {
        "id": f"auction-{number:012d}",
        "at": 1 if number % 2 else 2,
        "tmax": 120,
        "cur": ["USD"],
        "imp": [{
            "id": "1", "tagid": "top", "secure": 1, "bidfloor": 0.4, "bidfloorcur": "USD",
            "banner": {"w": 300, "h": 250, "pos": 1, "btype": [1], "battr": [3, 8], "topframe": 1,
                       "format": [{"w": 300, "h": 250}, {"w": 300, "h": 600}]},
        }],
        "site": {
            "id": "s1", "domain": f"site-{rng % sites}.example", "cat": ["IAB9-7"], "mobile": 1,
            "page": f"https://site-{rng % sites}.example/news/{number}",
            "publisher": {"id": "pub-1", "name": "A house of news", "domain": "publisher.example"},
        },
        "device": {
            "ua": "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko)"
                  " Chrome/131.0.0.0 Mobile Safari/537.36",
            "ip": "203.0.113.7", "devicetype": 4, "os": "Android", "osv": "15", "language": "de",
            "make": "Google", "model": "Pixel 8", "js": 1, "w": 412, "h": 915, "lmt": 0, "dnt": 0,
            "geo": {"country": "DEU", "region": "BE", "city": "Berlin", "utcoffset": 60},
        },
        "user": {"id": f"x{rng % USERS}", "buyeruid": f"user-{rng % USERS}", "consent": CONSENT},
        "regs": {"gdpr": 1, "coppa": 0},
        "source": {"tid": f"t{number}", "schain": {"complete": 1, "ver": "1.0", "nodes": [
            {"asi": "publisher.example", "sid": "1", "hp": 1},
            {"asi": "north.example", "sid": "22", "hp": 1},
        ]}},
        "bcat": ["IAB25", "IAB26", "IAB7-39", "IAB8-5"],
        "badv": [f"blocked-{place}.example" for place in range(8)],
    }  # fmt: skip
    body = json.dumps(said, separators=(",", ":")).encode()
    return body[:-1] + b" " * (SIZE - len(body)) + b"}"


def model() -> BiddingModel:
    """Answer a model as large as fits make them, learned from outcomes drawn by rule."""
    rng = np.random.default_rng(0)
    x = rng.random((_LEARNED, len(NAMES))) * 30
    x[:, CATEGORIES] = rng.integers(0, BUCKETS, (_LEARNED, len(CATEGORIES)))
    x[:, len(WORDS) - 3 : len(WORDS) - 1] /= 30
    settings = BiddingSettings()
    parts: list[Calibrated] = []
    for mean, column in ((0.02, 0), (0.1, 1)):
        chance = np.clip(mean * (0.3 + x[:, column] / BUCKETS + x[:, 12] / 30), 0, 1)
        labels = (rng.random(_LEARNED) < chance).astype(np.float64)
        booster = boost(x, labels, settings, settings.most_trees)
        parts.append(calibrated(booster, settings.most_trees, Line(1.0, 0.0), float(labels.mean())))
    buckets = settings.price_buckets
    weights = np.zeros(columns_of(buckets) + 1)
    weights[0], weights[-1] = np.log(2e6), np.log(0.4)
    landscape = Landscape(LOGISTIC, weights, np.eye(len(weights)) * 0.002, buckets)
    variance = np.full((2, len(WORDS) * BUCKETS), 0.01)
    click, conversion = parts
    return BiddingModel(click, conversion, variance, landscape, {"": 30e6}, 3.6e6)


def _events(user: str, rng: np.random.Generator, now: int) -> list[Event]:
    kinds = (Kind.seen, Kind.click, Kind.impression, Kind.add_to_cart, Kind.purchase)
    ats = now - np.sort(rng.integers(60_000, 20 * DAY_MS, EVENTS))[::-1]
    return [
        Event(f"{user}-{place}", user, kinds[place % len(kinds)], int(at), item=f"i{place % 9}",
              campaign=f"camp-{rng.integers(50)}", value=1_000_000)
        for place, at in enumerate(ats)
    ]  # fmt: skip


async def _pour(home: Path) -> None:
    now, rng = system_clock(), np.random.default_rng(1)
    store = await open_store(home=Home(home))
    try:
        await segments.put(store, "often", "attributes.often = 1", now)
        for start in range(0, USERS, 100):
            users = [f"user-{number}" for number in range(start, start + 100)]
            await store.append([e for user in users for e in _events(f"u{user}", rng, now)], now)
            for place, user in enumerate(users):
                consent: dict[str, bool] = dict.fromkeys(map(str, Purpose), True)
                await store.put_profile(
                    user, Profile({"often": place % 2}, consent, updated_at=now)
                )
            await store.put_scores(
                {
                    f"u{user}": {
                        "intent": Score(0.2, 0.8, now, "1", band=Band.medium),
                        "churn": Score(0.4, 0.8, now, "1", band=Band.medium),
                    }
                    for user in users
                }
            )
    finally:
        await store.close()


@contextmanager
def bid_home(lines: int) -> Iterator[BidHome]:
    """Fill a fresh home; its campaigns are put by whoever starts the service."""
    with tempfile.TemporaryDirectory(prefix="bids-") as folder:
        home = Path(folder)
        made = model()
        draft = Draft("bidding", system_clock(), made.arrays(), made.params())
        release(home, write_bundle(home / "bundles", draft))
        asyncio.run(_pour(home))
        yield BidHome(home, sites_of(lines))

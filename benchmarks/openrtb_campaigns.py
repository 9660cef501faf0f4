"""Campaigns that match widely, in the JSON of /v1/campaigns: every kind of creative, many traits.

What the contract is tried with: most requests find something, and every rule has a creative
that breaks it. Knows nothing of requests.
"""

import json
from typing import Any

Json = dict[str, Any]
SIZES = ((300, 250), (728, 90), (300, 600), (320, 50), (1080, 1920), (1920, 1080), (600, 500),
         (320, 180), (640, 360))  # fmt: skip
BRANDS: tuple[Json, ...] = (
    {"domains": ["shop.example"], "categories": ["IAB22-1"], "language": "en"},
    {"domains": ["www.tea.example"], "categories": ["IAB8-18"], "language": "de"},
    {"domains": ["cars.test"], "categories": ["IAB2-3", "IAB19"], "language": "en-GB"},
    {"domains": ["game.test"], "categories": ["53"], "taxonomy": 2, "language": "fr",
     "bundle": "com.game"},
)  # fmt: skip
TRAITS: tuple[Json, ...] = (
    {"kind": 2, "mime": "image/png"},
    {"kind": 3, "mime": "text/html", "apis": [5], "attributes": [13]},
    {"kind": 4, "mime": "text/html", "expands": True, "attributes": [3], "secure": False},
    {"kind": 1, "mime": "image/jpeg"},
)
LENGTHS = (6_000, 15_000, 20_000, 29_500, 30_000)
DEALS = ("deal-1", "deal-2", "AB-Agency1-0001", "XY-Agency2-0001", "V123", "333", "some-deal-id")
SEATS = ("seat-1", "seat-2", "Agency1", "Agency2")
CURRENCIES = ("USD", "EUR", "GBP", "USD")


def campaigns() -> list[Json]:
    """Answer the campaigns, the richest last."""
    out: list[Json] = []
    for number, (brand, seat, currency) in enumerate(zip(BRANDS, SEATS, CURRENCIES, strict=True)):
        creatives = _creatives(number, brand)
        out.append(
            {
                "campaign": f"wide-{number}",
                "currency": currency,
                "seat": seat,
                "max_bid": 6 + number,
                "budget": {"total": 1_000_000},
                "lines": [
                    {"line": "open", "bid": 1.2345 + number},
                    {"line": "deals", "bid": 3.1 + number, "deals": list(DEALS),
                     "open_market": number % 2 == 0},
                ],
                "creatives": creatives,
            }
        )  # fmt: skip
    return out


def _creatives(number: int, brand: Json) -> list[Json]:
    common = {**brand, "click": "https://shop.example/landing?a=1&b=2"}
    out: list[Json] = []
    for place, (w, h) in enumerate(SIZES):
        traits = TRAITS[(place + number) % len(TRAITS)] if number else TRAITS[0]
        page = "<a href='${CLICK_URL}'><img src='https://cdn.shop.example/a.png'></a>"
        if traits.get("secure") is False:
            page = page.replace("https://cdn", "http://cdn")
        out.append({"creative": f"banner-{w}x{h}-{number}", "media": "banner", "width": w,
                    "height": h, "markup": page, **common, **traits})  # fmt: skip
    for place, length in enumerate(LENGTHS):
        vast = '<VAST version="3.0"><Ad id="${BID_ID}"></Ad></VAST>'
        timed = {"duration_ms": length, "markup": vast, **common}
        out.append({"creative": f"video-{length}-{number}", "media": "video", "width": 640,
                    "height": 360, "mime": "video/mp4", "protocol": (2, 3, 6, 2)[number],
                    "bitrate": (900, 0, 1_200, 400)[number], "skippable": place == 1,
                    "linear": number != 2, **timed})  # fmt: skip
        out.append({"creative": f"audio-{length}-{number}", "media": "audio", "mime": "audio/mp4",
                    "protocol": 9, "bitrate": 128, **timed})  # fmt: skip
    assets = [
        {"title": {"text": "Fresh tea, every day"}},
        {"img": {"type": 3, "url": "https://cdn.shop.example/n.png", "w": 300, "h": 250,
                 "mime": "image/png"}},
        {"img": {"type": 1, "url": "https://cdn.shop.example/i.png", "w": 80, "h": 80,
                 "mime": "image/png"}},
        {"data": {"type": 2, "value": "Order today"}},
    ]  # fmt: skip
    native = json.dumps({"assets": assets, "link": {"url": "https://shop.example/"}})
    out.append({"creative": f"native-{number}", "media": "native", "markup": native, **common})
    return out


def creatives_by_id() -> dict[str, Json]:
    """Answer every creative by its id, for whoever checks responses."""
    return {one["creative"]: one for campaign in campaigns() for one in campaign["creatives"]}

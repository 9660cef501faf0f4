"""The demo's campaigns: three wishes, each with a budget for one run of the exchange.

Put over the API as anybody would; names are new in every run, for money once spent stays spent.
Knows nothing of auctions.
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from demo.calls import Answer, Service
from demo.exchange.requests import H, W
from demo.telling import DemoFailed

SEGMENT = "demo-regulars"
PLAIN, BRIGHT = "plain", "bright"
EFFECTS = {PLAIN: 0.6, BRIGHT: 1.4}
"""What a creative makes of the chance of a click; the exchange knows, the service may learn."""
TARGET = 0.95
"""Dollars that 1,000 impressions are worth to the campaign that wants impressions."""
REHEARSAL_S = 120.0
TEST = {"test": 1, "tmax": 1_000}
STANDARD = {"reach": 0.6, "clicks": 0.65, "regulars": 0.8}
ASKED = {"reach": 65, "clicks": 75, "regulars": 35}
"""Micros that each budget has for every impression of the whole supply."""


@dataclass(frozen=True, slots=True)
class Running:
    """A campaign of this run: its id, what it is for, its budget in micros."""

    campaign: str
    kind: str
    budget: int


def put_campaigns(
    service: Service, run: str, offers: int, flight: tuple[int, int], known: bool
) -> list[Running]:
    """Put the campaigns for so many offers in a flight (UTC ms); answer them.

    known: whether the log knows users; without any there is nobody whom an audience could hold.
    """
    put: list[Running] = []
    for kind, share in ASKED.items():
        if kind == "regulars" and not known:
            continue
        name, budget = f"{kind}-{run}", share * offers
        service.quietly("PUT", f"/v1/campaigns/{name}", campaign_body(kind, budget, flight))
        put.append(Running(name, kind, budget))
    return put


def rehearse(service: Service, run: str, request: dict[str, Any]) -> float:
    """Post a request as a test until it is answered with a bid; answer that answer's ms.

    Tests move no money. The first bids of a fresh installation compile what prices them, which
    takes seconds; no exchange would wait for that. Raises DemoFailed when there is none in time.
    """
    path, end = f"/v1/campaigns/rehearsal-{run}", time.monotonic() + REHEARSAL_S
    now = int(time.time() * 1000)
    service.quietly("PUT", path, campaign_body("reach", 1_000_000, (now, now + 3_600_000)))
    answers: list[Answer] = []
    while not answers or answers[-1].status != 200:
        if time.monotonic() > end:
            raise DemoFailed(f"no bid on a test request within {REHEARSAL_S:.0f} seconds")
        # One that compiles is waited for, and asked again.
        with suppress(DemoFailed):
            answers.append(service.call("POST", "/v1/openrtb2/bid?exchange=dawn", request | TEST))
    service.quietly("DELETE", path)
    return answers[-1].ms


def put_segment(service: Service, events: int) -> str:
    """Save the audience of those with at least so many events; answer its condition."""
    body = {"where": f"rfm.lifetime_events >= {events}", "about": "of the demo's exchange"}
    return service.quietly("PUT", f"/v1/segments/{SEGMENT}", body)["where"]


def campaign_body(kind: str, budget: int, flight: tuple[int, int]) -> dict[str, Any]:
    """Answer the JSON of a campaign; prices in dollars for 1,000, the budget in micros."""
    creatives = (PLAIN, BRIGHT) if kind == "clicks" else (PLAIN,)
    targeting: dict[str, Any] = {}
    if kind == "reach":
        targeting = {"exchanges": ["dawn"]}
    elif kind == "regulars":
        targeting = {"segments": [SEGMENT]}
    return {
        "title": f"Demo: {kind}",
        "objective": {"aim": "cpm", "target": TARGET} if kind == "reach" else {"aim": "clicks"},
        "max_bid": 3,
        "budget": {"total": f"{budget / 1e6:.6f}"},
        "flight": {"starts_at": flight[0], "ends_at": flight[1]},
        "creatives": [_creative(one) for one in creatives],
        "lines": [{"line": "all", "bid": STANDARD[kind], "targeting": targeting}],
    }


def _creative(name: str) -> dict[str, Any]:
    return {
        "creative": name, "width": W, "height": H, "mime": "image/png", "kind": 2,
        "domains": ["shop.example"], "categories": ["IAB22"], "click": "https://shop.example/",
        "markup": f"<a href='${{CLICK_URL}}'><img src='https://shop.example/{name}.png'></a>",
    }  # fmt: skip

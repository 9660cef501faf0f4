"""Bid requests of the demo's exchange: OpenRTB 2.6, about two kilobytes, as exchanges fill them.

Knows the wire; nothing of prices, of who wins, or of what is answered.
"""

from typing import Any

from demo.exchange.supply import FREE, Offer
from domain.ids import hash64

TMAX = 120
VENDOR = 901
"""Our made-up id on the vendor list, told to the service as SANDERLING_TCF_VENDOR."""
CONSENT = "CPXxRfAPXxRfKAfKABENB-CAAPIAAAAAAAAAHCwAQHCgAAAA"
"""Grants purposes 1 to 4 and 7 to VENDOR."""
W, H = 300, 250
_CATEGORIES = ("IAB8-5", "IAB12", "IAB17-44", "IAB20-3", "IAB15", "IAB1-6", "IAB9-30", "IAB3")
_BLOCKED = [f"IAB{group}-{part}" for group in (7, 14, 23, 25, 26) for part in range(1, 7)]
_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36"
)


def bid_request(offer: Offer, run: str) -> dict[str, Any]:
    """Answer the request for an offer; `run` tells this exchange's auctions from another's."""
    visitor, site = offer.visitor, f"paper{offer.site}.example"
    europe = visitor.law in ("gdpr", "granted")
    # The exchange's own name for somebody is not ours: it says ours beside it, where they matched.
    theirs = f"{hash64('x' + visitor.user if visitor.user else f'{run}{offer.number}'):016x}"
    user: dict[str, Any] = {"id": theirs, "keywords": "news,recipes,weekend"}
    if visitor.user:
        user["buyeruid"] = visitor.user
    if visitor.law == "granted":
        user["consent"] = CONSENT
    regs: dict[str, Any] = {"coppa": int(visitor.law == "coppa"), "gdpr": int(europe)}
    if not europe:
        regs["us_privacy"] = "1YNN"
    return {
        "id": f"{run}-{offer.number}",
        "at": offer.house.at,
        "tmax": TMAX,
        "cur": ["USD"],
        "imp": [_impression(offer)],
        "site": {
            "id": f"s{offer.site}", "name": f"The Paper {offer.site}", "domain": site,
            "cat": [_CATEGORIES[offer.site % len(_CATEGORIES)]], "cattax": 1,
            "page": f"https://www.{site}/{offer.hour:02}/story-{offer.number % 97}.html",
            "ref": f"https://www.{site}/", "mobile": 1, "privacypolicy": 1,
            "publisher": {"id": f"p{offer.site}", "name": "Papers of Example", "domain": site},
            "content": {"language": "en", "context": 5, "title": "What the tide leaves behind"},
        },
        "device": {
            "ua": _AGENT, "ip": "203.0.113.7", "devicetype": 2, "os": "Linux", "language": "en",
            "js": 1, "connectiontype": 2, "lmt": int(visitor.law == "lmt"),
            "geo": {"country": "DEU" if europe else "USA", "type": 2, "utcoffset": 0},
        },
        "user": user,
        "regs": regs,
        "bcat": _BLOCKED,
        "badv": [f"rival{number}.example" for number in range(8)],
        "source": {
            "fd": 1, "tid": f"{run}-{offer.number}-t",
            "schain": {
                "complete": 1, "ver": "1.0",
                "nodes": [{"asi": f"{offer.house.name}.example", "sid": f"p{offer.site}", "hp": 1}],
            },
        },
        "ext": {"demo": "simulated", "leave": "yes" if visitor.law in FREE else "no"},
    }  # fmt: skip


def _impression(offer: Offer) -> dict[str, Any]:
    return {
        "id": "1",
        "banner": {
            "w": W, "h": H, "pos": 1, "topframe": 1, "btype": [4], "battr": [1, 3, 5, 8, 9],
            "format": [{"w": W, "h": H}, {"w": 336, "h": 280}],
            "mimes": ["image/png", "image/webp", "text/html"], "api": [5, 6, 7],
        },
        "bidfloor": offer.floor / 1e6, "bidfloorcur": "USD", "secure": 1, "exp": 300,
        "tagid": f"side-{offer.site}", "displaymanager": "papers", "displaymanagerver": "4.2",
        "clickbrowser": 1, "instl": 0, "rwdd": 0,
    }  # fmt: skip

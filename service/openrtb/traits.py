"""An auction in the words of targeting: place, device, system, site; and what is known of the user.

Knows OpenRTB's device types, nothing of how users are known. Source: AdCOM 1.0, list of device
types.
"""

from functools import lru_cache
from typing import Protocol

from domain.opportunities import Auction
from domain.targeting import Traits, geo_names, site_names

KEPT = 16_384

DEVICES: dict[int, tuple[str, ...]] = {
    1: ("phone", "tablet"),
    2: ("desktop",),
    3: ("tv",),
    4: ("phone",),
    5: ("tablet",),
    6: ("connected",),
    7: ("box",),
    8: ("outdoor",),
}
"""OpenRTB's device types in targeting's words."""

_geos = lru_cache(maxsize=KEPT)(geo_names)
_sites = lru_cache(maxsize=KEPT)(site_names)


class Known(Protocol):
    """As much of a user as lines may ask for; empty of nobody."""

    @property
    def segments(self) -> tuple[str, ...]: ...
    @property
    def intent_bands(self) -> tuple[str, ...]: ...
    @property
    def churn_bands(self) -> tuple[str, ...]: ...


def traits_of(auction: Auction, known: Known | None = None) -> Traits:
    """Answer what is known of an auction's opportunities; without `known`, nothing of the user."""
    place = auction.place
    if known is None:
        segments = intent = churn = ()
    else:
        segments, intent, churn = known.segments, known.intent_bands, known.churn_bands
    return Traits(
        _geos(place.country, place.region, place.city),
        DEVICES.get(place.device, ()),
        (place.system,) if place.system else (),
        segments,
        intent,
        churn,
        _sites(place.domain, place.bundle),
        (auction.exchange,) if auction.exchange else (),
    )

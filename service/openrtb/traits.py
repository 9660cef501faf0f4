"""An auction in the words of targeting: place, device, system, site; nothing of the user.

Knows OpenRTB's device types. Source: AdCOM 1.0, list of device types.
"""

from functools import lru_cache

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


def traits_of(auction: Auction) -> Traits:
    """Answer what is known of an auction's opportunities without looking at the user."""
    place = auction.place
    return Traits(
        geos=_geos(place.country, place.region, place.city),
        devices=DEVICES.get(place.device, ()),
        systems=(place.system,) if place.system else (),
        sites=_sites(place.domain, place.bundle),
        exchanges=(auction.exchange,) if auction.exchange else (),
    )

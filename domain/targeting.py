"""Targeting: whom and where a line item wants, and the traits an opportunity is held against by.

A dimension left empty asks for nothing; one that names values wants any of them; what is
excluded wins. What is unknown of an opportunity satisfies no wish and no exclusion. Knows
nothing of how lines are found (see models.bidding.targeting).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

HOURS = 168
"""Hours of a week, from Monday 00:00 in the campaign's zone."""

DEVICES = ("phone", "tablet", "desktop", "tv", "connected", "box", "outdoor")
"""Words for OpenRTB's device types; its 1 (phone or tablet) is both of the first two."""
BANDS = ("low", "medium", "high")


@dataclass(slots=True, frozen=True)
class Targeting:
    """What a line item asks of an opportunity; every field a set, in any order.

    geos: `DEU`, `DEU/BE` or `DEU/BE/berlin` (country in ISO 3166-1 alpha-3 capitals, region as
    the exchange has it, city in lower case). devices: words of DEVICES. systems: operating
    systems in lower case. hours: of the week in the campaign's zone, 0 to 167. segments: names
    of audiences. sites: domains (a domain stands for those under it) or app bundles, in lower
    case. exchanges: names of exchanges.
    """

    geos: tuple[str, ...] = ()
    not_geos: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    hours: tuple[int, ...] = ()
    segments: tuple[str, ...] = ()
    not_segments: tuple[str, ...] = ()
    intent_bands: tuple[str, ...] = ()
    churn_bands: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    not_sites: tuple[str, ...] = ()
    exchanges: tuple[str, ...] = ()


class Traits(NamedTuple):
    """What is known of one opportunity, in the words of Targeting; empty where nothing is.

    geos: the place and every larger one it lies in (see `geo_names`). sites: the domain, every
    one above it, the app's bundle (see `site_names`). Without leave to use personal data
    segments and bands stay empty.
    """

    geos: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    intent_bands: tuple[str, ...] = ()
    churn_bands: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    exchanges: tuple[str, ...] = ()


def geo_names(country: str, region: str = "", city: str = "") -> tuple[str, ...]:
    """Answer the names of a place and of those it lies in; () without a country."""
    if not country:
        return ()
    country = country.upper()
    if not region:
        return (country, f"{country}//{city.lower()}") if city else (country,)
    region = f"{country}/{region.upper()}"
    return (country, region, f"{region}/{city.lower()}") if city else (country, region)


def site_names(domain: str, bundle: str = "") -> tuple[str, ...]:
    """Answer a domain, each domain above it that is still of two parts, and an app's bundle."""
    names = list(_upwards(domain.lower().strip("."))) if domain else []
    if bundle:
        names.append(bundle.lower())
    return tuple(names)


def _upwards(domain: str) -> Iterator[str]:
    yield domain
    for _ in range(8):
        _, dot, above = domain.partition(".")
        if not dot or "." not in above:
            return
        domain = above
        yield domain


def wants(targeting: Targeting, traits: Traits, hour: int) -> bool:
    """Tell whether an opportunity is what a line item asks for, one dimension after another.

    hour: of the week in the campaign's zone. This is the definition; the index must agree.
    """
    wished = (
        (targeting.geos, traits.geos),
        (targeting.devices, traits.devices),
        (targeting.systems, traits.systems),
        (targeting.segments, traits.segments),
        (targeting.intent_bands, traits.intent_bands),
        (targeting.churn_bands, traits.churn_bands),
        (targeting.sites, traits.sites),
        (targeting.exchanges, traits.exchanges),
    )
    if any(wish and not set(wish) & set(have) for wish, have in wished):
        return False
    if targeting.hours and hour not in targeting.hours:
        return False
    shunned = (
        (targeting.not_geos, traits.geos),
        (targeting.not_segments, traits.segments),
        (targeting.not_sites, traits.sites),
    )
    return not any(set(wish) & set(have) for wish, have in shunned)

"""A creative made ready: what its rules compare, worked out once a change and not once a request.

Knows nothing of any request. Source: AdCOM 1.0, lists of creative attributes and categories.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from html import escape

from domain.campaigns import Creative, Media

KEPT = 65_536
SKIPPABLE = 16
"""Creative attribute: the advertisement brings its own skip button."""
CONTENT_1 = 1
"""Category taxonomy whose names show what lies in what: IAB3-1 is a part of IAB3."""

MEDIA_TYPES = {Media.banner: 1, Media.video: 2, Media.audio: 3, Media.native: 4}
"""OpenRTB's markup types (mtype)."""


@dataclass(slots=True, frozen=True, eq=False)
class ReadyCreative:
    """A creative and what follows from it.

    seat: its buyer's. domains: of each advertiser domain, all the names by which it may be
    blocked; names: of all of them. attributes: its own, and that it can be skipped.
    categories: of each category, its name and those it lies in. markup: what is sent, "" when
    there is nothing to send. brand, shape: one and the same object for creatives that no rule
    about buyers and advertisers, or none about the impression, can tell apart.
    """

    creative: Creative
    media: Media
    seat: str = ""
    domains: tuple[frozenset[str], ...] = field(init=False)
    names: frozenset[str] = field(init=False)
    attributes: frozenset[int] = field(init=False)
    apis: frozenset[int] = field(init=False)
    categories: tuple[frozenset[str], ...] = field(init=False)
    all_categories: frozenset[str] = field(init=False)
    markup: str = field(init=False)
    brand: object = field(init=False)
    shape: object = field(init=False)

    def __post_init__(self) -> None:
        one = self.creative
        domains = tuple(_upwards(domain) for domain in one.domains)
        categories = tuple(_within(name, one.taxonomy) for name in one.categories)
        skips = {SKIPPABLE} if one.skippable else set[int]()
        for name, value in (
            ("domains", domains),
            ("names", frozenset[str]().union(*domains)),
            ("attributes", frozenset(one.attributes) | skips),
            ("apis", frozenset(one.apis)),
            ("categories", categories),
            ("all_categories", frozenset[str]().union(*categories)),
            ("markup", one.markup or _plain_banner(one)),
            ("brand", _likeness((self.seat, *_brand(one)))),
            ("shape", _likeness(_shape(one))),
        ):
            object.__setattr__(self, name, value)


def _plain_banner(creative: Creative) -> str:
    """Answer a picture that links to the advertiser, for a banner that is only its picture."""
    if creative.media is not Media.banner or not (creative.image and creative.click):
        return ""
    return (
        f'<a href="{escape(creative.click)}" target="_blank" rel="noopener">'
        f'<img src="{escape(creative.image)}" width="{creative.width}" '
        f'height="{creative.height}" alt=""></a>'
    )


@lru_cache(maxsize=KEPT)
def _likeness(_: tuple[object, ...]) -> object:
    """Answer one object for all equal keys while it is remembered: cheap to hash and compare."""
    return object()


def _brand(one: Creative) -> tuple[object, ...]:
    """Answer everything of a creative that rules about buyers and advertisers look at."""
    sendable = bool(one.markup or (one.image and one.click)), one.media
    return (one.domains, one.categories, one.taxonomy, one.language, one.bundle, *sendable)


def _shape(one: Creative) -> tuple[object, ...]:
    """Answer everything of a creative that rules about an impression look at."""
    return (
        (one.media, one.width, one.height, one.mime, one.duration_ms, one.kind, one.protocol),
        (one.apis, one.attributes, one.secure, one.linear, one.skippable, one.expands),
        (one.bitrate, one.markup if one.media is Media.native else ""),
    )


def _upwards(domain: str) -> frozenset[str]:
    """Answer a domain and every one above it: a block of any of them is one of it."""
    labels = domain.lower().strip(".").split(".")
    return frozenset(".".join(labels[start:]) for start in range(len(labels)))


def _within(category: str, taxonomy: int) -> frozenset[str]:
    if taxonomy != CONTENT_1:
        return frozenset((category,))
    return frozenset((category, category.partition("-")[0]))


def make_ready(creative: Creative, seat: str = "") -> ReadyCreative:
    """Answer a creative of a buyer's seat, made ready to be held against requests."""
    return ReadyCreative(creative, creative.media, seat)

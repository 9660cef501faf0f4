"""May this creative be shown here? Every rule of a request, held against one creative.

What a creative does not say, it cannot prove: a missing mime type, category or domain breaks
a rule that asks for one. Each refusal is one word, counted. Knows nothing of prices.
Source: IAB Tech Lab, OpenRTB 2.6, sections 3.2.1, 3.2.4 and 3.2.6 to 3.2.12.
"""

from typing import NamedTuple

from domain.campaigns import Media
from domain.opportunities import Blocks, Deal, Opportunity, Spot
from service.openrtb.creatives import SKIPPABLE, ReadyCreative
from service.openrtb.native import native_markup


class Fit(NamedTuple):
    """How a creative fills a spot: at which size (0 for none), in which ratio if it was by one.

    markup: what is sent, when it depends on the spot; None for the creative's own.
    """

    spot: Spot
    w: int = 0
    h: int = 0
    ratio: tuple[int, int] = (0, 0)
    markup: str | None = None


def refused_by_auction(ready: ReadyCreative, blocks: Blocks) -> str:
    """Answer why a request as a whole refuses a creative or its buyer, "" when it does not."""
    creative = ready.creative
    if not ready.domains:
        return "no_domain"
    if not ready.markup:
        return "no_markup"
    if blocks.only_seats and ready.seat not in blocks.only_seats:
        return "seat"
    if ready.seat in blocks.seats:
        return "seat"
    if blocks.domains and not blocks.domains.isdisjoint(ready.names):
        return "advertiser_blocked"
    if blocks.apps and creative.bundle and creative.bundle in blocks.apps:
        return "app_blocked"
    if blocks.categories or blocks.only_categories:
        if creative.taxonomy != blocks.taxonomy or not ready.categories:
            return "category_unknown"
        if not ready.all_categories.isdisjoint(blocks.categories):
            return "category_blocked"
        if blocks.only_categories and any(
            names.isdisjoint(blocks.only_categories) for names in ready.categories
        ):
            return "category_blocked"
    if (blocks.languages or blocks.tags) and not _speaks(creative.language, blocks):
        return "language"
    return ""


def _speaks(language: str, blocks: Blocks) -> bool:
    """Tell whether a language is in the allowed list (ISO 639-1, or a range of BCP 47)."""
    spoken = language.lower()
    if not spoken:
        return False
    if blocks.languages and spoken.partition("-")[0] not in map(str.lower, blocks.languages):
        return False
    return not blocks.tags or any(
        spoken == tag or spoken.startswith(tag + "-") for tag in map(str.lower, blocks.tags)
    )


def refused_by_deal(ready: ReadyCreative, deal: Deal) -> str:
    """Answer why a deal refuses a creative or its buyer, "" when it does not."""
    if deal.seats and ready.seat not in deal.seats:
        return "deal_seat"
    if deal.domains and any(names.isdisjoint(deal.domains) for names in ready.domains):
        return "deal_advertiser"
    return ""


def fit(ready: ReadyCreative, opportunity: Opportunity) -> Fit | str:
    """Answer how a creative fills an impression, or the word for why it may not."""
    creative = ready.creative
    if opportunity.secure and not creative.secure:
        return "insecure"
    if not opportunity.multiplier:
        return "quantity"
    for spot in opportunity.spots:
        if spot.media is ready.media:
            break
    else:
        return "media"
    if spot.blocked_attributes and not ready.attributes.isdisjoint(spot.blocked_attributes):
        return "attribute_blocked"
    if ready.apis and not ready.apis.issubset(spot.apis):
        return "api"
    if spot.mimes and creative.mime not in spot.mimes:
        return "mime"
    if opportunity.rewarded and SKIPPABLE in ready.attributes:
        return "rewarded"
    if ready.media is Media.banner:
        return _fit_banner(ready, spot)
    if ready.media is Media.native:
        return _fit_native(ready, spot)
    return _fit_timed(ready, spot)


def _fit_banner(ready: ReadyCreative, spot: Spot) -> Fit | str:
    creative = ready.creative
    if spot.blocked_kinds and (not creative.kind or creative.kind in spot.blocked_kinds):
        return "kind_blocked"
    if creative.expands and not spot.expands:
        return "expands"
    w, h = creative.width, creative.height
    if not (w and h):
        return "size"
    for size in spot.sizes:
        if size.w:
            if (w, h) == (size.w, size.h) or (spot.bounded and w <= size.w and h <= size.h):
                return Fit(spot, w, h)
        elif w * size.hratio == h * size.wratio and w >= size.wmin:
            return Fit(spot, w, h, (size.wratio, size.hratio))
    return "size"


def _fit_native(ready: ReadyCreative, spot: Spot) -> Fit | str:
    version = spot.native_version
    markup = native_markup(spot.assets, ready.creative.markup, version)
    return "assets" if markup is None else Fit(spot, markup=markup)


def _fit_timed(ready: ReadyCreative, spot: Spot) -> Fit | str:
    """Audio and video: durations, protocol, linearity, skipping, bit rate, shape."""
    creative = ready.creative
    why = _refused_duration(creative.duration_ms, spot)
    if why:
        return why
    if spot.protocols and creative.protocol not in spot.protocols:
        return "protocol"
    if spot.linearity and creative.linear != (spot.linearity == 1):
        return "linearity"
    skippable = SKIPPABLE in ready.attributes
    if skippable and (
        spot.skippable is False or (spot.skip_above and creative.duration_ms <= spot.skip_above)
    ):
        return "skip"
    if (spot.min_bitrate or spot.max_bitrate) and not (
        creative.bitrate
        and spot.min_bitrate <= creative.bitrate
        and (not spot.max_bitrate or creative.bitrate <= spot.max_bitrate)
    ):
        return "bitrate"
    if ready.media is Media.audio:
        return Fit(spot)
    return _fit_player(creative.width, creative.height, spot)


def _refused_duration(duration: int, spot: Spot) -> str:
    if not duration:
        asked = spot.low or spot.high is not None or spot.exact or spot.pod_length
        return "duration" if asked else ""
    if duration < spot.low or (spot.high is not None and duration > spot.high):
        return "duration"
    if spot.exact and duration not in spot.exact:
        return "duration"
    return "pod" if spot.pod_length and duration > spot.pod_length else ""


def _fit_player(w: int, h: int, spot: Spot) -> Fit | str:
    """Answer the size at which a player shows a video: never larger than itself."""
    if not spot.sizes:
        return Fit(spot, w, h)
    player = spot.sizes[0]
    if not (w and h):
        return "size"
    if not spot.boxing and w * player.h != h * player.w:
        return "boxing"
    if w <= player.w and h <= player.h:
        return Fit(spot, w, h)
    if w * player.h >= h * player.w:
        return Fit(spot, player.w, max(h * player.w // w, 1))
    return Fit(spot, max(w * player.h // h, 1), player.h)

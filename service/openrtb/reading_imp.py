"""From the wire to Spots, Floors and Deals: one impression's part of service.openrtb.reading.

A part that contradicts itself (a negative length, a size without a height) is not offered.
Source: IAB Tech Lab, OpenRTB 2.6, sections 3.2.4 to 3.2.12, 3.2.35, and notes 7.6 and 7.11.
"""

from collections.abc import Mapping

from domain.campaigns import Media
from domain.opportunities import AuctionType, Deal, DurationFloor, Floors, Size, Spot
from service.openrtb.amounts import floor_micros
from service.openrtb.native import read_request
from service.openrtb.wire_imp import Audio, Banner, DurFloor, Imp, Native, Timed, Video
from service.openrtb.wire_imp import Deal as WireDeal
from service.openrtb.wire_place import Device

SECOND_MS = 1_000
LARGEST = 1 << 20
"""No screen has more pixels a side."""
_LINEARITIES = (1, 2)
_DEAL_TYPES = {1: AuctionType.first, 2: AuctionType.second, 3: AuctionType.fixed}


def floors_of_imp(imp: Imp) -> Floors:
    """Answer the floor of an impression: 0 and USD unless it says otherwise."""
    return Floors(imp.bidfloorcur or "USD", floor_micros(imp.bidfloor) or 0)


def read_deal(deal: WireDeal, at: int, special: Mapping[int, AuctionType]) -> Deal:
    """Answer a deal; its currency does not inherit, the auction's type does."""
    named = deal.at
    if named is not None:
        at = _DEAL_TYPES.get(named) or special.get(named, AuctionType.first)
    return Deal(
        deal.id,
        Floors(
            deal.bidfloorcur or "USD",
            floor_micros(deal.bidfloor),
            floor_micros(deal.mincpmpersec),
            _durations(deal.durfloors) if deal.durfloors else (),
        ),
        at,
        deal.wseat or (),
        tuple([domain.lower() for domain in deal.wadomain]) if deal.wadomain else (),
        deal.guar == 1,
    )


def read_spots(imp: Imp, device: Device | None) -> tuple[Spot, ...]:
    """Answer every way in which an impression may be filled."""
    spots: list[Spot] = []
    if imp.banner is not None:
        spots.append(_banner(imp.banner, device if imp.instl == 1 else None))
    if imp.video is not None:
        video = _timed(imp.video, imp, Media.video)
        if video is not None:
            spots.append(video)
    if imp.audio is not None:
        audio = _timed(imp.audio, imp, Media.audio)
        if audio is not None:
            spots.append(audio)
    if imp.native is not None:
        native = _native(imp.native)
        if native is not None:
            spots.append(native)
    return tuple(spots)


def _banner(banner: Banner, screen: Device | None) -> Spot:
    """screen: the device of an interstitial, whose size bounds what has no size of its own."""
    sizes: list[Size] = []
    for one in banner.format or ():
        size = _size(one.w, one.h, one.wratio, one.hratio, one.wmin)
        if size is not None:
            sizes.append(size)
    bounded = False
    if not banner.format:
        size = _size(banner.w, banner.h, None, None, None)
        if size is not None:
            sizes.append(size)
        elif banner.w is None and banner.h is None and screen is not None:
            ratio = screen.pxratio if screen.pxratio and screen.pxratio > 1 else 1.0
            w = int(min(screen.w or 0, LARGEST) / ratio)
            h = int(min(screen.h or 0, LARGEST) / ratio)
            if w > 0 and h > 0:
                sizes.append(Size(w, h))
                bounded = True
    return Spot(
        Media.banner,
        banner.mimes or (),
        tuple(sizes),
        bounded,
        banner.btype or (),
        banner.battr or (),
        banner.api or (),
        bool(banner.expdir),
    )


def _size(
    w: int | None, h: int | None, wratio: int | None, hratio: int | None, wmin: int | None
) -> Size | None:
    if w and h and w > 0 and h > 0:
        return Size(w, h)
    if wratio and hratio and wratio > 0 and hratio > 0 and (wmin or 0) >= 0:
        return Size(0, 0, wratio, hratio, wmin or 0)
    return None


def _timed(timed: Video | Audio, imp: Imp, media: Media) -> Spot | None:
    if _negative(timed):
        return None
    sizes: tuple[Size, ...] = ()
    linearity = skip_above = 0
    skippable = None
    boxing = True
    if isinstance(timed, Video):
        if (timed.w or 0) < 0 or (timed.h or 0) < 0:
            return None
        if timed.w and timed.h:
            sizes = (Size(timed.w, timed.h),)
        linearity = timed.linearity if timed.linearity in _LINEARITIES else 0
        skippable = None if timed.skip is None else timed.skip == 1
        skip_above = max(timed.skipmin or 0, 0) * SECOND_MS
        boxing = timed.boxingallowed != 0
    dynamic = bool(timed.poddur) or (timed.maxseq or 0) > 1
    return Spot(
        media,
        timed.mimes,
        sizes,
        False,
        (),
        timed.battr or (),
        timed.api or (),
        False,
        timed.protocols or (),
        (timed.minduration or 0) * SECOND_MS,
        None if timed.maxduration is None else timed.maxduration * SECOND_MS,
        tuple([seconds * SECOND_MS for seconds in timed.rqddurs]) if timed.rqddurs else (),
        linearity or 0,
        skippable,
        skip_above,
        timed.minbitrate or 0,
        timed.maxbitrate or 0,
        boxing,
        timed.podid or (imp.id if dynamic else ""),
        (timed.poddur or 0) * SECOND_MS,
        timed.maxseq or (0 if dynamic else 1),
        timed.poddedupe or (),
        _spot_floors(timed, imp),
    )


def _negative(timed: Timed) -> bool:
    """Tell whether a length or a rate is below zero."""
    return (
        (timed.minduration or 0) < 0
        or (timed.maxduration or 0) < 0
        or (timed.poddur or 0) < 0
        or (timed.maxseq or 0) < 0
        or (timed.minbitrate or 0) < 0
        or (timed.maxbitrate or 0) < 0
    )


def _spot_floors(timed: Timed, imp: Imp) -> Floors | None:
    """Answer the floors of video or audio, in the impression's currency; None without any."""
    if timed.mincpmpersec is None and not timed.durfloors:
        return None
    return Floors(
        imp.bidfloorcur or "USD",
        None,
        floor_micros(timed.mincpmpersec),
        _durations(timed.durfloors),
    )


def _durations(floors: tuple[DurFloor, ...] | None) -> tuple[DurationFloor, ...]:
    if not floors:
        return ()
    return tuple(
        [
            DurationFloor(
                None if one.mindur is None else one.mindur * SECOND_MS,
                None if one.maxdur is None else one.maxdur * SECOND_MS,
                floor_micros(one.bidfloor) or 0,
            )
            for one in floors
        ]
    )


def _native(native: Native) -> Spot | None:
    asked = read_request(native.request)
    if asked is None:
        return None
    return Spot(
        Media.native,
        blocked_attributes=native.battr or (),
        apis=native.api or (),
        assets=asked.assets,
        native_version=asked.version or native.ver or "",
    )

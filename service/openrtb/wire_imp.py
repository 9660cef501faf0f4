"""Impressions as they come over the wire: banner, video, audio, native, deals, floors.

Types only; see service.openrtb.wire. Source: OpenRTB 2.6, sections 3.2.4 to 3.2.12, 3.2.31
and 3.2.33 to 3.2.35.
"""

from typing import Annotated

from msgspec import Meta, Struct

Text = str | None
Whole = int | None
Number = float | None
Texts = tuple[str, ...] | None
Wholes = tuple[int, ...] | None
Name = Annotated[str, Meta(min_length=1)]
Names = Annotated[tuple[str, ...], Meta(min_length=1)]


class Ext(Struct, gc=False):
    """An extension we read nothing of: an object all the same."""


class Format(Struct, gc=False):
    """A size, or a ratio (3.2.10)."""

    w: Whole = None
    h: Whole = None
    wratio: Whole = None
    hratio: Whole = None
    wmin: Whole = None
    ext: Ext | None = None


class Banner(Struct, gc=False):
    """A banner impression (3.2.6)."""

    format: tuple[Format, ...] | None = None
    w: Whole = None
    h: Whole = None
    btype: Wholes = None
    battr: Wholes = None
    pos: Whole = None
    mimes: Texts = None
    topframe: Whole = None
    expdir: Wholes = None
    api: Wholes = None
    id: Text = None
    vcm: Whole = None
    ext: Ext | None = None


class DurFloor(Struct, gc=False):
    """A floor for a span of durations (3.2.35)."""

    mindur: Whole = None
    maxdur: Whole = None
    bidfloor: Number = None
    ext: Ext | None = None


class Timed(Struct, gc=False):
    """What video (3.2.7) and audio (3.2.8) have in common."""

    mimes: Names
    minduration: Whole = None
    maxduration: Whole = None
    startdelay: Whole = None
    maxseq: Whole = None
    poddur: Whole = None
    protocols: Wholes = None
    podid: Text = None
    podseq: Whole = None
    rqddurs: Wholes = None
    sequence: Whole = None
    slotinpod: Whole = None
    mincpmpersec: Number = None
    battr: Wholes = None
    maxextended: Whole = None
    minbitrate: Whole = None
    maxbitrate: Whole = None
    delivery: Wholes = None
    companionad: tuple[Banner, ...] | None = None
    api: Wholes = None
    companiontype: Wholes = None
    poddedupe: Wholes = None
    durfloors: tuple[DurFloor, ...] | None = None
    ext: Ext | None = None


class Video(Timed, gc=False):
    """A video impression (3.2.7)."""

    w: Whole = None
    h: Whole = None
    placement: Whole = None
    plcmt: Whole = None
    linearity: Whole = None
    skip: Whole = None
    skipmin: Whole = None
    skipafter: Whole = None
    boxingallowed: Whole = None
    playbackmethod: Wholes = None
    playbackend: Whole = None
    pos: Whole = None


class Audio(Timed, gc=False):
    """An audio impression (3.2.8)."""

    feed: Whole = None
    stitched: Whole = None
    nvol: Whole = None


class Native(Struct, gc=False):
    """A native impression (3.2.9); what is asked for is JSON within a string."""

    request: Name
    ver: Text = None
    api: Wholes = None
    battr: Wholes = None
    ext: Ext | None = None


class Deal(Struct, gc=False):
    """A deal (3.2.12)."""

    id: Name
    bidfloor: Number = None
    bidfloorcur: Text = None
    at: Whole = None
    wseat: Texts = None
    wadomain: Texts = None
    guar: Whole = None
    mincpmpersec: Number = None
    durfloors: tuple[DurFloor, ...] | None = None
    ext: Ext | None = None


class Pmp(Struct, gc=False):
    """The private marketplace (3.2.11)."""

    private_auction: Whole = None
    deals: tuple[Deal, ...] | None = None
    ext: Ext | None = None


class Metric(Struct, gc=False):
    """A measured figure of an impression (3.2.5)."""

    type: str
    value: float
    vendor: Text = None


class Qty(Struct, gc=False):
    """How many see one showing (3.2.31)."""

    multiplier: float
    sourcetype: Whole = None
    vendor: Text = None


class RefSettings(Struct, gc=False):
    """How a place refreshes itself (3.2.34)."""

    reftype: Whole = None
    minint: Whole = None


class Refresh(Struct, gc=False):
    """That a place refreshes itself (3.2.33)."""

    refsettings: tuple[RefSettings, ...] | None = None
    count: Whole = None


class ImpExt(Struct, gc=False):
    """What 2.5 kept in the extension."""

    is_rewarded_inventory: int | bool | None = None


class Imp(Struct, gc=False):
    """One impression (3.2.4)."""

    id: Name
    metric: tuple[Metric, ...] | None = None
    banner: Banner | None = None
    video: Video | None = None
    audio: Audio | None = None
    native: Native | None = None
    pmp: Pmp | None = None
    displaymanager: Text = None
    displaymanagerver: Text = None
    instl: Whole = None
    tagid: Text = None
    bidfloor: Number = None
    bidfloorcur: Text = None
    clickbrowser: Whole = None
    secure: Whole = None
    iframebuster: Texts = None
    rwdd: Whole = None
    ssai: Whole = None
    exp: Whole = None
    qty: Qty | None = None
    dt: Number = None
    refresh: Refresh | None = None
    ext: ImpExt | None = None

"""Bid requests as they come over the wire: every attribute we know, with its type.

OpenRTB 2.6 and the places of 2.5. Unknown fields and unknown numbers of a list pass; a known
field of the wrong type, or a missing one that the specification requires, does not. Null is
as if absent. Knows nothing of what any of it means (see service.openrtb.reading).
Source: IAB Tech Lab, OpenRTB 2.6, sections 3.2.1 to 3.2.35.
"""

from typing import Annotated

from msgspec import Meta, Struct

from service.openrtb.wire_imp import Ext, Imp, Text, Texts, Whole, Wholes
from service.openrtb.wire_place import App, Device, Dooh, Site, User


class ChainNode(Struct, gc=False):
    """One node of a supply chain (3.2.26)."""

    asi: str
    sid: str
    rid: Text = None
    name: Text = None
    domain: Text = None
    hp: Whole = None


class Chain(Struct, gc=False):
    """A supply chain (3.2.25)."""

    complete: int
    nodes: tuple[ChainNode, ...]
    ver: str


class SourceExt(Struct, gc=False):
    """What 2.5 kept in the extension."""

    schain: Chain | None = None


class Source(Struct, gc=False):
    """The inventory's source (3.2.2)."""

    fd: Whole = None
    tid: Text = None
    pchain: Text = None
    schain: Chain | None = None
    ext: SourceExt | None = None


class RegsExt(Struct, gc=False):
    """What 2.5 kept in the extension; gpc is the browser's own opt-out."""

    gdpr: Whole = None
    us_privacy: Text = None
    gpp: Text = None
    gpp_sid: Wholes = None
    gpc: str | int | None = None


class Regs(Struct, gc=False):
    """Regulations in force (3.2.3)."""

    coppa: Whole = None
    gdpr: Whole = None
    us_privacy: Text = None
    gpp: Text = None
    gpp_sid: Wholes = None
    ext: RegsExt | None = None


class BidRequest(Struct, gc=False):
    """The whole request (3.2.1)."""

    id: Annotated[str, Meta(min_length=1)]
    imp: Annotated[tuple[Imp, ...], Meta(min_length=1)]
    site: Site | None = None
    app: App | None = None
    dooh: Dooh | None = None
    device: Device | None = None
    user: User | None = None
    test: Whole = None
    at: Whole = None
    tmax: Whole = None
    wseat: Texts = None
    bseat: Texts = None
    allimps: Whole = None
    cur: Texts = None
    wlang: Texts = None
    wlangb: Texts = None
    acat: Texts = None
    bcat: Texts = None
    cattax: Whole = None
    badv: Texts = None
    bapp: Texts = None
    source: Source | None = None
    regs: Regs | None = None
    ext: Ext | None = None

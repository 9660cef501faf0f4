"""Where and who, as it comes over the wire: site, app, screen, device, user.

Types only; see service.openrtb.wire. Source: OpenRTB 2.6, sections 3.2.13 to 3.2.24, 3.2.27
to 3.2.30 and 3.2.32.
"""

from msgspec import Struct

from service.openrtb.wire_imp import Ext, Number, Text, Texts, Whole


class Publisher(Struct, gc=False):
    """Who is paid (3.2.15); a content's producer (3.2.17) has the same attributes."""

    id: Text = None
    name: Text = None
    cattax: Whole = None
    cat: Texts = None
    domain: Text = None
    ext: Ext | None = None


class Segment(Struct, gc=False):
    """One value of a data provider (3.2.22)."""

    id: Text = None
    name: Text = None
    value: Text = None


class Data(Struct, gc=False):
    """What a data provider says (3.2.21)."""

    id: Text = None
    name: Text = None
    cids: Texts = None
    segment: tuple[Segment, ...] | None = None


class Named(Struct, gc=False):
    """A network (3.2.23) or channel (3.2.24)."""

    id: Text = None
    name: Text = None
    domain: Text = None


class Content(Struct, gc=False):
    """What the advertisement appears in (3.2.16)."""

    id: Text = None
    episode: Whole = None
    title: Text = None
    series: Text = None
    season: Text = None
    artist: Text = None
    genre: Text = None
    gtax: Whole = None
    genres: Texts = None
    album: Text = None
    isrc: Text = None
    producer: Publisher | None = None
    url: Text = None
    cattax: Whole = None
    cat: Texts = None
    prodq: Whole = None
    context: Whole = None
    contentrating: Text = None
    userrating: Text = None
    qagmediarating: Whole = None
    keywords: Text = None
    kwarray: Texts = None
    livestream: Whole = None
    sourcerelationship: Whole = None
    len: Whole = None
    language: Text = None
    langb: Text = None
    embeddable: Whole = None
    data: tuple[Data, ...] | None = None
    network: Named | None = None
    channel: Named | None = None
    ext: Ext | None = None


class Outlet(Struct, gc=False):
    """What a site (3.2.13) and an app (3.2.14) have in common."""

    id: Text = None
    name: Text = None
    domain: Text = None
    cattax: Whole = None
    cat: Texts = None
    sectioncat: Texts = None
    pagecat: Texts = None
    privacypolicy: Whole = None
    publisher: Publisher | None = None
    content: Content | None = None
    keywords: Text = None
    kwarray: Texts = None
    inventorypartnerdomain: Text = None
    ext: Ext | None = None


class Site(Outlet, gc=False):
    """A website (3.2.13)."""

    page: Text = None
    ref: Text = None
    search: Text = None
    mobile: Whole = None


class App(Outlet, gc=False):
    """An application (3.2.14)."""

    bundle: Text = None
    storeurl: Text = None
    ver: Text = None
    paid: Whole = None


class Dooh(Struct, gc=False):
    """A screen out of home (3.2.32)."""

    id: Text = None
    name: Text = None
    venuetype: str | tuple[str, ...] | None = None
    venuetypetax: Whole = None
    publisher: Publisher | None = None
    domain: Text = None
    keywords: Text = None
    content: Content | None = None
    ext: Ext | None = None


class Geo(Struct, gc=False):
    """A location (3.2.19)."""

    lat: Number = None
    lon: Number = None
    type: Whole = None
    accuracy: Whole = None
    lastfix: Whole = None
    ipservice: Whole = None
    country: Text = None
    region: Text = None
    regionfips104: Text = None
    metro: Text = None
    city: Text = None
    zip: Text = None
    utcoffset: Whole = None
    ext: Ext | None = None


class Brand(Struct, gc=False):
    """A browser or platform (3.2.30)."""

    brand: Text = None
    version: Texts = None


class Agent(Struct, gc=False):
    """The user agent in parts (3.2.29)."""

    browsers: tuple[Brand, ...] | None = None
    platform: Brand | None = None
    mobile: Whole = None
    architecture: Text = None
    bitness: Text = None
    model: Text = None
    source: Whole = None


class Device(Struct, gc=False):
    """The device (3.2.18)."""

    geo: Geo | None = None
    dnt: Whole = None
    lmt: Whole = None
    ua: Text = None
    sua: Agent | None = None
    ip: Text = None
    ipv6: Text = None
    devicetype: Whole = None
    make: Text = None
    model: Text = None
    os: Text = None
    osv: Text = None
    hwv: Text = None
    h: Whole = None
    w: Whole = None
    ppi: Whole = None
    pxratio: Number = None
    js: Whole = None
    geofetch: Whole = None
    flashver: Text = None
    language: Text = None
    langb: Text = None
    carrier: Text = None
    mccmnc: Text = None
    connectiontype: Whole = None
    ifa: Text = None
    didsha1: Text = None
    didmd5: Text = None
    dpidsha1: Text = None
    dpidmd5: Text = None
    macsha1: Text = None
    macmd5: Text = None
    ext: Ext | None = None


class Uid(Struct, gc=False):
    """One identifier (3.2.28)."""

    id: Text = None
    atype: Whole = None


class Eid(Struct, gc=False):
    """Identifiers of one source (3.2.27)."""

    inserter: Text = None
    source: Text = None
    matcher: Text = None
    mm: Whole = None
    uids: tuple[Uid, ...] | None = None


class UserExt(Struct, gc=False):
    """What 2.5 kept in the extension."""

    consent: Text = None
    eids: tuple[Eid, ...] | None = None


class User(Struct, gc=False):
    """The human (3.2.20)."""

    id: Text = None
    buyeruid: Text = None
    yob: Whole = None
    gender: Text = None
    keywords: Text = None
    kwarray: Texts = None
    customdata: Text = None
    geo: Geo | None = None
    data: tuple[Data, ...] | None = None
    consent: Text = None
    eids: tuple[Eid, ...] | None = None
    ext: UserExt | None = None

"""The reference of a bid's latency: FastAPI with pydantic, given the very request, doing nothing.

Models of every object of benchmarks.bid_home's requests, typed field by field as anybody would
write them who starts a bidder with FastAPI; a response model; no middleware. Knows nothing of ours.
"""

from fastapi import FastAPI
from pydantic import BaseModel


class Format(BaseModel):
    """A size."""

    w: int
    h: int


class Banner(BaseModel):
    """What the impression takes."""

    w: int
    h: int
    pos: int | None = None
    btype: list[int] = []
    battr: list[int] = []
    topframe: int | None = None
    format: list[Format] = []


class Imp(BaseModel):
    """One impression."""

    id: str
    banner: Banner
    tagid: str | None = None
    secure: int | None = None
    bidfloor: float = 0
    bidfloorcur: str = "USD"


class Publisher(BaseModel):
    """Whose site it is."""

    id: str | None = None
    name: str | None = None
    domain: str | None = None


class Site(BaseModel):
    """Where it would be shown."""

    id: str | None = None
    domain: str | None = None
    cat: list[str] = []
    mobile: int | None = None
    page: str | None = None
    publisher: Publisher | None = None


class Geo(BaseModel):
    """Where the device is."""

    country: str | None = None
    region: str | None = None
    city: str | None = None
    utcoffset: int | None = None


class Device(BaseModel):
    """On what it would be shown."""

    ua: str | None = None
    ip: str | None = None
    devicetype: int | None = None
    os: str | None = None
    osv: str | None = None
    language: str | None = None
    make: str | None = None
    model: str | None = None
    js: int | None = None
    w: int | None = None
    h: int | None = None
    lmt: int | None = None
    dnt: int | None = None
    geo: Geo | None = None


class User(BaseModel):
    """To whom."""

    id: str | None = None
    buyeruid: str | None = None
    consent: str | None = None


class Regs(BaseModel):
    """Regulations in force."""

    gdpr: int | None = None
    coppa: int | None = None


class Node(BaseModel):
    """One who handed the request on."""

    asi: str
    sid: str
    hp: int


class Chain(BaseModel):
    """All of them."""

    complete: int
    ver: str
    nodes: list[Node]


class Source(BaseModel):
    """Where the request comes from."""

    tid: str | None = None
    schain: Chain | None = None


class BidRequest(BaseModel):
    """The whole request."""

    id: str
    imp: list[Imp]
    at: int = 2
    tmax: int | None = None
    cur: list[str] = []
    site: Site | None = None
    device: Device | None = None
    user: User | None = None
    regs: Regs | None = None
    source: Source | None = None
    bcat: list[str] = []
    badv: list[str] = []


class BidResponse(BaseModel):
    """What the reference answers."""

    id: str
    cur: str


app = FastAPI()


@app.post("/reference")
async def reference(request: BidRequest) -> BidResponse:
    """Answer at once; the cost measured is the framework's own."""
    return BidResponse(id=request.id, cur="USD")

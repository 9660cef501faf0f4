"""POST /v1/openrtb2/bid: an exchange asks what we pay; 200 with bids, 204 without, or 400.

Never a 5xx and never late: overload and every fault of ours are a 204 with a counted reason. Time
counts from when a request may have come; who has waited for a quarter of it is turned away.
Knows headers and statuses; the answer itself is made by service.bid_door.
"""

import zlib
from functools import lru_cache
from urllib.parse import parse_qs

from domain.errors import BadBody, SanderlingError
from domain.ids import is_valid_id
from domain.opportunities import NoBid
from service.bid_door import Answered
from service.bidding import no_bid
from service.context import Context
from service.http import Headers, Reply, Request, Route
from service.logs import log_unexpected
from service.openrtb.replying import BidResponseOut
from service.openrtb.wire import BidRequest

PATH = "/v1/openrtb2/bid"
MAX_BODY = 1 << 20
WHY = b"x-sanderling-why"
"""A request with this header is told the reason when there is no bid, in one of this name."""

_VERSION = (b"x-openrtb-version", b"2.6")
_PLAIN = (_VERSION,)
_ZIPPED = (_VERSION, (b"content-encoding", b"gzip"), (b"vary", b"accept-encoding"))
_LEVEL = 1
_GZIP = 16 + zlib.MAX_WBITS


def refuse(_: SanderlingError) -> Reply:
    """Answer what cannot be read: 400 and no content, as the protocol wants it."""
    return Reply(400, b"", _PLAIN)


def admit(context: Context, headers: Headers) -> Reply | None:
    """Turn away who has waited for a quarter of their time, or finds too many under way."""
    waited = context.bid_waits.begun()
    if waited * 4_000 <= context.bids.settings.cap_ms and context.bid_gate.enter():
        return None
    context.bid_waits.ended()
    explained = any(name == WHY for name, _ in headers)
    return _nothing(context, no_bid("shed"), explained=explained)


def leave(context: Context) -> None:
    """Make room for another."""
    context.bid_gate.leave()
    context.bid_waits.ended()


async def post_bid(context: Context, request: Request) -> Reply:
    """Answer one bid request that was admitted."""
    door = context.bids
    started = door.monotonic() - context.bid_waits.begun()
    zipped = explained = False
    for name, value in request.headers:
        if name == b"content-type":
            if not _is_json(value):
                raise BadBody("JSON is what is read here", field="content-type", code="bad_body")
        elif name == b"accept-encoding":
            zipped = _takes_gzip(value)
        elif name == WHY:
            explained = True
    try:
        answered = await door.answer(request.body, started, _exchange(request.query))
    except SanderlingError as error:
        if isinstance(error, BadBody):
            raise
        answered = Answered(b"", no_bid("store"))
    except Exception as error:
        # An exchange is told nothing of our faults: they are counted, and there is no bid.
        log_unexpected(error, route=PATH)
        context.metrics.unexpected.labels(PATH).inc()
        answered = Answered(b"", no_bid("error"))
    for log in answered.logs:
        context.decisions.put(log)
    if answered.refused is not None:
        return _nothing(context, answered.refused, explained=explained)
    context.metrics.count_bids(answered.bids)
    if zipped:
        return Reply(200, _zip(answered.body), _ZIPPED)
    return Reply(200, answered.body, _PLAIN)


def _nothing(context: Context, refused: NoBid, *, explained: bool) -> Reply:
    context.metrics.count_no_bid(int(refused.reason), refused.cause)
    if not explained:
        return Reply(204, b"", _PLAIN)
    told = f"nbr={int(refused.reason)}; cause={refused.cause}".encode()
    return Reply(204, b"", (_VERSION, (WHY, told)))


def _is_json(value: bytes) -> bool:
    kind = value.partition(b";")[0].strip().lower()
    return not kind or b"json" in kind or kind == b"text/plain"


@lru_cache(maxsize=1_024)
def _takes_gzip(value: bytes) -> bool:
    """Tell whether an accept-encoding header takes gzip (RFC 9110, section 12.5.3)."""
    for part in value.lower().split(b","):
        coding, _, weight = part.partition(b";")
        if coding.strip() in (b"gzip", b"x-gzip", b"*"):
            return weight.replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    return False


def _zip(body: bytes) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return packer.compress(body) + packer.flush()


@lru_cache(maxsize=1_024)
def _exchange(query: bytes) -> str:
    """Answer the exchange that an address names (`?exchange=name`), "" for none."""
    if not query:
        return ""
    try:
        fields = parse_qs(query.decode("ascii"), errors="strict", max_num_fields=16)
    except ValueError:
        return ""
    named = fields.get("exchange", [""])[0].lower()
    return named if is_valid_id(named) else ""


ROUTES = (
    Route(
        "POST", PATH, post_bid, "What do we pay? OpenRTB 2.6 and 2.5", "bids",
        body=BidRequest, replies={200: BidResponseOut, 204: None}, body_cap=MAX_BODY,
        query={"exchange": (str, "who is asking, as campaigns name exchanges")},
        refuse=refuse, admit=admit, leave=leave,
        description=(
            "204 is no bid; with the header x-sanderling-why the reason comes in one of the same "
            "name. 400 without a body is what cannot be read: no JSON, more than a mebibyte once "
            "inflated, a known field of the wrong type, or a required one missing. Unknown fields "
            "and unknown numbers of a list pass. Bodies may be gzip both ways."
        ),
    ),
)  # fmt: skip

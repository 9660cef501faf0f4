"""What a deployment chooses for its bids; read once from the environment.

Knows the names of the variables and their bounds, nothing of how bids are made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from domain.currencies import REFERENCE, Rates, parse_rates
from domain.opportunities import AuctionType

T = TypeVar("T")
SPECIAL = 500
_WORDS = {"first": AuctionType.first, "second": AuctionType.second}


@dataclass(slots=True, frozen=True)
class BidSettings:
    """Choices of one deployment about bids.

    public: where exchanges reach the notices. vendor: our id on the global vendor list, 0 for
    none: then nobody under the GDPR is bid for personally. cap_ms: no answer takes longer.
    margin_ms: what of an exchange's time the network takes. in_flight: requests under way in
    one worker before more are turned away. open_bids: bids for one impression outside deals.
    hold_s: how long money is set aside for a bid unless the exchange says. grace_s: how much
    later its bill may come. special: what auction types from 500 on mean. whole_chain: bid only
    if the supply chain is complete. blocked_nodes: systems whose inventory is never bought, by
    domain.
    """

    public: str = "http://127.0.0.1:8000"
    vendor: int = 0
    cap_ms: float = 20.0
    margin_ms: float = 10.0
    in_flight: int = 16
    open_bids: int = 1
    hold_s: int = 300
    grace_s: int = 60
    special: dict[int, AuctionType] = field(default_factory=dict[int, AuctionType])
    rates: Rates = REFERENCE
    whole_chain: bool = False
    blocked_nodes: frozenset[str] = frozenset()


def bid_settings_from_env(env: Mapping[str, str]) -> BidSettings:
    """Read the settings; raises ValueError naming the variable that cannot be understood."""
    plain = BidSettings()
    public = env.get("SANDERLING_PUBLIC_URL") or plain.public
    if not public.startswith(("http://", "https://")) or not public.isascii() or " " in public:
        raise ValueError("SANDERLING_PUBLIC_URL is an http or https address")
    chain = env.get("SANDERLING_BID_WHOLE_CHAIN") or "0"
    if chain not in ("0", "1"):
        raise ValueError("SANDERLING_BID_WHOLE_CHAIN is 0 or 1")
    return BidSettings(
        public=public,
        vendor=_number(env, "SANDERLING_TCF_VENDOR", int, plain.vendor, (0, 65_535)),
        cap_ms=_number(env, "SANDERLING_BID_CAP_MS", float, plain.cap_ms, (6, 1_000)),
        margin_ms=_number(env, "SANDERLING_BID_MARGIN_MS", float, plain.margin_ms, (0, 1_000)),
        in_flight=_number(env, "SANDERLING_BID_IN_FLIGHT", int, plain.in_flight, (1, 10_000)),
        open_bids=_number(env, "SANDERLING_BID_OPEN", int, plain.open_bids, (1, 10)),
        hold_s=_number(env, "SANDERLING_BID_HOLD_S", int, plain.hold_s, (30, 86_400)),
        grace_s=_number(env, "SANDERLING_BID_GRACE_S", int, plain.grace_s, (1, 3_600)),
        special=_special(env.get("SANDERLING_AUCTION_TYPES") or ""),
        rates=_rates(env.get("SANDERLING_RATES") or ""),
        whole_chain=chain == "1",
        blocked_nodes=frozenset(
            node.strip().lower()
            for node in (env.get("SANDERLING_BLOCKED_NODES") or "").split(",")
            if node.strip()
        ),
    )


def _number(
    env: Mapping[str, str],
    name: str,
    read: Callable[[str], T],
    plain: T,
    bounds: tuple[float, float],
) -> T:
    text = env.get(name)
    if not text:
        return plain
    low, high = bounds
    try:
        value = read(text)
        if low <= float(text) <= high:
            return value
    except ValueError:
        pass
    raise ValueError(f"{name} is a number from {low:g} to {high:g}")


def _special(text: str) -> dict[int, AuctionType]:
    """Read `500=first,501=second`."""
    found: dict[int, AuctionType] = {}
    for part in filter(None, text.split(",")):
        number, _, word = part.strip().partition("=")
        if not number.isdigit() or int(number) < SPECIAL or word not in _WORDS:
            raise ValueError(
                "SANDERLING_AUCTION_TYPES names types from 500 on, as 500=first,501=second"
            )
        found[int(number)] = _WORDS[word]
    return found


def _rates(path: str) -> Rates:
    if not path:
        return REFERENCE
    try:
        return parse_rates(Path(path).read_text(), Path(path).name)
    except (OSError, ValueError) as error:
        raise ValueError(f"SANDERLING_RATES cannot be read: {error}") from error

"""What may be bid for one impression of the open market, gathered in one compiled call.

The rules are those of service.openrtb.eligibility, asked once for each brand and list of blocks and
once for each shape of creative and kind of impression, and remembered; what is left for a request
is to look them up for the lines that match. Deals, pods and several impressions are
service.openrtb.candidates' business, which is also the definition. Knows nothing of prices.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt

from domain.currencies import Rates
from domain.opportunities import Auction, Opportunity
from models.bidding.gathering import ALLOWED, ASK, FLAT, NEVER, REFUSED, UNKNOWN, gather
from models.bidding.pricing import ASKED
from service.openrtb.amounts import OUT_OF_REACH
from service.openrtb.candidates import Candidate, Group, Offer, ReadyLine
from service.openrtb.creatives import ReadyCreative
from service.openrtb.eligibility import Fit, fit, refused_by_auction
from service.openrtb.floors import Terms, UnknownCurrency, flat_floor, terms_of

LARGEST = 20_000
"""Characters of a key that is remembered, about; larger ones go the long way each time."""
KEPT = 1_024
"""Lists of blocks, and kinds of impressions, of which the answers are remembered."""
_MOST = 4_096

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]
Key = TypeVar("Key", bound=Hashable)
Held = TypeVar("Held")


class Recent(Generic[Key, Held]):
    """What was made for the keys met last."""

    def __init__(self, room: int = KEPT) -> None:
        self._room = room
        self._held: OrderedDict[Key, Held] = OrderedDict()

    def get(self, key: Key) -> Held | None:
        """Answer what is held for a key, None for nothing."""
        found = self._held.get(key)
        if found is not None:
            self._held.move_to_end(key)
        return found

    def put(self, key: Key, made: Held) -> Held:
        """Hold `made`; what was asked for longest ago makes room."""
        if len(self._held) >= self._room:
            self._held.popitem(last=False)
        self._held[key] = made
        return made


class _Fits(NamedTuple):
    """Which shapes fill a kind of impression: floors float64[shapes] (see FLAT), and how."""

    floors: F64
    how: dict[int, Fit]


class Gathered(NamedTuple):
    """What may be bid: asked float64[n, columns of ASKED], and how each shape fits."""

    asked: F64
    how: dict[int, Fit]


@dataclass(slots=True)
class Gatherer:
    """The lines of a board as arrays, in the board's order; lines know their rows (`first`).

    Not shared between threads: answers are views of one array.
    """

    lines: Sequence[ReadyLine]
    _rows: tuple[I32, I32, I32] = field(init=False)
    _creatives: list[ReadyCreative] = field(init=False)
    _places: list[tuple[int, Group, int]] = field(init=False)
    _shapes: int = field(init=False)
    _brands: int = field(init=False)
    _verdicts: Recent[Any, U8] = field(init=False)
    _fits: Recent[Any, _Fits] = field(init=False)
    _money: dict[str, tuple[F64, F64, F64]] = field(init=False)
    _out: F64 = field(init=False)

    def __post_init__(self) -> None:
        brands: dict[object, int] = {}
        shapes: dict[object, int] = {}
        first, brand, shape = [0], list[int](), list[int]()
        self._creatives, self._places = [], []
        for number, ready in enumerate(self.lines):
            if ready.first != first[-1]:
                raise ValueError("lines know their rows, in their order")
            within = {n: (group, place) for group in ready.groups
                      for place, n in enumerate(group.numbers)}  # fmt: skip
            for place, one in enumerate(ready.creatives):
                brand.append(brands.setdefault(one.brand, len(brands)))
                shape.append(shapes.setdefault(one.shape, len(shapes)))
                self._creatives.append(one)
                self._places.append((number, *within[place]))
            first.append(len(brand))
        self._rows = tuple(np.array(part, np.int32) for part in (first, brand, shape))  # type: ignore[assignment]
        self._brands, self._shapes = len(brands), len(shapes)
        self._verdicts, self._fits, self._money = Recent(), Recent(), {}
        self._out = np.zeros((_MOST, len(ASKED)))

    def gather(self, auction: Auction, numbers: I32, rates: Rates) -> Gathered | None:
        """Answer what lines may bid for the auction's one impression, to be used before the next
        call; None where there is more to it than that."""
        opportunity = auction.opportunities[0]
        if len(auction.opportunities) > 1 or opportunity.deals or opportunity.private:
            return None
        if any(spot.pod for spot in opportunity.spots):
            return None
        currency, blocks = auction.currency, auction.blocks
        money = self._money.get(currency) or self._priced(currency, rates)
        verdicts = self._verdicts.get(blocks)
        if verdicts is None:
            if _size(blocks) > LARGEST:
                return None
            verdicts = self._verdicts.put(blocks, np.zeros(self._brands, np.uint8))
        try:
            flat = flat_floor(opportunity, currency, rates)
        except UnknownCurrency:
            return None
        if flat >= OUT_OF_REACH:
            return None
        spots = opportunity.spots
        timed = any(spot.floors is not None for spot in spots)
        kind = (spots, opportunity.secure, opportunity.rewarded, opportunity.multiplier > 0,
                (opportunity.floors, currency) if timed else None)  # fmt: skip
        fits = self._fits.get(kind)
        if fits is None:
            if _size(spots) > LARGEST:
                return None
            fits = self._fits.put(kind, _Fits(np.full(self._shapes, ASK), {}))
        while True:
            count = gather(
                numbers, self._rows, verdicts, fits.floors, float(flat), money, self._out
            )
            if count == len(self._out):
                return None
            if count >= 0:
                return Gathered(self._out[:count], fits.how)
            self._learn(-1 - count, auction, opportunity, verdicts, fits, rates)

    def _learn(
        self, row: int, auction: Auction, opportunity: Opportunity, verdicts: U8, fits: _Fits,
        rates: Rates,
    ) -> None:  # fmt: skip
        """Ask the rules about the brand and the shape of a row, where that is not known yet."""
        _, brand, shape = self._rows
        one = self._creatives[row]
        if verdicts[brand[row]] == UNKNOWN:
            refused = refused_by_auction(one, auction.blocks)
            verdicts[brand[row]] = REFUSED if refused else ALLOWED
        place = int(shape[row])
        if fits.floors[place] == ASK:
            fits.floors[place] = NEVER
            how = fit(one, opportunity)
            if isinstance(how, str):
                return
            if how.spot.floors is None:
                fits.floors[place], fits.how[place] = FLAT, how
                return
            duration = one.creative.duration_ms
            terms = terms_of(opportunity, how.spot, None, duration, auction.currency, rates)
            if terms is not None:
                fits.floors[place], fits.how[place] = float(terms.floor), how

    def _priced(self, currency: str, rates: Rates) -> tuple[F64, F64, F64]:
        """Answer standard bid, cap and rate of every line in an auction's currency."""
        rows: list[tuple[float, float, float]] = []
        for ready in self.lines:
            own = ready.currency
            try:
                money = (
                    rates.down(ready.standard, own, currency),
                    rates.down(ready.cap, own, currency),
                    rates.ratio(own, currency),
                )
            except KeyError:
                money = (ready.standard, ready.cap, 1.0) if own == currency else (0, NEVER, 1.0)
            rows.append(money if ready.open_market else (0, NEVER, 1.0))
        columns = np.array(rows, np.float64).reshape(-1, 3).T.copy()
        found = self._money[currency] = (columns[0].copy(), columns[1].copy(), columns[2].copy())
        return found

    def candidate(
        self, asked: Sequence[float], auction: Auction, gathered: Gathered
    ) -> tuple[Candidate, int]:
        """Answer the candidate of one that was asked about, and the place of its creative."""
        row, standard, cap, floor, _, _ = asked
        number, group, place = self._places[int(row)]
        how = gathered.how[int(self._rows[2][int(row)])]
        offer = Offer(0, auction.opportunities[0], how, None, Terms(int(floor)))
        return Candidate(self.lines[number], group, offer, int(standard), int(cap)), place


def _size(key: object) -> int:
    """Answer about how many characters a key of tuples, sets and texts holds."""
    if isinstance(key, str):
        return len(key) + 50
    if isinstance(key, tuple | frozenset):
        return 50 + sum(map(_size, cast(Iterable[object], key)))
    return 10

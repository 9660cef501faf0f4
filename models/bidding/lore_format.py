"""Lore as bytes: names as JSON, numbers as they are, a digest over all; part of the stored format.

What cannot be read, is of another release, or cannot be true is refused as a whole or part by
part, so that no blob ever rules a price. Knows nothing of where the bytes are kept.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.bandits.bank import Bank
from models.bandits.evidence import packed, unpacked
from models.bandits.frame import LATEST, Frame
from models.bandits.teachers import MOST_WORKERS
from models.bidding.arms import MULTIPLIERS, WIDTH
from models.bidding.lore import (
    MOST_CAMPAIGNS,
    MOST_CREATIVES,
    MOST_EXCHANGES,
    MOST_PAIRS,
    SUMS,
    Lore,
)
from models.bidding.market import MarketEvidence, believable

F64 = npt.NDArray[np.float64]

MAGIC: Final = b"SBL1"
MOST_BYTES: Final = 8 << 20
_FRAME: Final = Frame(MAGIC, MOST_BYTES, "lore")


def pack_lore(lore: Lore) -> bytes:
    """Write lore; raises ValueError when it is larger than lore may be."""
    market = lore.market
    parts = [
        *(_floats(lore.sums), _floats(lore.told)),
        packed(lore.multipliers.evidence, 0.0, 0.0),
        packed(lore.creatives.evidence, 0.0, 0.0),
    ]
    if market is not None:
        parts += [_floats(market.precision[np.tril_indices(len(market.shift))])]
        parts += [_floats(market.shift)]
    names = {
        "at": lore.at,
        "workers": {name: list(told) for name, told in lore.workers.items()},
        "centre": lore.centre,
        "campaigns": lore.campaigns,
        "exchanges": lore.exchanges,
        "multipliers": lore.multipliers.names,
        "creatives": lore.creatives.names,
        "market": None if market is None else [*market[:3], market.count],
    }
    return _FRAME.packed(names, parts)


def read_lore(held: bytes) -> Lore:
    """Read what `pack_lore` wrote; raises ValueError for anything else.

    Evidence and sums that cannot be true come back as nothing: one fault must not reach the rest.
    """
    return _FRAME.read(held, _parsed)


def _parsed(names: dict[str, Any], parts: list[bytes]) -> Lore:
    campaigns, exchanges = _words(names["campaigns"]), _words(names["exchanges"])
    if len(campaigns) > MOST_CAMPAIGNS or len(exchanges) > MOST_EXCHANGES + 1:
        raise ValueError("lore of more names than it may have")
    workers = {str(name): (int(one), int(at)) for name, (one, at) in names["workers"].items()}
    at, centre = int(names["at"]), names["centre"]
    if len(workers) > MOST_WORKERS or not 0 <= at < LATEST:
        raise ValueError("lore of more workers than it may have, or of no time")
    return Lore(
        at,
        workers,
        None if centre is None else float(centre),
        _market(names["market"], parts[4:]),
        campaigns,
        _true(np.frombuffer(parts[0], "<f8").reshape(len(campaigns), SUMS)),
        exchanges,
        _true(np.frombuffer(parts[1], "<f8").reshape(len(exchanges), 3)),
        _bank(names["multipliers"], parts[2], len(MULTIPLIERS), MOST_PAIRS),
        _bank(names["creatives"], parts[3], 1, MOST_CREATIVES),
    )


def _market(told: list[Any] | None, parts: list[bytes]) -> MarketEvidence | None:
    if told is None:
        return None
    base, since, renewed, count = told
    triangle, shift = np.frombuffer(parts[0], "<f8"), np.frombuffer(parts[1], "<f8").copy()
    d = len(shift)
    precision = np.zeros((d, d))
    lower = np.tril_indices(d)
    precision[lower] = triangle
    precision.T[lower] = triangle
    found = MarketEvidence(str(base), int(since), int(renewed), precision, shift, float(count))
    return found if believable(found) else None


def _bank(names: list[Any], part: bytes, rows: int, most: int) -> Bank:
    pairs = tuple((str(one), str(other)) for one, other in names)
    evidence = unpacked(part).evidence
    if len(pairs) > most or evidence.shift.shape != (len(pairs) * rows, WIDTH):
        raise ValueError("evidence of other arms than these")
    return Bank(pairs, evidence, rows)


def _true(sums: F64) -> F64:
    """Answer a copy without rows that cannot be sums of what happened."""
    good = np.all(np.isfinite(sums) & (sums >= 0.0), axis=1, keepdims=True)
    return np.where(good, sums, 0.0)


def _words(names: list[Any]) -> tuple[str, ...]:
    return tuple(str(name) for name in names)


def _floats(array: F64) -> bytes:
    return np.ascontiguousarray(array, "<f8").tobytes()

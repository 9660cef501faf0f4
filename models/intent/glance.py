"""One look at a user's history: the last session's score in one compiled call.

The same kernels in the same order as the long way (the visit, the encoding, the network, the
rows, the forest, the confidence), without the arrays of Python between them, which cost ten
times the arithmetic. A network without a plain form, or a forest without a lean one, has only
the long way. Knows nothing of stores or calibration.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from models.forest.forest import Forest
from models.forest.lean import WIDE
from models.forest.lean import raw as add_outputs
from models.intent.categories import Categories
from models.intent.confidence import PLACES, STARTS, Confidence, write_steady, write_trust
from models.intent.encoding import Encoding
from models.intent.features import NAMES, fill
from models.intent.network import Network
from models.intent.packing import pack, part
from models.intent.past import ECHOES, PAST, PRIOR, SESSION, echoes_of, prior_of
from models.intent.question import write_stands
from models.intent.recurrent import Weights, run
from models.intent.renown import Renown
from models.intent.scaling import scale
from models.intent.visit import session_start
from models.intent.vocabulary import FIELDS, STEPS, Columns, write_codes, write_steps

Arrays = tuple[npt.NDArray[Any], ...]
_FIELDS, _STEPS, _ECHOES, _PRIOR, _NAMES = map(len, (FIELDS, STEPS, ECHOES, PRIOR, NAMES))
_PLACES = len(PLACES)
_WORDS, _TRUST, _OF_STEPS, _OF_ECHOES, _OF_PRIOR, _FOREST, _NETWORK = 0, 3, 6, 9, 12, 15, 20
"""Where in the pack the arrays of each part begin, see `Glancer.of`."""
_MIX_NETWORK, _MIX_FOREST, _BITS, _HALF, _GOAL, _NEEDED, _LOG = range(7)
"""Places in the settings; from _LOG on whether steps, echoes and prior are logarithms."""
_SORTS = (np.uint8, np.uint64, np.int64, np.uint16, np.int64)
_CROWD = 4
"""Known items there are for each bucket of the index, about."""


class Seen(NamedTuple):
    """Of the last session: log_odds and confidence (before freshness) after its last scored
    event, how many events were scored and how many there are, and when the last was (ms UTC)."""

    log_odds: float
    confidence: float
    scored: int
    events: int
    last_at: int


@njit(cache=True, nogil=True, error_model="numpy")
def _own_events(
    history: tuple, low: int, settings: np.ndarray, items: np.ndarray, codes: np.ndarray,
    firsts: np.ndarray,
) -> Columns:  # fmt: skip
    """Answer the events from `low` on as models read them; an item's bucket is its first bits."""
    kinds, hashes, values, currencies, ats = history
    n, shift = len(ats) - low, np.uint64(64) - np.uint64(settings[_BITS])
    own = Columns(
        np.empty(n, np.int8), np.empty(n, np.uint64), np.zeros(n, np.int32),
        np.empty(n, np.int64), np.empty(n, np.int64),
    )  # fmt: skip
    for k in range(n):
        item = np.uint64(hashes[low + k])
        own.kinds[k], own.items[k], own.ats[k] = kinds[low + k], item, ats[low + k]
        # Amounts of another currency are not of the size that the model learned.
        own.values[k] = values[low + k] if currencies[low + k] == 0 else 0
        if items.shape[0]:
            place = firsts[item >> shift]
            while place < items.shape[0] and items[place] < item:
                place += 1
            if place < items.shape[0] and items[place] == item:
                own.categories[k] = codes[place]
    return own


@njit(cache=True, nogil=True, error_model="numpy")
def _scaled(
    blob: np.ndarray, bounds: np.ndarray, first: int, log: bool, x: np.ndarray, out: np.ndarray
) -> None:
    """Scale rows by the scaling whose mean, deviation and flags are packed from `first` on."""
    mean = part(blob, bounds, first).view(np.float64)
    deviation = part(blob, bounds, first + 1).view(np.float64)
    scale(x, mean, deviation, part(blob, bounds, first + 2).view(np.int64), log, out)


@njit(cache=True, nogil=True, error_model="numpy")
def _weights(blob: np.ndarray, bounds: np.ndarray, table: np.ndarray) -> Weights:
    w = table.shape[1]
    return Weights(
        table,
        part(blob, bounds, _NETWORK).view(np.float32).reshape((-1, w)),
        part(blob, bounds, _NETWORK + 1).view(np.float32),
        part(blob, bounds, _NETWORK + 2).view(np.float32).reshape((-1, w)),
        part(blob, bounds, _NETWORK + 3).view(np.float32).reshape((w, -1)),
        part(blob, bounds, _NETWORK + 4).view(np.float32),
        part(blob, bounds, _NETWORK + 5).view(np.float32).reshape((w, -1)),
        part(blob, bounds, _NETWORK + 6).view(np.float32),
        part(blob, bounds, _NETWORK + 7).view(np.float32).reshape((-1, w)),
        part(blob, bounds, _NETWORK + 8).view(np.float32),
        part(blob, bounds, _NETWORK + 9).view(np.float32).reshape((w, -1)),
        part(blob, bounds, _NETWORK + 10).view(np.float32),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _heads(
    weights: Weights, codes: np.ndarray, numbers: np.ndarray, prior: np.ndarray
) -> tuple[float, float]:
    """Answer mean and deviation of the network's heads after the last event."""
    out = np.empty((1, weights.head.shape[1]), np.float32)
    run(weights, codes, numbers, prior, out)
    total, squares = 0.0, 0.0
    for k in range(out.shape[1]):
        total += np.float64(out[0, k])
    mean = total / out.shape[1]
    for k in range(out.shape[1]):
        squares += (np.float64(out[0, k]) - mean) ** 2
    return mean, np.sqrt(squares / out.shape[1])


@njit(cache=True, nogil=True, error_model="numpy")
def _from_network(
    own: Columns, codes: np.ndarray, prior: np.ndarray, echoes: np.ndarray,
    settings: np.ndarray, blob: np.ndarray, bounds: np.ndarray, table: np.ndarray,
) -> tuple[float, float]:  # fmt: skip
    """Answer what `_heads` does of events that are one session."""
    n = len(own.ats)
    steps = np.empty((n, _STEPS))
    write_steps(own, np.array([0, n]), steps)
    wide = _STEPS + len(part(blob, bounds, _OF_STEPS + 2)) // 8
    whole = wide + _ECHOES + len(part(blob, bounds, _OF_ECHOES + 2)) // 8
    numbers = np.empty((n, whole), np.float32)
    _scaled(blob, bounds, _OF_STEPS, settings[_LOG] != 0, steps, numbers[:, :wide])
    _scaled(blob, bounds, _OF_ECHOES, settings[_LOG + 1] != 0, echoes, numbers[:, wide:])
    user = np.empty((1, _PRIOR + len(part(blob, bounds, _OF_PRIOR + 2)) // 8), np.float32)
    _scaled(blob, bounds, _OF_PRIOR, settings[_LOG + 2] != 0, prior.reshape((1, -1)), user)
    return _heads(_weights(blob, bounds, table), codes, numbers, user[0])


@njit(cache=True, nogil=True, error_model="numpy")
def _from_forest(
    own: Columns, prior: np.ndarray, echoes: np.ndarray, blob: np.ndarray, bounds: np.ndarray
) -> float:
    """Answer the forest's raw output after the last event of a session."""
    n = len(own.ats)
    rows, out = np.empty((n, _NAMES)), np.zeros(1)
    fill(own.kinds, own.items, own.categories, own.values, own.ats, prior, echoes, rows)
    add_outputs(
        part(blob, bounds, _FOREST).view(np.uint32).reshape((-1, WIDE)),
        part(blob, bounds, _FOREST + 1).view(np.float64).reshape((-1, WIDE)),
        part(blob, bounds, _FOREST + 2).view(np.uint64).reshape((-1, 2)),
        part(blob, bounds, _FOREST + 3),
        part(blob, bounds, _FOREST + 4).view(np.float64),
        rows[n - 1 :],
        out,
    )
    return out[0]


@njit(cache=True, nogil=True, error_model="numpy")
def _trusted(
    own: Columns, known: np.ndarray, width: float, settings: np.ndarray, blob: np.ndarray,
    bounds: np.ndarray,
) -> float:  # fmt: skip
    """Answer the confidence after the last event, but for freshness."""
    n = len(own.ats)
    offsets, out, open_ = np.array([0, n]), np.empty(n), np.empty(n, np.bool_)
    usual = part(blob, bounds, _TRUST).view(np.float64)
    write_trust(known, offsets, usual, settings[_HALF], out)
    write_stands(own.kinds, offsets, int(settings[_GOAL]), int(settings[_NEEDED]), open_)
    steady = np.ones(1)
    widths = part(blob, bounds, _TRUST + 1).view(np.float64).reshape((_PLACES, -1))
    if widths.shape[1]:
        starts = part(blob, bounds, _TRUST + 2).view(np.int64)
        write_steady(np.full(1, width), np.full(1, n), starts, widths, steady)
    return out[n - 1] * open_[n - 1] * steady[0]


@njit(cache=True, nogil=True, error_model="numpy")
def _look(
    kinds: np.ndarray,
    hashes: np.ndarray,
    values: np.ndarray,
    currencies: np.ndarray,
    ats: np.ndarray,
    as_of: int,
    gap: int,
    settings: np.ndarray,
    blob: np.ndarray,
    bounds: np.ndarray,
    items: np.ndarray,
    codes: np.ndarray,
    firsts: np.ndarray,
    renown_categories: np.ndarray,
    category_counts: np.ndarray,
    renown_items: np.ndarray,
    item_counts: np.ndarray,
    totals: np.ndarray,
    met_items: np.ndarray,
    met_categories: np.ndarray,
    table: np.ndarray,
) -> Any:
    """Answer Seen of a history. Each array is an argument of its own: inside a tuple it would
    cost five times as much to hand over."""
    end = ats.shape[0]
    while end > 0 and ats[end - 1] >= as_of:
        end -= 1
    first = session_start(ats, end, gap)
    last = min(end, first + SESSION)
    if last <= first:
        return 0.0, 0.0, 0, 0, 0
    low = max(0, first - PAST)
    history = (kinds[:last], hashes[:last], values[:last], currencies[:last], ats[:last])
    whole = _own_events(history, low, settings, items, codes, firsts)
    begin, count = first - low, last - first
    renown = Renown(renown_categories, category_counts, renown_items, item_counts, totals)
    prior, echoes = np.empty(_PRIOR), np.empty((count, _ECHOES))
    prior_of(
        whole.kinds, whole.items, whole.categories, whole.values, whole.ats, begin, gap, prior
    )  # fmt: skip
    both = (begin, begin + count)
    echoes_of(whole.kinds, whole.items, whole.categories, whole.ats, both, renown, echoes)
    own = Columns(
        whole.kinds[begin:], whole.items[begin:], whole.categories[begin:],
        whole.values[begin:], whole.ats[begin:],
    )  # fmt: skip
    words, known = np.empty((count, _FIELDS), np.int64), np.empty((count, 3))
    kinds_met = part(blob, bounds, _WORDS).view(np.bool_)
    edges = part(blob, bounds, _WORDS + 1).view(np.int64)
    sizes = part(blob, bounds, _WORDS + 2).view(np.int64)
    met = (kinds_met, met_items, met_categories, edges)
    write_codes(own, np.array([0, count]), met, sizes, words, known)
    odds, width = 0.0, 0.0
    if table.shape[0]:
        mean, width = _from_network(own, words, prior, echoes, settings, blob, bounds, table)
        odds += settings[_MIX_NETWORK] * mean
    if len(part(blob, bounds, _FOREST)):
        odds += settings[_MIX_FOREST] * _from_forest(own, prior, echoes, blob, bounds)
    confidence = _trusted(own, known, width, settings, blob, bounds)
    return odds, confidence, count, end - first, ats[end - 1]


class Parts(NamedTuple):
    """What a glance is made from: the parts of a model, as the model holds them."""

    encoding: Encoding
    renown: Renown
    categories: Categories
    network: Network | None
    forest: Forest | None
    mix: tuple[float, float]
    trust: Confidence


@dataclass(frozen=True, eq=False)
class Glancer:
    """A model laid out for `look`; pure, may run in threads."""

    gap_ms: int
    settings: npt.NDArray[np.float64]
    arrays: Arrays

    def look(self, history: Arrays, as_of: int) -> Seen:
        """Answer the last session before as_of (ms UTC) of a user's events, oldest first.

        history: kinds, items (hash64), values (micros), currencies (0 is the house's) and ats,
        each [n]; a store's read-only records will do.
        """
        # Copies of one sort each: of any other numba would compile all anew, while somebody waits.
        own = [np.array(one, dtype) for one, dtype in zip(history, _SORTS, strict=True)]
        kernel: Any = _look
        return Seen(*kernel(*own, as_of, self.gap_ms, self.settings, *self.arrays))

    @classmethod
    def of(cls, parts: Parts, gap_ms: int, question: tuple[int, int]) -> Self | None:
        """Lay a model out; None when it has only the long way.

        question: see question.kinds_of. Raises ValueError when the parts do not fit each other.
        """
        encoding, network, forest, trust = parts.encoding, parts.network, parts.forest, parts.trust
        if (network is not None and network.plain is None) or (
            forest is not None and forest.few is None
        ):
            return None
        words = encoding.vocabulary
        weights = None if network is None else network.plain
        if weights is not None and (
            len(weights.table) < words.sizes.sum()
            or len(weights.number) != encoding.numbers
            or len(weights.prior) != encoding.prior.width
        ):
            raise ValueError("the network is of another encoding")
        if forest is not None and forest.features != len(NAMES):
            raise ValueError("the forest is of other features")
        scalings = (encoding.steps, encoding.echoes, encoding.prior)
        known = parts.categories
        bits = max(1, (len(known.items) // _CROWD).bit_length())
        packed = pack(
            [
                words.kinds, words.edges, words.sizes,
                trust.usual, trust.widths, STARTS,
                *(one for own in scalings for one in (own.mean, own.deviation, own.flags)),
                *_forest_arrays(forest),
                *(() if weights is None else weights[1:]),
            ]
        )  # fmt: skip
        logarithmic = [float(own.logarithmic) for own in scalings]
        settings = [*parts.mix, bits, trust.half, *question, *logarithmic]
        table = np.zeros((0, 1), np.float32) if weights is None else weights.table
        arrays = (
            *packed, np.array(known.items), np.array(known.codes), _firsts(known.items, bits),
            *parts.renown, words.items, words.categories, table,
        )  # fmt: skip
        return cls(gap_ms, np.array(settings, np.float64), arrays)


def _forest_arrays(forest: Forest | None) -> Arrays:
    few = None if forest is None else forest.few
    if few is None:
        return tuple(np.zeros(0) for _ in range(_NETWORK - _FOREST))
    return few.asks, few.thresholds, few.place, few.leaf, few.value


def _firsts(items: npt.NDArray[np.uint64], bits: int) -> npt.NDArray[np.int32]:
    """Answer int32[2^bits]: of hashes that rise, where those with these first bits begin."""
    starts = np.arange(1 << bits, dtype=np.uint64) << np.uint64(64 - bits)
    return np.searchsorted(items, starts).astype(np.int32)

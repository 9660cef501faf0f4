"""Pricing: from candidates to bids in one compiled call: value, pace, trust, shading.

Every candidate has a row that says what may be bid, and every line with every creative a row in a
table made beforehand. Below a confidence of one half, in the value or (in a first-price auction)
in the landscape, the line's standard bid is what is bid. Knows nothing of arms, budgets or wires.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from models.bidding.columns import WORDS
from models.bidding.landscape import Moments, drawn_from, win_chance
from models.bidding.ready import Trees, raw_of_lines
from models.bidding.shading import FIRST_PRICE, priced, whole
from models.bidding.value import ROAS, TRUSTED, one_value, trust

F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]

TABLE = (
    *("aim", "target", "worth", "click", "conversion", "pace", "click_doubt", "conversion_doubt"),
    "line",
)
"""Columns of the table: the aim (see value.AIMS), its target and what a conversion is worth (micros
of the campaign's currency), factors of the online calibration, the pace, with which values are
multiplied, the summed variances of the line's own words, and the line's number."""

ASKED = ("row", "standard", "cap", "floor", "rate", "kind")
"""Columns of what is asked of a candidate: its row in the table; standard bid, cap and floor in
cpm micros of the auction's currency; what a micro of the campaign's currency is in the auction's;
and one of the kinds below."""

PLAIN, AGREED, GUARANTEED = 0, 1, 2
"""A bid of our choice; the floor is the price, take it or leave it; must be bid, at the floor if
need be."""

BID, VALUE, CLICK, CONVERSION, CONFIDENCE, CHANCE, SCORE = range(7)
"""Columns of what is answered: cpm micros to bid (0: nothing) and of value after pacing, chances
of click and conversion, confidence, the chance to win, and by what candidates are ranked."""

HIGHEST_PACE = 5.0


@njit(cache=True, nogil=True, error_model="numpy")
def sane_pace(pace: float) -> float:
    """Answer a pace within 0 and HIGHEST_PACE; what is no number changes nothing."""
    if not pace >= 0.0:
        return 1.0 if pace != pace else 0.0
    return min(pace, HIGHEST_PACE)


Market = tuple[int, int, Moments, float, float, float, float]
"""Auction type, the landscape's law and moments, two standard normal numbers for the posterior's
draw, how sure the landscape is there (0 … 1; below 0 nothing at all is trusted), and the logarithm
of what a unit of the auction's currency is in the landscape's."""


@njit(cache=True, nogil=True, error_model="numpy")
def standard_bid(standard: float, pace: float, floor: float, cap: float) -> int:
    """Answer the standard bid, slowed down but never hurried; 0 when it is below the floor."""
    bid = whole(min(standard * min(pace, 1.0), cap))
    return bid if bid >= floor else 0


@njit(cache=True, nogil=True, error_model="numpy")
def shade(out: F64, asked: F64, market: Market, line: F64, only: float) -> None:
    """Fill in bids and their chances to win, of all rows or of one line's.

    What is trusted, and neither agreed nor at its floor because it must be, is shaded by a draw
    from the landscape's posterior; anything else bids its score. line: float64[n], each row's;
    only: the line that is wanted, below 0 for all.
    """
    at, law, moments, one, other, sure, unit = market
    location, scale = drawn_from(moments, one, other)
    location -= unit
    for row in range(out.shape[0]):
        if only >= 0.0 and line[row] != only:
            continue
        score, floor, cap = out[row, SCORE], asked[row, 3], asked[row, 2]
        bid = int(score)
        free = asked[row, 5] != AGREED and score > 0.0
        if free and at == FIRST_PRICE and out[row, CONFIDENCE] >= TRUSTED:
            worked_out = priced(at, out[row, VALUE], floor, cap, law, location, scale).bid
            bid = max(worked_out, bid if worked_out == 0 else 0)
        out[row, BID] = bid
        if sure > 0.0:
            out[row, CHANCE] = win_chance(law, float(bid), location, scale)


@njit(cache=True, nogil=True, error_model="numpy")
def price_rows(
    trees: Trees,
    scene: tuple[U8, tuple[float, float]],
    known: F64,
    lines: tuple[F64, U8],
    asked: F64,
    market: Market,
    best_alone: bool,
) -> tuple[F64, int]:
    """Answer float64[n, 7], see above, for n candidates of one impression; and the place of the
    highest score among those that bid, -1 for none.

    trees, scene, known: see models.bidding.ready. lines: the table, float64[m, 9], and the lines'
    own patterns, uint8[m, t]. asked: float64[n, 6]. best_alone: of other lines than the best one's
    the score is enough, and they get no bid.
    """
    n, words = asked.shape[0], len(WORDS)
    table, own = lines
    pattern, shared = scene
    at, sure_of_prices = market[0], market[5]
    rows = np.empty(n, np.int64)
    for row in range(n):
        rows[row] = int(asked[row, 0])
    clicks, conversions = np.zeros(n), np.zeros(n)
    raw_of_lines(trees, pattern, known, own, rows, (clicks, conversions))
    out, best = np.zeros((n, 7)), -1
    for row in range(n):
        line, ask = table[rows[row]], asked[row]
        standard, cap, floor, rate, aim = ask[1], ask[2], ask[3], ask[4], int(line[0])
        value, chance, converts, sure = one_value(
            (clicks[row], conversions[row]),
            trees.numbers,
            (shared[0] + line[6], shared[1] + line[7], words),
            aim,
            (line[1] if aim == ROAS else line[1] * rate, standard, line[2] * rate),
            (line[3], line[4]),
        )
        pace = sane_pace(line[5])
        paced = trust(value, standard, sure) * pace
        confidence = min(sure, sure_of_prices) if at == FIRST_PRICE else sure
        if sure_of_prices < 0.0 or not 0.0 <= paced < 9e15:
            confidence = 0.0
        if ask[5] == AGREED:
            score = floor
        elif confidence >= TRUSTED:
            score = float(whole(min(paced, cap)))
        else:
            score = float(standard_bid(standard, pace, floor, cap))
        if score < floor:
            score = floor if ask[5] == GUARANTEED else 0.0
        out[row, VALUE], out[row, CLICK], out[row, CONVERSION] = paced, chance, converts
        out[row, CONFIDENCE], out[row, SCORE] = confidence, score
        if score > 0.0 and (best < 0 or score > out[best, SCORE]):
            best = row
    own_line = np.empty(n)
    for row in range(n):
        own_line[row] = table[rows[row], 8]
    shade(out, asked, market, own_line, own_line[best] if best_alone and best >= 0 else -1.0)
    return out, best


@njit(cache=True, nogil=True, error_model="numpy")
def multiplied(bid: float, times: float, floor: float, cap: float) -> int:
    """Answer a bid times an arm's multiplier, within floor and cap, as whole cpm micros."""
    if not 0.0 < times < 10.0:
        times = 1.0
    return whole(min(max(bid * times, floor), cap))

"""What an impression's outcomes are worth to its campaign, in money: for judging afterwards.

The same aims that make a bid's value beforehand (see value), but of what came instead of what was
foretold. Knows nothing of prices, logs or policies.
"""

from models.bidding.value import CLICKS, CONVERSIONS, CPA, CPC, CPM, ROAS


def earnings_of(
    aim: int, target: float, standard: float, worth: float, means: tuple[float, float]
) -> tuple[float, float, float]:
    """Answer what being shown, a click and a conversion are worth, in micros.

    target: micros (of a ratio for roas, of 1,000 impressions for cpm). standard: the standard bid
    in cpm micros: an aim without a target is worth it at mean chances. worth: micros that a
    conversion brings. means: chances of a click, and of a conversion after one, in the log.
    """
    click, conversion = means
    if aim == CPM:
        return target / 1_000.0, 0.0, 0.0
    if aim == CPC:
        return 0.0, target, 0.0
    if aim == CPA:
        return 0.0, 0.0, target
    if aim == ROAS:
        return 0.0, 0.0, worth * 1e6 / target if target > 0.0 else 0.0
    if aim == CLICKS:
        return 0.0, standard / 1_000.0 / click if click > 0.0 else 0.0, 0.0
    if aim == CONVERSIONS and click * conversion > 0.0:
        return 0.0, 0.0, standard / 1_000.0 / (click * conversion)
    return 0.0, 0.0, 0.0

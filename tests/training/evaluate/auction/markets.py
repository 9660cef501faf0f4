"""Small markets for the tests of the simulated exchange."""

from dataclasses import replace

import numpy as np

from training.evaluate.auction.market import Market, MarketSettings, draw

SMALL = MarketSettings(a_minute=6.0, slots=240)


def small(seed: int = 0, **given: object) -> Market:
    """Draw a market of about 1,400 auctions."""
    return draw(replace(SMALL, **given), np.random.default_rng(seed))


def bare(
    value: list[float], others: list[list[float]], floor: list[float], **given: object
) -> Market:
    """Make a market of one slot by hand."""
    n = len(value)
    settings = replace(SMALL, slots=1, competitors=SMALL.competitors[: len(others[0])], **given)
    return Market(
        settings, np.array([0, n]), np.zeros(n, int), np.zeros(n, int), np.zeros(n, int),
        np.array(floor), np.array(value), np.full(n, 0.1), np.arange(n) % 2 == 0,
        np.zeros(n, int), np.array(others),
    )  # fmt: skip

"""A challenger judged off-policy: what its bids in shadow would have earned, from our own log.

Beside a share of the bids the service logs what the challenger would have bid for the same
candidate. Bids were drawn among multipliers of a price, with known chances; a challenger's price
is such a multiple too, so what came of the draws says what would have come of it. Knows nothing
of how prices are made.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from domain.errors import TooLittleData
from feature_store.log.files import log_files
from models.bidding.arms import MULTIPLIERS
from training.evaluate.ope import Log, crossfit, gains
from training.fit.bidding.bids import Bid
from training.gate import Check

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

FAMILY = "bidding-shadow"
STEPS = np.log(MULTIPLIERS)
NOTHING = len(MULTIPLIERS)
"""The arm of not bidding, which earns nothing for certain."""
LEAST = 200
"""Bids without which nothing is said."""
FAR, MOST_FAR = 0.12, 0.1
"""A price further than this (a logarithm) beyond all multiples tried is beyond the log, of which
at most such a share may be."""


class Shadowed(NamedTuple):
    """What a challenger would have bid for a candidate: cpm micros, 0 for nothing.

    standard: the standard bid. earns: micros that being shown, a click and a conversion are
    worth to the campaign.
    """

    price: float
    standard: float
    earns: tuple[float, float, float]


class Joined(NamedTuple):
    """n bids and their shadows. ratio: float64[n], the challenger's price over the one that was
    multiplied, 0 for no bid. usual: int[n], the multiplier its campaign mostly bids."""

    log: Log
    ratio: F64
    usual: I64


def read_shadows(decisions: Path, version: str) -> dict[str, Shadowed]:
    """Answer what one version bid in shadow, by the id of the bid it was beside."""
    frames = [
        pl.read_parquet(file.path, columns=["family", "model", "request"]).filter(
            pl.col("family") == FAMILY, pl.col("model") == version
        )
        for file in log_files(decisions)
    ]
    found: dict[str, Shadowed] = {}
    for text in pl.concat(frames)["request"] if frames else ():
        for row in _rows(text):
            shadow = _shadow(row)
            if shadow is not None:
                found[str(row["bid"])] = shadow
    return found


def _rows(text: str) -> list[dict[str, Any]]:
    try:
        rows = json.loads(text)["bids"]
        return [row for row in rows if isinstance(row, dict) and row.get("bid")]
    except (ValueError, KeyError, TypeError):
        return []


def _shadow(row: Mapping[str, Any]) -> Shadowed | None:
    """Answer a logged row, None for one whose numbers cannot be."""
    try:
        shown, click, conversion = (float(one) for one in row["earns"])
        made = Shadowed(float(row["price"]), float(row["standard"]), (shown, click, conversion))
    except (KeyError, TypeError, ValueError):
        return None
    sane = all(0 <= one < 1e15 for one in (made.price, *made.earns)) and 0 < made.standard < 1e15
    return made if sane else None


def join(bids: Sequence[Bid], shadows: Mapping[str, Shadowed]) -> Joined:
    """Answer the bids that have a shadow, with what they earned in standard bids each.

    Left out are those of nobody known, whose outcomes nobody hears of, those of which it is too
    soon to say, and those whose chance was not logged. With several creatives a propensity is of
    creative and multiplier together: the creative's share of its campaign's bids is taken out.
    Raises TooLittleData.
    """
    held = [
        bid
        for bid in bids
        if bid.bid in shadows and bid.entity and bid.won is not None
        and bid.arm >= 0 and 0 < bid.propensity <= 1
    ]  # fmt: skip
    if len(held) < LEAST:
        raise TooLittleData(
            f"{len(held):,} bids with a shadow of it are in the log, {LEAST} are wanted: leave it "
            "the challenger while the service bids"
        )
    arm = np.array([bid.arm % len(MULTIPLIERS) for bid in held], np.int64)
    creatives = Counter((bid.campaign, bid.arm // len(MULTIPLIERS)) for bid in held)
    campaigns = Counter(bid.campaign for bid in held)
    tried = Counter((bid.campaign, int(one)) for bid, one in zip(held, arm, strict=True))
    mostly = {
        name: max(range(len(MULTIPLIERS)), key=lambda one: tried[name, one]) for name in campaigns
    }
    share = np.array(
        [creatives[bid.campaign, bid.arm // len(MULTIPLIERS)] / campaigns[bid.campaign]
         for bid in held]
    )  # fmt: skip
    own = [shadows[bid.bid] for bid in held]
    base = np.array([bid.price for bid in held]) / np.array(MULTIPLIERS)[arm]
    standard = np.array([one.standard for one in own])
    floor = np.array([bid.floor for bid in held], np.float64)
    x = np.column_stack([np.clip(np.log(base / standard), -3, 3), np.minimum(floor / base, 1.0)])
    log = Log(
        x,
        arm,
        np.minimum(np.array([bid.propensity for bid in held]) / share, 1.0),
        np.array([earned(bid, one) for bid, one in zip(held, own, strict=True)]),
    )
    ratio = np.array([one.price for one in own]) / base
    return Joined(log, ratio, np.array([mostly[bid.campaign] for bid in held], np.int64))


def earned(bid: Bid, shadow: Shadowed) -> float:
    """Answer what came of a bid less what it cost, in standard bids; 0 when it was not shown."""
    if bid.shown is None:
        return 0.0
    shown, click, conversion = shadow.earns
    worth = shown + click * (bid.clicked is not None) + conversion * (bid.converted is not None)
    cost = (bid.paid or bid.price) / 1_000.0
    return (worth - cost) / (shadow.standard / 1_000.0)


def odds_of(joined: Joined) -> tuple[F64, npt.NDArray[np.bool_]]:
    """Answer the challenger's odds float64[n, arms + 1] of what was tried, the last of not
    bidding; and bool[n], where its price lies beyond all that was tried.

    It is taken to bid its price times the multiplier its campaign mostly bids. Between two
    multiples that were tried it is shared out by nearness on the scale of logarithms.
    """
    n = len(joined.ratio)
    odds, rows = np.zeros((n, NOTHING + 1)), np.arange(n)
    bids = joined.ratio > 0
    at = np.log(np.where(bids, joined.ratio, 1.0)) + STEPS[joined.usual]
    far = bids & ((at < STEPS[0] - FAR) | (at > STEPS[-1] + FAR))
    at = np.clip(at, STEPS[0], STEPS[-1])
    upper = np.clip(np.searchsorted(STEPS, at), 1, NOTHING - 1)
    near = (at - STEPS[upper - 1]) / (STEPS[upper] - STEPS[upper - 1])
    odds[rows, upper] = np.where(bids, near, 0.0)
    odds[rows, upper - 1] = np.where(bids, 1.0 - near, 0.0)
    odds[rows, NOTHING] = ~bids
    return odds, far


def check_shadow(bids: Sequence[Bid], shadows: Mapping[str, Shadowed]) -> Check:
    """Ask that by SNIPS and by DR the challenger's bids gain at least 0 over the current policy's,
    at the lower ends of the 95 % intervals."""
    try:
        joined = join(bids, shadows)
    except TooLittleData as error:
        return Check("off_policy", False, str(error))
    odds, far = odds_of(joined)
    if far.mean() > MOST_FAR:
        return Check(
            "off_policy", False,
            f"{far.mean():.0%} of its prices lie beyond all that was tried: the log cannot tell",
        )  # fmt: skip
    predicted = np.column_stack([crossfit(joined.log, NOTHING), np.zeros(len(far))])
    found = gains(joined.log, odds, predicted)
    told = ", ".join(
        f"{name.upper()} {one.value:+.4f} [{one.low:+.4f}, {one.high:+.4f}]"
        for name, one in found.items()
    )
    passed = all(one.low >= -1e-12 for one in found.values())
    detail = (
        f"a bid gains {told} standard bids over the current policy's "
        f"{joined.log.reward.mean():.4f}, {len(far):,} bids in shadow worth "
        f"{found['dr'].effective:,.0f}; at least 0 wanted at the lower ends"
    )
    return Check("off_policy", passed, detail)

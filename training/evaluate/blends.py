"""Mixes of a released blend valued from the log of answers: what each would have earned.

Every logged answer says which mix was drawn, with what probability and in which context; events
quote it by decision id. Each mix is valued by IPS, SNIPS, DR and SWITCH with 95 % intervals, and
advised as the new default only if it cannot be told to earn less. Changes nothing itself.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from domain.events import Kind
from feature_store.log.files import log_files
from feature_store.log.reader import read_log
from models.recommend.contexts import WIDTH
from models.recommend.mixes import ARMS, RELEASED
from training.evaluate.ope import (
    DECIDING,
    ESTIMATORS,
    Estimate,
    Floats,
    Log,
    crossfit,
    evaluate,
    interval,
)

FAMILY = "recommend"
_COLUMNS = ["decision_id", "at", "family", "items", "request"]
_EVENTS = ["kind", "at", "decision_id", "item"]
LEAST = 50.0
"""Answers that the weights must amount to before a mix may be advised."""


class Worth(NamedTuple):
    """What a reward is worth, as the service counts it: see SANDERLING_PURCHASE_REWARD."""

    click: float = 1.0
    purchase: float = 5.0
    window_ms: int = 7_200_000


class Valued(NamedTuple):
    """A mix: what it would have earned an answer by every estimator, and what it gains over the
    released one by those that decide. share: of the answers that were given with it."""

    mix: str
    share: float
    worth: dict[str, Estimate]
    gain: dict[str, Estimate]


class Advice(NamedTuple):
    """Every mix that was tried, the best first by DR, and which should be the default."""

    answers: int
    mixes: tuple[Valued, ...]
    default: str
    reasons: tuple[str, ...]


def read_answers(events: Path, decisions: Path, worth: Worth, since: int, until: int) -> Log:
    """Answer the log of answers whose mix was drawn, given from `since` until `until` (ms UTC).

    An outcome counts once an item and kind, on an item of the answer that was not placed to
    explore, within the window. Answers younger than the window are left out: their outcomes may
    not have come. Raises TooLittleData for too few answers.
    """
    frames = [
        pl.read_parquet(file.path, columns=_COLUMNS).filter(
            pl.col("family") == FAMILY,
            pl.col("at").is_between(since, until - worth.window_ms, closed="left"),
        )
        for file in log_files(decisions)
    ]
    rows = pl.concat(frames).unique("decision_id").sort("at", "decision_id") if frames else None
    answers: dict[str, tuple[int, set[str], Mapping[str, Any]]] = {}
    for row in () if rows is None else rows.iter_rows(named=True):
        chosen = chosen_of(row["request"])
        if chosen is not None:
            explored = set(chosen["explored"])
            items = {item for at, item in enumerate(row["items"]) if at not in explored}
            answers[row["decision_id"]] = (int(row["at"]), items, chosen)
    rewards = dict.fromkeys(answers, 0.0)
    came = read_log(events, _EVENTS, until=until).filter(
        pl.col("decision_id").is_in(list(answers)),
        pl.col("kind").is_in([int(Kind.click), int(Kind.purchase)]),
    )
    for row in came.unique(["decision_id", "kind", "item"], keep="first").iter_rows(named=True):
        at, items, _ = answers[row["decision_id"]]
        if row["item"] in items and 0 <= row["at"] - at <= worth.window_ms:
            bought = row["kind"] == Kind.purchase
            rewards[row["decision_id"]] += worth.purchase if bought else worth.click
    told = [one[2] for one in answers.values()]
    return Log(
        np.array([one["context"][1:] for one in told], np.float64).reshape(-1, WIDTH - 1),
        np.array([ARMS.index(one["mix"]) for one in told], np.int64),
        np.array([one["propensity"] for one in told], np.float64),
        np.array(list(rewards.values()), np.float64),
    )


def chosen_of(request: str) -> dict[str, Any] | None:
    """Answer what a decision's request says of how its mix was drawn; None where none was."""
    try:
        chosen = json.loads(request)["chosen"]
        known = chosen["mix"] in ARMS and 0.0 < chosen["propensity"] <= 1.0
        fits = len(chosen["context"]) == WIDTH and isinstance(chosen["explored"], list)
    except (KeyError, TypeError, ValueError):
        return None
    return chosen if known and fits and chosen["learning"] else None


def value_mixes(log: Log) -> tuple[Valued, ...]:
    """Value every mix that was tried, as if it had answered all the time; best first by DR."""
    predicted = crossfit(log, len(ARMS))
    tried = [arm for arm in range(len(ARMS)) if (log.arm == arm).any()]
    found = [
        Valued(
            ARMS[arm],
            float((log.arm == arm).mean()),
            evaluate(log, _always(arm, len(log.reward)), predicted),
            over(log, arm, RELEASED, predicted),
        )
        for arm in tried
    ]
    return tuple(sorted(found, key=lambda one: -one.worth["dr"].value))


def over(log: Log, arm: int, other: int, predicted: Floats) -> dict[str, Estimate]:
    """Answer what one mix gains over another an answer, by the estimators that decide.

    Paired: the interval is that of the difference of both mixes' terms, answer by answer.
    """
    terms = [_terms(log, one, predicted) for one in (arm, other)]
    out: dict[str, Estimate] = {}
    for name in DECIDING:
        (ours, mine), (theirs, held) = (ESTIMATORS[name](w, r, q, v) for w, r, q, v in terms)
        bounds = interval(ours - theirs, mine - held)
        effective = min(float((log.arm == one).sum()) for one in (arm, other))
        out[name] = Estimate(ours - theirs, *bounds, effective)
    return out


def _terms(log: Log, arm: int, predicted: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    weight = (log.arm == arm) / log.propensity
    at = np.arange(len(log.reward))
    return weight, log.reward, predicted[at, log.arm], predicted[:, arm]


def advise(log: Log) -> Advice:
    """Advise a default: the best mix by DR whose gain over the released one is not below 0 at
    the lower ends of both SNIPS' and DR's intervals; the released one where there is none."""
    mixes = value_mixes(log)
    reasons: list[str] = []
    for one in mixes:
        if one.mix == ARMS[RELEASED]:
            break
        short = [
            f"{one.mix}: {name.upper()} gains {gain.low:+.4f} at the least"
            for name, gain in one.gain.items()
            if not gain.low >= 0.0
        ]
        if one.worth["dr"].effective < LEAST:
            short.append(f"{one.mix}: worth {one.worth['dr'].effective:.0f} answers, too few")
        if not short:
            return Advice(len(log.reward), mixes, one.mix, tuple(reasons))
        reasons += short
    return Advice(len(log.reward), mixes, ARMS[RELEASED], tuple(reasons))


def table_of(advice: Advice) -> list[str]:
    """Answer the advice as lines for people."""
    lines = [
        f"{advice.answers:,} answers; reward an answer, 95 % intervals",
        f"{'mix':<10} {'share':>6}  {'SNIPS':<28} {'DR':<28} gain over released (DR)",
    ]
    for one in advice.mixes:
        told = [_told(one.worth[name]) for name in ("snips", "dr")]
        lines.append(
            f"{one.mix:<10} {one.share:>6.1%}  {told[0]:<28} {told[1]:<28} {_told(one.gain['dr'])}"
        )
    lines += [f"not advised: {reason}" for reason in advice.reasons]
    return [*lines, f"advised default: {advice.default}"]


def _told(one: Estimate) -> str:
    return f"{one.value:+.4f} [{one.low:+.4f}, {one.high:+.4f}]"


def _always(arm: int, n: int) -> Floats:
    odds = np.zeros((n, len(ARMS)))
    odds[:, arm] = 1.0
    return odds

"""Mixes of a released blend valued from the log of answers: what each would have earned.

Every logged answer says which mix was drawn, with what probability, on which page and in which
context; events quote it by decision id. Each mix is valued by IPS, SNIPS, DR and SWITCH with 95 %
intervals, and advised as the new default only if it cannot be told to earn less. Changes nothing
itself; see training.evaluate.default_mix for who may.
"""

import json
from collections import Counter
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
from models.recommend.reception import ELSEWHERE, LONGEST_PAGE, MOST_PAGES
from models.recommend.worth import Worth
from training.evaluate.ope import (
    DECIDING,
    ESTIMATORS,
    LEAST_ROWS,
    Estimate,
    Floats,
    Log,
    crossfit,
    evaluate,
    interval,
)

FAMILY = "recommend"
_COLUMNS = ["decision_id", "at", "family", "model", "items", "request"]
_EVENTS = ["kind", "at", "decision_id", "item"]
LEAST = 50.0
"""Answers that the weights must amount to before a mix may be advised."""


class Answers(NamedTuple):
    """Answers whose mix was drawn, oldest first. pages: of each, the page it was for, "" where
    nobody said or the name is too long or not to be shown."""

    log: Log
    pages: tuple[str, ...]

    def on(self, page: str) -> Log | None:
        """Answer the log of one page, None where it holds too little to say anything."""
        chosen = np.array([one == page for one in self.pages], np.bool_)
        return self.log.rows(chosen) if chosen.sum() >= LEAST_ROWS else None


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


def read_answers(
    events: Path, decisions: Path, worth: Worth, since: int, until: int, model: str = ""
) -> Answers:
    """Answer the answers whose mix was drawn, given from `since` until `until` (ms UTC).

    model: of which, as the log names it; "" for any. A mix is other weights in another model.
    An outcome counts once an item and kind, on an item of the answer that was not placed to
    explore, within the window. Answers younger than the window are left out: their outcomes may
    not have come. Raises TooLittleData for too few answers.
    """
    wanted = [
        pl.col("family") == FAMILY,
        pl.col("at").is_between(since, until - worth.window_ms, closed="left"),
    ]
    if model:
        wanted.append(pl.col("model") == model)
    frames = [
        pl.read_parquet(file.path, columns=_COLUMNS).filter(*wanted)
        for file in log_files(decisions)
    ]
    rows = pl.concat(frames).unique("decision_id").sort("at", "decision_id") if frames else None
    answers: dict[str, _Drawn] = {}
    for row in () if rows is None else rows.iter_rows(named=True):
        chosen = chosen_of(row["request"])
        if chosen is not None:
            explored = set(chosen["explored"])
            items = {item for at, item in enumerate(row["items"]) if at not in explored}
            answers[row["decision_id"]] = _Drawn(int(row["at"]), items, chosen)
    reward = _rewards(answers, read_log(events, _EVENTS, until=until), worth)
    told = [one.chosen for one in answers.values()]
    log = Log(
        np.array([one["context"][1:] for one in told], np.float64).reshape(-1, WIDTH - 1),
        np.array([ARMS.index(one["mix"]) for one in told], np.int64),
        np.array([one["propensity"] for one in told], np.float64),
        reward,
    )
    return Answers(log, tuple([one["page"] for one in told]))


class _Drawn(NamedTuple):
    """An answer: when it was given, its items that a mix placed, and how the mix was drawn."""

    at: int
    items: set[str]
    chosen: Mapping[str, Any]


def _rewards(answers: Mapping[str, _Drawn], events: pl.DataFrame, worth: Worth) -> Floats:
    """Answer float64[answers]: what came of each."""
    rewards = dict.fromkeys(answers, 0.0)
    came = events.filter(
        pl.col("decision_id").is_in(list(answers)),
        pl.col("kind").is_in([int(Kind.click), int(Kind.purchase)]),
    )
    came = came.sort("at").unique(["decision_id", "kind", "item"], keep="first")
    for row in came.iter_rows(named=True):
        answer = answers[row["decision_id"]]
        if row["item"] in answer.items and 0 <= row["at"] - answer.at <= worth.window_ms:
            bought = row["kind"] == Kind.purchase
            rewards[row["decision_id"]] += worth.purchase if bought else worth.click
    return np.array(list(rewards.values()), np.float64)


def chosen_of(request: str) -> dict[str, Any] | None:
    """Answer what a decision's request says of how its mix was drawn, and its `page`; None where
    none was."""
    try:
        asked = json.loads(request)
        chosen = asked["chosen"]
        known = chosen["mix"] in ARMS and 0.0 < chosen["propensity"] <= 1.0
        fits = len(chosen["context"]) == WIDTH and isinstance(chosen["explored"], list)
    except (KeyError, TypeError, ValueError):
        return None
    if not (known and fits and chosen["learning"]):
        return None
    context = asked.get("context")
    page = context.get("page") if isinstance(context, dict) else ""
    named = isinstance(page, str) and len(page) <= LONGEST_PAGE and page.isprintable()
    return {**chosen, "page": page if named else ELSEWHERE}


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
        short = shortfalls(one)
        if not short:
            return Advice(len(log.reward), mixes, one.mix, tuple(reasons))
        reasons += short
    return Advice(len(log.reward), mixes, ARMS[RELEASED], tuple(reasons))


def shortfalls(valued: Valued) -> list[str]:
    """Answer why a mix may not take the released one's place; nothing where it may."""
    short = [
        f"{valued.mix}: {name.upper()} gains {gain.low:+.4f} at the least"
        for name, gain in valued.gain.items()
        if not gain.low >= 0.0
    ]
    # Both must have been tried: what nobody was given is worth nothing by any estimator.
    least = min(valued.worth["dr"].effective, valued.gain["dr"].effective)
    if least < LEAST:
        short.append(f"{valued.mix}: rests on {least:.0f} answers, too few")
    return short


def advise_pages(answers: Answers) -> dict[str, Advice]:
    """Answer the same for each page that has enough answers, those with the most first."""
    counts = Counter(answers.pages)
    logs = {page: answers.on(page) for page, _ in counts.most_common(MOST_PAGES)}
    return {page: advise(log) for page, log in logs.items() if log is not None}


def table_of(advice: Advice) -> list[str]:
    """Answer the advice as lines for people."""
    lines = [
        f"{advice.answers:,} answers; reward an answer, 95 % intervals",
        f"{'mix':<10} {'share':>6}  {'IPS':<27} {'SNIPS':<27} {'DR':<27} gain over released (DR)",
    ]
    for one in advice.mixes:
        told = "".join(f"{_told(one.worth[name]):<28}" for name in ("ips", "snips", "dr"))
        gain = "" if one.mix == ARMS[RELEASED] else _told(one.gain["dr"])
        lines.append(f"{one.mix:<10} {one.share:>6.1%}  {told}{gain}".rstrip())
    lines += [f"not advised: {reason}" for reason in advice.reasons]
    return [*lines, f"advised default: {advice.default}"]


def _told(one: Estimate) -> str:
    return f"{one.value:+.4f} [{one.low:+.4f}, {one.high:+.4f}]"


def _always(arm: int, n: int) -> Floats:
    odds = np.zeros((n, len(ARMS)))
    odds[:, arm] = 1.0
    return odds

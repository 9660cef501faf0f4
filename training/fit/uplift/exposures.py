"""A trial from the log: who was contacted by a campaign or a logged decision, and what came of it.

A campaign's events tell the contacted; an event of the campaign with `arm` "control" in its
properties tells who was held out, and `propensity` the chance of contact. A campaign that marked
nobody as held out is compared with everybody active whom it did not reach, which the check of
balance nearly always refuses. Logged decisions tell the chance by themselves. Each counts once, at
their first. Knows nothing of learners.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from domain.clock import DAY_MS
from domain.errors import ScientistError, TooLittleData
from domain.ids import hash64
from feature_store.history import History
from feature_store.log.files import log_files
from feature_store.log.reader import read_log
from feature_store.views.catalogue import views_named
from models.churn.features import OWN, matrix, names_of
from training.fit.churn.table import attributes_of
from training.fit.uplift.settings import UpliftSettings
from training.fit.uplift.tables import CONTROL, arms_of
from training.fit.uplift.trial import F64, I64, Flags, Trial, even_chances
from training.labels import around, kind_flags, terms

DECISIONS = {
    "decision_id": pl.String,
    "at": pl.Int64,
    "family": pl.String,
    "entity": pl.String,
    "items": pl.List(pl.String),
    "propensities": pl.List(pl.Float64),
}


class Dealt(NamedTuple):
    """Who was dealt what: entity names, times (ms UTC), bool[n], chances or None."""

    entities: list[str]
    at: I64
    treated: Flags
    propensity: F64 | None


def read_decisions(root: Path, family: str) -> pl.DataFrame:
    """Read logged decisions of a family, each once; an absent log gives no row."""
    frames = [
        pl.read_parquet(file.path, columns=list(DECISIONS)).filter(pl.col("family") == family)
        for file in log_files(root)
    ]
    if not frames:
        return pl.DataFrame(schema=DECISIONS)
    return pl.concat(frames).unique("decision_id", maintain_order=True)


def from_decisions(frame: pl.DataFrame, settings: UpliftSettings) -> Dealt:
    """Answer each user's first decision: the first item is what was dealt, with its chance.

    Two arms are taken for granted: whoever was not contacted with chance p had 1 - p of contact.
    """
    users = frame.filter(pl.col("entity").str.starts_with("u"), pl.col("items").list.len() > 0)
    first = users.sort("at", "decision_id").unique("entity", keep="first", maintain_order=True)
    if not first.height:
        raise TooLittleData(
            f"no decision of the family {settings.decisions!r} is logged, and neither a campaign "
            "nor a table is named: whoever decides on contact must log what was decided and "
            "with what chance"
        )
    treated, known = arms_of(
        first["items"].list.first().to_list(), settings.treated, settings.control
    )
    chance = np.array([row[0] if row else np.nan for row in first["propensities"].to_list()])
    e = np.where(treated, chance, 1 - chance)
    kept = first.filter(pl.Series(known))
    return Dealt(kept["entity"].to_list(), kept["at"].to_numpy(), treated[known], e[known])


def _said(text: str | None) -> Mapping[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def from_campaign(frame: pl.DataFrame, history: History, settings: UpliftSettings) -> Dealt:
    """Answer each user's first event of the campaign (columns entity, at, properties)."""
    users = frame.filter(pl.col("entity").str.starts_with("u"))
    first = users.sort("at").unique("entity", keep="first", maintain_order=True)
    if not first.height:
        raise TooLittleData(f"the log holds no event of a user in campaign {settings.campaign!r}")
    said = [_said(text) for text in first["properties"].to_list()]
    treated = np.array(
        [str(one.get("arm", "treated")).lower() not in CONTROL for one in said], np.bool_
    )
    chances = [one.get("propensity") for one in said]
    if not treated.all():
        logged = all(isinstance(one, int | float) for one in chances)
        e = np.array(chances, np.float64) if logged else None
        return Dealt(first["entity"].to_list(), first["at"].to_numpy(), treated, e)
    return _beside(first["entity"].to_list(), int(first["at"].to_numpy()[0]), history, settings)


def _beside(reached: list[str], start: int, history: History, settings: UpliftSettings) -> Dealt:
    """Put everybody active beside those a campaign reached, all as of its start."""
    names = [name for name in history.entities if name[0] == "u"]
    place = {name: n for n, name in enumerate(history.entities)}
    entity = np.array([place[name] for name in names], np.int64)
    counted = np.ones_like(kind_flags(settings.kinds))
    last = around(history, entity, np.full(len(names), start, np.int64), 0, counted).last
    active = (last >= 0) & (start - last <= settings.active_days * DAY_MS)
    people = [name for name, known in zip(names, active, strict=True) if known]
    mine = set(reached)
    treated = np.array([name in mine for name in people], np.bool_)
    return Dealt(people, np.full(len(people), start, np.int64), treated, None)


def trial_of(
    dealt: Dealt,
    history: History,
    settings: UpliftSettings,
    until: int,
    profiles: Mapping[str, Mapping[str, Any]],
) -> Trial:
    """Answer the trial of what was dealt: rows of views before it, and what came by `until`.

    Whose time is not over by `until` (ms UTC), or of whom nothing was known, is left out.
    """
    horizon = round(settings.horizon_days * DAY_MS)
    place = {name: n for n, name in enumerate(history.entities)}
    over = dealt.at + horizon <= until
    rows = [n for n, name in enumerate(dealt.entities) if over[n] and name in place]
    if not rows:
        raise TooLittleData(
            f"nobody was dealt anything {settings.horizon_days:g} days before the end: wait, or "
            "choose a shorter horizon_days"
        )
    pairs = [(dealt.entities[n], int(dealt.at[n])) for n in rows]
    replayed = history.replay(views_named(OWN), pairs)
    entity = np.array([place[name] for name, _ in pairs], np.int64)
    as_of = np.array([at for _, at in pairs], np.int64)
    keep = replayed.found.copy()
    if settings.definition == "inactivity":
        came = around(history, entity, as_of, 0, kind_flags(settings.kinds)).following
        good = came < as_of + horizon
    else:
        running, left = terms(history, entity, as_of, 0, horizon)
        good, keep = left >= as_of + horizon, keep & running
    people = [profiles.get(name[1:], {}) for name, _ in pairs]
    return _trial(
        (replayed.views, people),
        [name for name, _ in pairs],
        dealt.treated[rows],
        good.astype(np.float64),
        None if dealt.propensity is None else dealt.propensity[rows],
        keep,
    )


def _trial(
    known: tuple[Mapping[str, npt.NDArray[Any]], Sequence[Mapping[str, Any]]],
    names: list[str],
    treated: Flags,
    outcome: F64,
    propensity: F64 | None,
    keep: Flags,
) -> Trial:
    views, people = known
    attributes = attributes_of(people)
    extra = attributes.encode(people) if attributes.names() else None
    chances = np.full(len(names), np.nan) if propensity is None else propensity
    if propensity is None and keep.any():
        chances[keep] = even_chances(treated[keep])
    return Trial(
        x=matrix(views, None, extra),
        names=names_of(None, attributes.names()),
        treated=treated,
        outcome=outcome,
        propensity=chances,
        keys=np.array([hash64(name) for name in names], np.uint64),
        logged=propensity is not None,
        events=True,
        attributes=attributes,
    ).take(keep)


def trial_from_log(
    folders: tuple[Path, Path],
    history: History,
    settings: UpliftSettings,
    until: int,
    profiles: Mapping[str, Mapping[str, Any]],
) -> Trial:
    """Answer the trial that the log holds. folders: of events and of decisions."""
    log, decisions = folders
    if settings.campaign:
        frame = read_log(log, ["entity", "at", "campaign", "properties"], until=until)
        dealt = from_campaign(
            frame.filter(pl.col("campaign") == settings.campaign), history, settings
        )
    else:
        frame = read_decisions(decisions, settings.decisions)
        dealt = from_decisions(frame.filter(pl.col("at") < until), settings)
    if not dealt.entities:
        raise ScientistError("nobody of either arm is in the log")
    return trial_of(dealt, history, settings, until, profiles)

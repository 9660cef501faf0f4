"""Lists of recommendations from anywhere, judged by what their users then did.

A list is rows of user, rank and item. What is asked is what the log holds from a time on, or
what a file of held-out events says; the figures are those of our own fits, by the same code.
Knows nothing of how the lists came about.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from domain.errors import ScientistError, TooLittleData
from domain.ids import hash64, user_entity
from feature_store.history import History
from training.evaluate.report import Report, report
from training.fit.settings import RecommendSettings
from training.metrics import CUTS
from training.splits import (
    Cases,
    Interactions,
    cut_times,
    entities_of,
    interactions_of,
    time_split,
)

Lists = npt.NDArray[np.int32]
LISTS, POPULARITY = "lists", "popularity"
LENGTH = max(CUTS)


class Listed(NamedTuple):
    """A file of lists: rows of user, item and rank, best first within a user.

    as_of: ms UTC, the time the file says that it was made for, or None.
    """

    rows: pl.DataFrame
    as_of: int | None


@dataclass(frozen=True)
class Question:
    """What lists are judged by.

    as_of: ms UTC, where what is held out begins; None for the time the lists were made for, or
    else the last tenth of the log. discover: what a user had before is neither wanted nor shown.
    truth: rows of user and item in place of the log from `as_of` on.
    """

    as_of: int | None = None
    discover: bool = False
    truth: pl.DataFrame | None = None


class Judged(NamedTuple):
    """A report of lists and popularity; how many cases there are, and how many have a list."""

    report: Report
    cases: int
    with_list: int
    as_of: int


def read_table(path: Path, needed: Sequence[str]) -> pl.DataFrame:
    """Read CSV, TSV or Parquet with the needed columns as texts; raises ScientistError."""
    try:
        if path.suffix == ".parquet":
            frame = pl.read_parquet(path)
        else:
            separator = "\t" if path.suffix == ".tsv" else ","
            frame = pl.read_csv(path, separator=separator, infer_schema=False)
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise ScientistError(f"{path.name} cannot be read as a table") from error
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise ScientistError(f"{path.name} has no column {missing[0]!r}")
    return frame.with_columns(pl.col(name).cast(pl.String) for name in ("user", "item"))


def read_lists(path: Path) -> Listed:
    """Read a file of user, rank and item, as `training recommend --out` writes it, or any other.

    Raises ScientistError for a file that cannot be read, a rank that is no number, or two items
    on one place.
    """
    frame = read_table(path, ("user", "rank", "item"))
    ranks = frame["rank"].cast(pl.Float64, strict=False)
    if ranks.is_null().any():
        raise ScientistError(f"{path.name}: a rank is no number")
    as_of = None
    if "as_of" in frame.columns:
        times = frame["as_of"].cast(pl.Int64, strict=False).drop_nulls().unique()
        as_of = int(times[0]) if len(times) == 1 else None
    rows = frame.select("user", "item").with_columns(rank=ranks).drop_nulls("item")
    if rows.select("user", "rank").is_duplicated().any():
        raise ScientistError(f"{path.name}: a user has two items with one rank")
    rows = rows.sort("user", "rank", maintain_order=True)
    return Listed(rows.unique(["user", "item"], keep="first", maintain_order=True), as_of)


def arranged(
    rows: pl.DataFrame,
    users: Sequence[str],
    numbers: Mapping[str, int],
    left_out: Sequence[set[int]],
) -> tuple[Lists, int]:
    """Answer int32[c, LENGTH] of each user's list, -1 where it ends, and how many have one.

    left_out: what may not be shown, by case; the places after it move up.
    """
    out = np.full((len(users), LENGTH), -1, np.int32)
    mine: dict[str, list[int]] = {}
    for user, item in zip(rows["user"], rows["item"], strict=True):
        mine.setdefault(user, []).append(numbers[item])
    for case, user in enumerate(users):
        shown = [item for item in mine.get(user, ()) if item not in left_out[case]][:LENGTH]
        out[case, : len(shown)] = shown
    return out, sum(user in mine for user in users)


def most_wanted(known: Interactions, left_out: Sequence[set[int]]) -> Lists:
    """Answer int32[c, LENGTH]: for everybody the items with most events, but for those left out."""
    counts = np.bincount(known.items, known.weights, known.n_items)
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] > 0].tolist()
    out = np.full((len(left_out), LENGTH), -1, np.int32)
    for case, without in enumerate(left_out):
        shown = [item for item in order[: LENGTH + len(without)] if item not in without][:LENGTH]
        out[case, : len(shown)] = shown
    return out


def _from_truth(
    truth: pl.DataFrame,
    full: Interactions,
    cut: int,
    places: Mapping[str, int],
    numbers: Mapping[str, int],
) -> Cases:
    """Answer the cases of a file: its users that the log knows, its items as targets."""
    ends = full.places_before(cut)
    wanted: dict[int, set[int]] = {}
    for user, item in zip(truth["user"], truth["item"], strict=True):
        place = places.get(user_entity(user))
        if place is not None:
            wanted.setdefault(place, set()).add(numbers[item])
    users = np.array(sorted(wanted), np.int64)
    targets = [np.array(sorted(wanted[user]), np.int32) for user in users.tolist()]
    return Cases(
        users,
        full.offsets[:-1][users],
        ends[users],
        np.full(len(users), cut, np.int64),
        np.concatenate([np.zeros(0, np.int32), *targets]),
        np.concatenate([[0], np.cumsum([len(one) for one in targets], dtype=np.int64)]),
    )


def _new_only(full: Interactions, cases: Cases) -> Cases:
    """Leave out targets that a case's user had before, and cases left without any."""
    owner = np.repeat(np.arange(len(cases)), np.diff(cases.target_offsets))
    new = np.array(
        [
            target not in full.items[cases.starts[case] : cases.ends[case]]
            for case, target in zip(owner.tolist(), cases.targets.tolist(), strict=True)
        ],
        bool,
    )
    sizes = np.bincount(owner[new], minlength=len(cases))
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    kept = Cases(cases.users, cases.starts, cases.ends, cases.as_of, cases.targets[new], offsets)
    return kept.take(np.flatnonzero(sizes > 0))


def judge_lists(
    history: History, items: Iterable[str], listed: Listed, question: Question
) -> Judged:
    """Judge lists by the question; popularity before its time is measured beside them.

    items: ids of the log's. Raises TooLittleData when nobody can be asked: a user needs an event
    before the time and one after it.
    """
    truth = question.truth
    more = [listed.rows["item"], *([] if truth is None else [truth["item"]])]
    ids = tuple(dict.fromkeys([*items, *(item for column in more for item in column)]))
    numbers = {item: number for number, item in enumerate(ids)}
    hashes = np.array([hash64(item) for item in ids], np.uint64)
    weights = RecommendSettings().weights_by_kind()
    full = interactions_of(history, hashes, weights)
    if not len(full.items):
        raise TooLittleData("the log holds no event that says what anybody likes")
    entities = entities_of(history, hashes, weights)
    end = int(full.ats.max()) + 1
    cut = question.as_of if question.as_of is not None else listed.as_of
    if cut is None:
        cut = end if truth is not None else cut_times(full, RecommendSettings().test_share)[1]
    if truth is None:
        cases = time_split(full, cut, end, history.cap, not question.discover).cases
    else:
        places = {entity: place for place, entity in enumerate(entities)}
        cases = _from_truth(truth, full, cut, places, numbers)
        cases = _new_only(full, cases) if question.discover else cases
    if not len(cases):
        raise TooLittleData("nobody has an event before that time and something held out after it")
    had = [
        set(full.items[start:stop].tolist()) if question.discover else set[int]()
        for start, stop in zip(cases.starts, cases.ends, strict=True)
    ]
    known = full.until(full.places_before(cut))
    users = [entities[user] for user in cases.users.tolist()]
    named = {user_entity(user): user for user in listed.rows["user"].unique()}
    lists, count = arranged(listed.rows, [named.get(user, "") for user in users], numbers, had)
    both = {LISTS: lists, POPULARITY: most_wanted(known, had)}
    return Judged(report(both, full, cases, known), len(cases), count, cut)

"""The table of sessions: who did what until when, what was known of them, what came after.

A session is what the `session` view calls one. After every event the table holds what may be
known by then and, apart, when the user next bought or filled a cart; `label` makes the question
of it. Knows nothing of models or splits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.clock import HOUR_MS
from domain.errors import ScientistError
from domain.events import Kind
from domain.ids import hash64
from feature_store.history import History
from feature_store.views.session import GAP_MS
from models.intent.past import ECHOES, PRIOR, SESSION, echoes_of, prior_of
from models.intent.renown import RENOWN, Renown
from training.fit.intent.renown import before_each, table_of
from training.labels import NEVER, lasting_groups

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
QUESTIONS = ("purchase", "add_to_cart", "abandon")
_BUY = int(Kind.purchase)
_ADD = int(Kind.add_to_cart)


@dataclass(frozen=True, eq=False)
class Sessions:
    """s sessions of n events in all, those of one user in order of time.

    Inputs: offsets int64[s+1]; of each event, kinds int8[n] (domain.events.Kind), items uint64[n]
    (hash64, 0 none), categories int32[n] (category_code, 0 none), values int64[n] (micros), ats
    int64[n] (ms UTC), echoes float64[n, ECHOES]; of each session, entities uint64[s] (hash64 of
    the store's name), starts int64[s] (ms UTC), prior float64[s, PRIOR]. Of a longer session
    the first SESSION events are here.
    What came of it, never an input: bought, carted int64[n], when the user's next purchase or
    add to cart after this event was (NEVER: not in the log), and ends int64[s], when the
    session's last event was.
    """

    offsets: I64
    kinds: npt.NDArray[np.int8]
    items: U64
    categories: npt.NDArray[np.int32]
    values: I64
    ats: I64
    echoes: F64
    entities: U64
    starts: I64
    prior: F64
    bought: I64
    carted: I64
    ends: I64

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def lengths(self) -> I64:
        """Answer int64[s], how many events each session has here."""
        return np.diff(self.offsets)

    @property
    def session(self) -> I64:
        """Answer int64[n], the session of each event."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def position(self) -> I64:
        """Answer int64[n], 1 for a session's first event."""
        return np.arange(len(self.ats)) - np.repeat(self.offsets[:-1], self.lengths) + 1

    def take(self, chosen: npt.NDArray[Any]) -> "Sessions":
        """Keep the chosen sessions (places in rising order, or flags)."""
        places = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else np.asarray(chosen)
        lengths = self.lengths[places]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[places] - offsets[:-1], lengths)
        by_event = ("kinds", "items", "categories", "values", "ats", "echoes", "bought", "carted")
        by_session = ("entities", "starts", "prior", "ends")
        parts = {name: getattr(self, name)[rows] for name in by_event}
        parts |= {name: getattr(self, name)[places] for name in by_session}
        return replace(self, offsets=offsets, **parts)


class Labels(NamedTuple):
    """Of each event: asked bool[n], whether the question stands after it; y uint8[n], its answer;
    known int64[n], ms UTC, from when on the answer cannot change any more."""

    asked: npt.NDArray[np.bool_]
    y: npt.NDArray[np.uint8]
    known: I64


@njit(cache=True, nogil=True)
def _earlier(kinds: npt.NDArray[np.int8], offsets: I64, wanted: int) -> npt.NDArray[np.bool_]:
    """Tell of each event whether it or an earlier one of its session is of the wanted kind."""
    out = np.zeros(len(kinds), np.bool_)
    for s in range(len(offsets) - 1):
        found = False
        for k in range(offsets[s], offsets[s + 1]):
            found = found or kinds[k] == wanted
            out[k] = found
    return out


def label(sessions: Sessions, question: str = "purchase", within_hours: float = 0.0) -> Labels:
    """Ask one question after every event: what comes later in the session, or within the hours.

    purchase      will they buy? Asked until they have: an event at or after the session's
                  first purchase is no example, so the event that answers is never an input.
    add_to_cart   will they put something in the cart? Asked until they have.
    abandon       will they leave the cart behind? Asked while the session has put something in
                  the cart and bought nothing; 1 when no purchase follows.

    An answer is known when it happened, else once the session is over (its last event and the
    gap) and the hours have passed. Raises ScientistError for another question or a negative time.
    """
    if question not in QUESTIONS:
        raise ScientistError("the question is one of " + ", ".join(QUESTIONS))
    if not 0 <= within_hours < 24 * 366:
        raise ScientistError("within_hours is 0 (the session alone) to a year")
    goal, kind = (sessions.carted, _ADD) if question == "add_to_cart" else (sessions.bought, _BUY)
    ends = np.repeat(sessions.ends, sessions.lengths)
    until = np.maximum(ends, sessions.ats + round(within_hours * HOUR_MS))
    comes = goal <= until
    asked = ~_earlier(sessions.kinds, sessions.offsets, kind)
    if question == "abandon":
        asked &= _earlier(sessions.kinds, sessions.offsets, _ADD)
    over = np.maximum(ends + GAP_MS, until)
    y = ~comes if question == "abandon" else comes
    return Labels(asked, y.astype(np.uint8), np.where(comes, goal, over))


@njit(cache=True, nogil=True)
def _bounds(groups: I64, ats: I64, gap: int) -> tuple[I64, I64]:
    """Answer (first event of every session, then n; group of every session)."""
    starts = np.empty(len(ats) + 1, np.int64)
    owners = np.empty(len(ats), np.int64)
    count = 0
    for group in range(len(groups) - 1):
        for k in range(groups[group], groups[group + 1]):
            if k == groups[group] or ats[k] - ats[k - 1] > gap:
                starts[count] = k
                owners[count] = group
                count += 1
    starts[count] = len(ats)
    return starts[: count + 1].copy(), owners[:count].copy()


@njit(cache=True, nogil=True)
def _following(groups: I64, kinds: npt.NDArray[np.int8], ats: I64, wanted: int) -> I64:
    """Answer when the next event of the kind strictly after each event in order is."""
    out = np.empty(len(ats), np.int64)
    for group in range(len(groups) - 1):
        following = np.iinfo(np.int64).max
        for k in range(groups[group + 1] - 1, groups[group] - 1, -1):
            out[k] = following
            if kinds[k] == wanted:
                following = ats[k]
    return out


@njit(cache=True, nogil=True)
def _look_back(
    columns: tuple[npt.NDArray[np.int8], U64, npt.NDArray[np.int32], I64, I64],
    groups: I64,
    bounds: tuple[I64, I64, I64],
    gap: int,
    renown: Renown,
    prior: F64,
    echoes: F64,
) -> None:
    kinds, items, categories, values, ats = columns
    starts, owners, offsets = bounds
    for s in range(len(owners)):
        low, high = groups[owners[s]], groups[owners[s] + 1]
        mine = (kinds[low:high], items[low:high], categories[low:high], ats[low:high])
        first, length = starts[s] - low, offsets[s + 1] - offsets[s]
        prior_of(mine[0], mine[1], mine[2], values[low:high], mine[3], first, gap, prior[s])
        part = echoes[offsets[s] : offsets[s + 1]]
        echoes_of(mine[0], mine[1], mine[2], mine[3], (first, first + length), renown, part)


class Stream(NamedTuple):
    """Events of g users, each user's in order of time: entities uint64[g] (hash64 of the store's
    names), groups int64[g+1], and columns as in Sessions."""

    entities: U64
    groups: I64
    kinds: npt.NDArray[np.int8]
    items: U64
    categories: npt.NDArray[np.int32]
    values: I64
    ats: I64


def renown_of(stream: Stream, until: int = NEVER) -> Renown:
    """Answer what everybody's events before `until` (ms UTC) say of items and categories."""
    seen = stream.ats < until
    return table_of(stream.kinds[seen], stream.items[seen], stream.categories[seen])


def cut(stream: Stream, gap_ms: int = GAP_MS, until: int = NEVER) -> Sessions:
    """Cut a stream of events into its table of sessions.

    gap_ms: the pause that ends a session; another than the store's own is for studies. until:
    when a model that learns from the table is fitted (ms UTC). Events before it see the renown
    of things as other users' earlier events made it; later ones see renown_of(stream, until),
    as they would be served.
    """
    starts, owners = _bounds(stream.groups, stream.ats, gap_ms)
    whole = np.diff(starts)
    lengths = np.minimum(whole, SESSION)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    prior = np.empty((len(owners), len(PRIOR)))
    echoes = np.empty((offsets[-1], len(ECHOES)))
    columns = (stream.kinds, stream.items, stream.categories, stream.values, stream.ats)
    bounds, renown = (starts, owners, offsets), renown_of(stream, until)
    _look_back(columns, stream.groups, bounds, gap_ms, renown, prior, echoes)
    rows = np.arange(offsets[-1]) + np.repeat(starts[:-1] - offsets[:-1], lengths)
    users = np.repeat(np.arange(len(stream.groups) - 1), np.diff(stream.groups))
    before = before_each(users, stream.kinds, stream.items, stream.categories, stream.ats)[rows]
    learned = stream.ats[rows] < until
    echoes[learned, -len(RENOWN) :] = before[learned]
    return Sessions(
        offsets=offsets,
        kinds=stream.kinds[rows],
        items=stream.items[rows],
        categories=stream.categories[rows],
        values=stream.values[rows],
        ats=stream.ats[rows],
        echoes=echoes,
        entities=stream.entities[owners],
        starts=stream.ats[starts[:-1]],
        prior=prior,
        bought=_following(stream.groups, stream.kinds, stream.ats, _BUY)[rows],
        carted=_following(stream.groups, stream.kinds, stream.ats, _ADD)[rows],
        ends=stream.ats[starts[1:] - 1],
    )


def stream_of(history: History, categories: Mapping[int, int] | None = None) -> Stream:
    """Answer all events of a history; categories: item hash → category_code, absent is 0.

    Values in other currencies than the house's count as 0. A session that was identified
    counts as its user's.
    """
    groups = lasting_groups(history)
    entity = np.flatnonzero(groups >= 0)
    groups = groups[entity]
    lengths = history.offsets[groups + 1] - history.offsets[groups]
    bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    rows = np.arange(bounds[-1]) + np.repeat(history.offsets[groups] - bounds[:-1], lengths)
    records = history.records[rows]
    items = np.ascontiguousarray(records["item"])
    distinct, place = np.unique(items, return_inverse=True)
    known = categories or {}
    codes = np.array([known.get(item, 0) for item in distinct.tolist()], np.int32)
    names = [history.entities[one] for one in entity]
    return Stream(
        entities=np.array([hash64(name) for name in names], np.uint64),
        groups=bounds,
        kinds=records["kind"].astype(np.int8),
        items=items,
        categories=codes[place].astype(np.int32) if len(items) else np.zeros(0, np.int32),
        values=np.where(records["currency"] == 0, records["value"], 0).astype(np.int64),
        ats=np.ascontiguousarray(records["at"]),
    )

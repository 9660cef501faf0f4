"""Logged answers and what came of them: one row an item shown, from decisions and histories.

A decision of the family `recommend` says what was shown at which place, on which device and page,
and which places chance filled; clicks and purchases name it. Histories are given as they were
when the answer was made. Knows nothing of models or of what is learned from this.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from domain.clock import HOUR_MS
from domain.events import Kind
from domain.ids import hash64
from feature_store.history import History
from feature_store.log.files import log_files
from models.recommend.contexts import device_class

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
FAMILY = "recommend"
WINDOW_MS = 2 * HOUR_MS
"""How long after an answer its outcomes count, as the service counts them unless told otherwise."""
MOST = 200_000
"""Answers that are held at most: about 1 kB each while they are read."""
_COLUMNS = ["decision_id", "at", "as_of", "family", "entity", "items", "request"]
_OUTCOMES = (Kind.click, Kind.purchase)


@dataclass(frozen=True, eq=False)
class Answers:
    """d answers in order of time; answer i owns the rows offsets[i]:offsets[i + 1], best first.

    names: uint64[d], hashes of their ids. ats, as_ofs: int64[d], ms UTC. entities: int64[d],
    places in History.entities, -1 for nobody known; people: the same, a session that was
    identified later counted as its user. devices, pages: by answer, "" unknown. drawn: bool[d],
    whether chance chose the mix. plain: bool[d], whether nothing was asked but what to show.
    items: uint64[r], hashes. places: int64[r], from 0. taken: bool[r], clicked or bought in
    time. explored: bool[r], filled to learn. window_ms: how long after it outcomes count.
    """

    names: npt.NDArray[np.uint64]
    ats: I64
    as_ofs: I64
    entities: I64
    people: I64
    devices: tuple[str, ...]
    pages: tuple[str, ...]
    drawn: Flags
    plain: Flags
    offsets: I64
    items: npt.NDArray[np.uint64]
    places: I64
    taken: Flags
    explored: Flags
    window_ms: int = WINDOW_MS

    def __len__(self) -> int:
        return len(self.ats)

    def before(self, at: int) -> "Answers":
        """Answer those given before `at` (ms UTC)."""
        count = int(np.searchsorted(self.ats, at))
        rows = int(self.offsets[count])
        cut = {"offsets": count + 1, "items": rows, "places": rows, "taken": rows, "explored": rows}
        kept = {field.name: getattr(self, field.name) for field in fields(self)}
        window = kept.pop("window_ms")
        some = {name: one[: cut.get(name, count)] for name, one in kept.items()}
        return Answers(**some, window_ms=window)

    @property
    def owners(self) -> I64:
        """Answer which answer each row is of, int64[r]."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))


class Said(NamedTuple):
    """What a logged request says that matters here."""

    device: str
    page: str
    drawn: bool
    plain: bool
    explored: tuple[int, ...]


def said_of(request: str) -> Said:
    """Read a logged request; what cannot be read says nothing."""
    try:
        told = json.loads(request or "{}")
    except ValueError:
        told = None
    if not isinstance(told, dict):
        return Said("", "", False, False, ())
    context, chosen = _object(told.get("context")), _object(told.get("chosen"))
    explored = chosen.get("explored")
    places = explored if isinstance(explored, list) else []
    return Said(
        device_class(_text(context.get("device"))),
        _text(context.get("page")),
        chosen.get("learning") is True,
        not (told.get("items") or context.get("item"))
        and told.get("task", "recommend") == "recommend",
        tuple(one for one in places if isinstance(one, int)),
    )


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def read_answers(
    decisions: Path, history: History, until: int, window_ms: int = WINDOW_MS
) -> Answers:
    """Answer every answer given early enough for its outcomes to have come by `until` (ms UTC).

    history: of the events that answer them. A repeated decision counts once; of more than MOST
    the latest are kept, and no older days are read.
    """
    frames, day, count = list[pl.DataFrame](), "", 0
    for file in log_files(decisions):
        if count >= MOST and file.path.parent.parent.name != day:
            break
        wanted = pl.col("family") == FAMILY, pl.col("at") < until - window_ms
        frames.append(pl.read_parquet(file.path, columns=_COLUMNS).filter(*wanted))
        day, count = file.path.parent.parent.name, count + frames[-1].height
    empty = pl.DataFrame({name: [] for name in _COLUMNS})
    rows = pl.concat(frames).unique("decision_id").sort("at", "decision_id") if frames else empty
    return answers_of(rows.tail(MOST).to_dicts(), history, window_ms)


def answers_of(
    rows: Sequence[dict[str, Any]], history: History, window_ms: int = WINDOW_MS
) -> Answers:
    """Answer the answers of decisions in order of time, as the log of decisions has them."""
    said = [said_of(row["request"]) for row in rows]
    index = {name: place for place, name in enumerate(history.entities)}
    entities = np.array([index.get(row["entity"] or "", -1) for row in rows], np.int64)
    moved = {session: user for session, (_, user) in history.spans.moved.items()}
    shown = [row["items"] or [] for row in rows]
    sizes = np.array([len(items) for items in shown], np.int64)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    hashes = {item: hash64(item) for items in shown for item in items}
    places = np.arange(offsets[-1]) - np.repeat(offsets[:-1], sizes)
    explored = np.zeros(len(places), np.bool_)
    for start, size, one in zip(offsets.tolist(), sizes.tolist(), said, strict=False):
        for place in one.explored:
            if 0 <= place < size:
                explored[start + place] = True
    found = Answers(
        np.array([hash64(row["decision_id"]) for row in rows], np.uint64),
        np.array([row["at"] for row in rows], np.int64),
        np.array([row["as_of"] for row in rows], np.int64),
        entities,
        np.array([moved.get(one, one) for one in entities.tolist()], np.int64),
        tuple(one.device for one in said),
        tuple(one.page for one in said),
        np.array([one.drawn for one in said], np.bool_),
        np.array([one.plain for one in said], np.bool_),
        offsets,
        np.array([hashes[item] for items in shown for item in items], np.uint64),
        places,
        np.zeros(len(places), np.bool_),
        explored,
        window_ms,
    )
    return replace(found, taken=_taken(found, history))


def _taken(answers: Answers, history: History) -> Flags:
    """Answer bool[r]: which rows were clicked or bought within the window, after the answer."""
    records = history.records[: history.events]
    told = records[np.isin(records["kind"], _OUTCOMES) & np.isin(records["ref"], answers.names)]
    came = pl.DataFrame({"name": told["ref"], "item": told["item"], "at": told["at"]})
    owners = answers.owners
    rows = pl.DataFrame(
        {
            "name": answers.names[owners],
            "item": answers.items,
            "since": answers.as_ofs[owners],
            "until": answers.ats[owners] + answers.window_ms,
            "row": np.arange(len(owners)),
        }
    )
    # What happened before as_of would be told by the history already.
    both = came.join(rows, on=["name", "item"]).filter(
        pl.col("at") >= pl.col("since"), pl.col("at") <= pl.col("until")
    )
    out = np.zeros(len(owners), np.bool_)
    out[both["row"].to_numpy()] = True
    return out


class Pasts:
    """The histories that answers rested on, in the item numbers of a model.

    hashes: uint64[n], of the model's items.
    """

    def __init__(self, history: History, answers: Answers, hashes: npt.NDArray[np.uint64]) -> None:
        """Number all items, and find everybody's events as of their answers."""
        self._records, self._cap = history.records, history.cap
        order = np.argsort(hashes)
        self._sorted, self._order = hashes[order], order
        known = answers.entities >= 0
        groups = history.spans.group_at(answers.entities, answers.as_ofs)
        safe = np.where(known, groups, 0)
        self._starts = np.where(known, history.offsets[safe], 0)
        self._stops = np.where(known, history.offsets[safe + 1], 0)
        self._answers = answers

    def numbers(self, items: npt.NDArray[np.uint64]) -> I32:
        """Answer int32 item numbers of hashes; -1 where unknown."""
        found = np.minimum(np.searchsorted(self._sorted, items), max(len(self._sorted) - 1, 0))
        known = self._sorted[found] == items if len(self._sorted) else np.zeros(len(items), bool)
        return np.where(known, self._order[found], -1).astype(np.int32)

    def of(self, answer: int) -> tuple[I32, npt.NDArray[np.uint8], I64]:
        """Answer (items, kinds, times) of what an answer rested on, oldest first.

        Nothing at or after its as_of, and nothing that came of the answer itself.
        """
        rows = self._records[self._starts[answer] : self._stops[answer]]
        end = int(np.searchsorted(rows["at"], self._answers.as_ofs[answer]))
        rows = rows[max(0, end - self._cap) : end]
        rows = rows[rows["ref"] != self._answers.names[answer]]
        return self.numbers(rows["item"]), rows["kind"].copy(), rows["at"].copy()

"""Arrivals: items the catalogue holds and no model has learned, scored beside those it has.

An arrival's content score is put on the scale of the model's totals by the highest of both: an
item whose content suits a user as well as the best known item's gets `trust` times the way from
the mean total to the best one. Events with arrivals join the history by content, for the share
they have in it. Knows nothing of slates, and of a model only its content member.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from models.recommend.catalogue import Catalogue, Flags, Scores
from models.recommend.content import Content
from models.recommend.lookup import Indices
from models.recommend.member import REORDER, Floats
from models.recommend.touched import Asked

CONTENT = "content"
"""The member's name, in a model and in what an answer says of its sources."""
_FADED = 1e-4


class Taste(NamedTuple):
    """A history as content hears it: float32[d], and arrivals' share of its weight, 0 to 1."""

    vector: Floats
    share: float


class Stand(NamedTuple):
    """Scores of all items, the model's first: float32[size], -inf for who cannot be compared.

    moved: float32[known], what arrivals in the history added to the model's totals; None
    without any.
    """

    scores: Scores
    moved: Scores | None


@njit(cache=True, nogil=True, error_model="numpy", fastmath=REORDER)
def _hear(
    profiles: np.ndarray,
    fresh: np.ndarray,
    events: tuple[np.ndarray, np.ndarray],
    kind_weights: np.ndarray,
    decay: float,
) -> tuple:
    """Answer the taste of a history oldest first, and the share of its weight that is fresh."""
    rows, kinds = events
    known, d = profiles.shape
    out = np.zeros(d, np.float32)
    left, whole, new = 1.0, 0.0, 0.0
    for j in range(rows.shape[0] - 1, -1, -1):
        weight = kind_weights[kinds[j]] * left
        if left < _FADED:
            break
        if rows[j] < 0 or weight <= 0 or rows[j] - known >= fresh.shape[0]:
            continue
        row = profiles[rows[j]] if rows[j] < known else fresh[rows[j] - known]
        size = np.float32(0)
        for k in range(d):
            out[k] += np.float32(weight) * row[k]
            size += abs(row[k])
        left *= decay
        # Who says nothing takes no share from those who do.
        if rows[j] < known:
            whole += weight
        elif size > 0:
            whole += weight
            new += weight
    share = 0.0
    if whole > 0:
        share = new / whole
    return out, share


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def _peaks(total: np.ndarray, content: np.ndarray, allowed: np.ndarray) -> tuple:
    """Answer mean, deviation and maximum of the totals and the maximum of the content scores.

    The maximum of the totals is that of the allowed, or of all where none is.
    """
    n = total.shape[0]
    whole, square = 0.0, 0.0
    most, best, every = -np.inf, -np.inf, -np.inf
    for i in range(n):
        score = np.float64(total[i])
        whole += score
        square += score * score
        every = max(every, score)
        best = max(best, score if allowed[i] else -np.inf)
        most = max(most, np.float64(content[i]))
    mean = whole / max(n, 1)
    deviation = np.sqrt(max(square / max(n, 1) - mean * mean, 0.0))
    return mean, deviation, best if best > -np.inf else every, most


@njit(cache=True, nogil=True, error_model="numpy", fastmath=REORDER)
def _place(
    vectors: np.ndarray, present: np.ndarray, taste: np.ndarray, line: tuple, out: np.ndarray
) -> None:
    """Write factor * (v . taste) + start for each present row, -inf for the others."""
    start, factor = line
    for i in range(out.shape[0]):
        if not present[i]:
            out[i] = -np.inf
            continue
        dot = np.float32(0)
        for k in range(taste.shape[0]):
            dot += vectors[i, k] * taste[k]
        out[i] = np.float32(start + factor * dot)


@dataclass(slots=True)
class _Rows:
    vectors: Floats
    profiles: Floats
    present: Flags


class Arrivals:
    """The vectors of the catalogue's items beyond the model's, kept in step with it."""

    def __init__(self, catalogue: Catalogue, content: Content) -> None:
        """Take the catalogue, numbered after the model that `content` is a member of."""
        self.catalogue, self.content = catalogue, content
        d = content.vectors.shape[1]
        self._rows = _Rows(
            np.zeros((8, d), np.float32), np.zeros((8, d), np.float32), np.zeros(8, np.bool_)
        )
        self.count = 0
        catalogue.watch()

    @property
    def size(self) -> int:
        """How many rows there are beyond the model's items, present or not."""
        return self.catalogue.size - self.catalogue.known

    def catch_up(self, most: int | None = None) -> None:
        """Take in what the catalogue was told since, `most` items of it; None for all."""
        for index in self.catalogue.told(most):
            row, item = index - self.catalogue.known, self.catalogue.items[index]
            self._make_room(row + 1)
            rows = self._rows
            if item is None:
                rows.vectors[row] = rows.profiles[row] = 0.0
            else:
                rows.vectors[row], rows.profiles[row] = self.content.entry(item)
            self.count -= int(rows.present[row])
            rows.present[row] = bool(rows.vectors[row].any())
            self.count += int(rows.present[row])

    def rehearse(self) -> None:
        """Run every kernel once, so that nobody waits for a compiler; changes nothing."""
        first, known = np.zeros(1, np.int32), self.catalogue.known
        taste = self.taste(first, np.zeros(1, np.uint8), np.ones(256, np.float32))
        total = np.zeros(known, np.float32)
        self.content.told(taste.vector, total)
        _peaks(total, total, np.ones(self.catalogue.size, np.bool_))
        self._write(np.empty(self.size, np.float32), taste.vector, (0.0, 1.0), 1.0)

    def _make_room(self, size: int) -> None:
        rows, room = self._rows, len(self._rows.present)
        if size > room:
            more = max(size, 2 * room) - room
            wide = ((0, more), (0, 0))
            self._rows = _Rows(
                np.pad(rows.vectors, wide), np.pad(rows.profiles, wide),
                np.pad(rows.present, (0, more)),
            )  # fmt: skip

    @property
    def vectors(self) -> Floats:
        """Answer float32[size, d]: vectors of all items of the catalogue, zeros for none."""
        out = np.zeros((self.catalogue.size, self.content.vectors.shape[1]), np.float32)
        known, rows = self.catalogue.known, self._rows
        held = min(self.size, len(rows.present))
        out[:known] = self.content.vectors
        out[known : known + held] = rows.vectors[:held]
        return out

    def vector(self, index: int) -> Floats:
        """Answer the vector of an item by its catalogue index; zeros when it has none."""
        return self._row(index)[0]

    def taste(self, rows: Indices, kinds: np.ndarray, kind_weights: Floats) -> Taste:
        """Hear a history, oldest first: catalogue indices int32[h] and kinds uint8[h]."""
        profiles, content = self._rows.profiles, self.content
        return Taste(*_hear(content.profiles, profiles, (rows, kinds), kind_weights, content.decay))

    def stand(self, total: Scores, taste: Taste, allowed: Flags) -> Stand | None:
        """Answer the scores of all items beside the model's totals, float32[known].

        None when content has nothing to say, or there is nobody it could say it of.
        """
        known, raw = total.shape[0], np.empty_like(total)
        mean, scale = self.content.told(taste.vector, raw)
        if scale == 0 or not (self.count or taste.share):
            return None
        middle, deviation, best, most = _peaks(total, raw, allowed)
        scores = np.empty(self.catalogue.size, np.float32)
        moved = None
        if taste.share > 0:
            # Without a spread of its own the model has said nothing; content says it alone.
            gain = taste.share * (deviation or 1.0) * scale
            moved = (raw - np.float32(mean)) * np.float32(gain)
            scores[:known] = np.float32(1 - taste.share) * (total - np.float32(middle))
            scores[:known] += moved + np.float32(middle)
            middle, deviation, best, most = _peaks(scores[:known], raw, allowed)
        else:
            scores[:known] = total
        self._write(scores[known:], taste.vector, (middle, best), (most - mean) * scale)
        return Stand(scores, moved)

    def beside(
        self,
        total: Scores,
        taste: Taste,
        asked: Asked,
        known: tuple[float, float],
        allowed: Flags,
    ) -> Stand | None:
        """Answer what `stand` does where few of the model's items were scored, float32[known].

        The others' totals are minus infinity. taste: without a share of arrivals. asked: the
        same for the content member. known: the mean of all totals, and the largest product of
        the content member's vectors with what is asked.
        """
        middle, peak = known
        if asked.scale == 0 or not self.count:
            return None
        scores, size = np.empty(self.catalogue.size, np.float32), total.shape[0]
        scores[:size] = total
        best = total.max(where=allowed[:size], initial=-np.inf)
        if best == -np.inf:
            best = total.max()
        line = (middle, float(best))
        self._write(scores[size:], taste.vector, line, (peak - asked.mean) * asked.scale)
        return Stand(scores, None)

    def _write(self, out: Scores, taste: Floats, totals: tuple[float, float], peak: float) -> None:
        """Write arrivals' scores: on the line through the mean and the highest of both."""
        rows, held = self._rows, min(out.shape[0], len(self._rows.present))
        out[held:] = -np.inf
        mean, deviation = self.content.moments(taste)
        if peak <= 0 or deviation <= 0:
            out[:] = -np.inf
            return
        middle, best = totals
        factor = self.content.trust * (best - middle) / (peak * deviation)
        line = (middle - factor * mean, factor)
        _place(rows.vectors[:held], rows.present[:held], taste, line, out[:held])

    def alike(self, vector: Floats) -> Scores:
        """Answer the cosine of a vector of length 1 with every item's, float32[size]."""
        return self.vectors @ vector

    def reasons(self, targets: Indices, rows: Indices, weights: Floats) -> Floats:
        """Answer float32[t, h]: what each event adds to each target by content alone."""
        vectors = np.stack([self._row(index)[0] for index in targets.tolist()])
        profiles = np.stack([self._row(index)[1] for index in rows.tolist()])
        return (vectors @ profiles.T) * weights

    def _row(self, index: int) -> tuple[Floats, Floats]:
        row = index - self.catalogue.known
        if row < 0 <= index:
            return self.content.vectors[index], self.content.profiles[index]
        if index < 0 or row >= len(self._rows.present):
            nothing = np.zeros(self.content.vectors.shape[1], np.float32)
            return nothing, nothing
        return self._rows.vectors[row], self._rows.profiles[row]

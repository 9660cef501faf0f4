"""Players: a constant multiplier, a learned landscape, a bandit over multipliers.

Each bids what it is told an impression is worth, turned down in its own way, and learns from the
notices of its own auctions only. Knows nothing of budgets; see pacers.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba import njit

from models.bandits.bandit import Bandit, BanditSettings
from models.bandits.policies import Thompson
from models.bandits.spread import SpreadPrior
from models.bidding.feedback import Kind, Rows
from models.bidding.landscape import FIELDS, Landscape, columns_of, drawn, floor_word, places_of
from models.bidding.laws import LAWS
from models.bidding.shading import best_first_price
from training.evaluate.auction.episode import Opening, Told
from training.evaluate.auction.prices import Floats


@dataclass(slots=True)
class Constant:
    """Bids the same multiple of every value."""

    multiplier: float = 1.0

    def bid(self, opening: Opening) -> Floats:
        """See Player."""
        return opening.value * self.multiplier

    def learn(self, opening: Opening, told: Told) -> None:
        """A constant learns nothing."""


@njit(cache=True, nogil=True, error_model="numpy")
def _shaded(
    law: int,
    weights: Floats,
    covariance: Floats,
    places: Any,
    value: Floats,
    floor: Floats,
    normal: Floats,
    out: Floats,
) -> None:
    for row in range(value.shape[0]):
        out[row] = 0.0
        if value[row] >= floor[row] and value[row] > 0.0:
            location, scale = drawn(
                weights, covariance, places[row], normal[row, 0], normal[row, 1]
            )  # fmt: skip
            bid = best_first_price(law, value[row], location, scale)
            out[row] = min(max(bid, floor[row]), value[row])


@dataclass(slots=True)
class Landscaped:
    """Learns the price to beat from notices and shades by a draw of what it believes.

    rng: of the draws. buckets: hashed words a field. first, pace: slots until the first update,
    and the most slots between updates. most: rows an update looks at. keep: share of the precision
    kept at an update. width: scales the draws; 0 bids by the most likely landscape. nearest: part
    of the value below which prices are not told apart.
    """

    rng: np.random.Generator
    buckets: int = 48
    first: int = 2
    pace: int = 30
    most: int = 4_000
    keep: float = 1.0
    width: float = 0.3
    nearest: float = 0.15
    landscape_: Landscape | None = None
    _next: int = 2
    _waiting: list[Rows] = field(default_factory=list)
    _words: dict[tuple[str, str], int] = field(default_factory=dict)

    def bid(self, opening: Opening) -> Floats:
        """See Player."""
        out = np.zeros(len(opening.value))
        if self.landscape_ is None and len(out):
            self.landscape_ = _unknown(float(np.median(opening.value)), self.buckets)
            self._next = opening.slot + self.first
        if self.landscape_ is None:
            return out
        normal = self.width * self.rng.normal(size=(len(out), 2))
        one = self.landscape_
        _shaded(
            one.law, one.weights, one.covariance, self._places(opening), opening.value,
            opening.floor, normal, out,
        )  # fmt: skip
        return out

    def learn(self, opening: Opening, told: Told) -> None:
        """See Player."""
        known = np.isfinite(told.minimum)
        # A bid below the floor was no bid: it says nothing of the others.
        heard = (told.bids > 0) & (told.bids >= opening.floor)
        kind = np.where(known, Kind.minimum, np.where(told.won, Kind.won, Kind.lost))
        price = np.where(known, told.minimum, told.bids)
        # Far below any bid of ours it does not matter how cheap it was, only that it was.
        cheap = price < self.nearest * opening.value
        kind = np.where(cheap, Kind.won, kind)
        price = np.log(np.maximum(np.where(cheap, self.nearest * opening.value, price), 1.0))
        places = self._places(opening)[heard]
        sure = price[heard]
        self._waiting.append(Rows(places, kind[heard].astype(np.uint8), sure - 0.005, sure + 0.005))
        if opening.slot >= self._next and self.landscape_ is not None:
            self.landscape_ = self.landscape_.updated(self._newest(), self.keep)
            self._waiting.clear()
            self._next = opening.slot + min(self.pace, max(self.first, opening.slot // 2))

    def _newest(self) -> Rows:
        """Answer the last of the waiting rows, as many as an update looks at."""
        most = self.most
        return Rows(
            np.concatenate([rows.places for rows in self._waiting])[-most:],
            np.concatenate([rows.kind for rows in self._waiting])[-most:],
            np.concatenate([rows.low for rows in self._waiting])[-most:],
            np.concatenate([rows.high for rows in self._waiting])[-most:],
        )

    def _places(self, opening: Opening) -> np.ndarray:
        out = np.zeros((len(opening.value), 1 + len(FIELDS)), np.int32)
        doublings = np.round(np.log2(np.maximum(opening.floor, 1.0)))
        columns = {
            "exchange": opening.exchange,
            "site": opening.site,
            "hour": opening.hour,
            "floor": np.where(opening.floor >= 1.0, doublings, -1.0),
            # What is dear to us is dear to others: the market has no sizes, its word is ours.
            "size": np.round(2.0 * np.log2(np.maximum(opening.value, 1.0))),
        }
        for number, name in enumerate(FIELDS):
            words, at = np.unique(columns.get(name, np.zeros(len(out))), return_inverse=True)
            known = name in columns
            out[:, 1 + number] = np.array(
                [self._place(name, number, float(word), known) for word in words], np.int32
            )[at]
        return out

    def _place(self, name: str, number: int, word: float, known: bool) -> int:
        text = str(int(word)) if known else ""
        if name == "floor":
            text = floor_word(2.0**word) if word >= 0 else ""
        if (name, text) not in self._words:
            self._words[name, text] = int(places_of({name: text}, self.buckets)[1 + number])
        return self._words[name, text]


def _unknown(value: float, buckets: int) -> Landscape:
    """Answer a landscape that has seen nothing: prices of about half the value, within e^2."""
    d = columns_of(buckets) + 1
    weights, variance = np.zeros(d), np.full(d, 0.25)
    weights[0], weights[-1] = np.log(max(value / 2, 1.0)), np.log(0.5)
    variance[0], variance[-1] = 4.0, 0.5
    return Landscape(LAWS["logistic"], weights, np.diag(variance), buckets)


ARMS = np.array([0.15, 0.22, 0.3, 0.38, 0.46, 0.54, 0.62, 0.7, 0.8, 0.9])
"""Multipliers of the value that the bandit chooses among."""


@dataclass(slots=True)
class Multipliers:
    """A contextual bandit whose arms are multipliers: the chance to win of each is learned.

    An arm's worth is what it leaves of the value, so that the policy weighs chance by surplus.
    explored: micros spent on arms other than the greedy; of all `spent`.
    """

    rng: np.random.Generator
    sites: int
    scale: float = 0.0
    explored: float = 0.0
    spent: float = 0.0
    _bandit: Bandit | None = None
    _chosen: list[tuple[np.ndarray, int, bool]] = field(default_factory=list)

    @property
    def bandit(self) -> Bandit:
        """Answer the bandit, made at the first asking."""
        if self._bandit is None:
            settings = BanditSettings(
                len(ARMS), 6 + self.sites, centre=0.0, refresh=100,
                policy=Thompson(0.35, 0.001), spread=SpreadPrior(0.5, 1.0, 16.0),
            )  # fmt: skip
            self._bandit = Bandit(settings)
        return self._bandit

    def _contexts(self, opening: Opening) -> Floats:
        if not self.scale:
            self.scale = float(np.median(opening.value))
        angle = opening.hour * (2 * np.pi / 24)
        columns = [
            np.ones(len(opening.value)),
            np.log(opening.value / self.scale),
            np.sin(angle), np.cos(angle), opening.exchange == 0,
            np.log1p(opening.floor / self.scale),
            *(opening.site == site for site in range(self.sites)),
        ]  # fmt: skip
        return np.column_stack(columns).astype(np.float64)

    def bid(self, opening: Opening) -> Floats:
        """See Player."""
        self._chosen.clear()
        out = np.zeros(len(opening.value))
        if not len(out):
            return out
        contexts, chances = self._contexts(opening), self.rng.random(len(out))
        bandit = self.bandit
        for row, x in enumerate(contexts):
            value, floor = opening.value[row], opening.floor[row]
            choice = bandit.choose(x, chances[row], 1.0 - ARMS, value * ARMS >= floor)
            self._chosen.append((x, choice.arm, choice.explores))
            if choice.arm >= 0:
                out[row] = value * ARMS[choice.arm]
        return out

    def learn(self, opening: Opening, told: Told) -> None:
        """See Player."""
        for row, (x, arm, explores) in enumerate(self._chosen):
            if arm >= 0:
                self.bandit.learn(x, arm, float(told.won[row]))
                self.spent += told.paid[row] / 1_000.0
                self.explored += told.paid[row] / 1_000.0 * explores

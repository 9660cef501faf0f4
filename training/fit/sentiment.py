"""What reviews say of items, where the log holds their text: learned from their own stars.

Ratings whose properties hold a `text` or a `review` teach a logistic regression on hashed words
and pairs of words what praise sounds like; it is asked of texts without stars. With too few
reviews of either sort nothing is said. Knows nothing of what is made of it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from threadpoolctl import threadpool_limits

from domain.events import Kind
from domain.items import Item
from feature_store.log.reader import read_log
from feature_store.records import HAS_VALUE
from models.recommend.words import words

ATTRIBUTE = "review_sentiment"
"""The attribute of an item that the fits see: "1", the worst fifth of the scale, to "5"."""
KEYS = ("text", "review")
LEAST = 30
"""Reviews of either sort from which praise is learned."""
SMOOTHING = 5.0
"""Reviews of average tone that an item is taken to have besides its own."""
ENOUGH = 3
"""Reviews from which an item gets the attribute."""
_FEATURES = 1 << 16


@dataclass(frozen=True)
class Reviews:
    """Texts with the item of each, its stars on the log's own scale, NaN without, and when each
    was written (UTC ms); an empty `ats` is of long ago."""

    items: Sequence[str]
    texts: Sequence[str]
    stars: npt.NDArray[np.float64]
    ats: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def before(self, as_of: int) -> "Reviews":
        """Keep what was written before `as_of` (UTC ms)."""
        if not len(self.ats):
            return self
        kept = np.flatnonzero(self.ats < as_of)
        return Reviews(
            [self.items[row] for row in kept.tolist()],
            [self.texts[row] for row in kept.tolist()],
            self.stars[kept],
            self.ats[kept],
        )


@dataclass(frozen=True)
class Tone:
    """How an item is spoken of: mean of its reviews from 0 to 1, how many, and the mean shrunk."""

    mean: float
    count: int
    shrunk: float


def reviews_in(rows: pl.DataFrame) -> Reviews:
    """Answer the reviews among rows of the log: item, kind, at, value (micros), flags,
    properties."""
    some = rows.filter(
        (pl.col("kind") == int(Kind.rating)) & (pl.col("item") != "") & (pl.col("properties") != "")
    )
    items: list[str] = []
    texts: list[str] = []
    stars: list[float] = []
    ats: list[int] = []
    for at, item, value, flags, properties in some.select(
        "at", "item", "value", "flags", "properties"
    ).iter_rows():
        try:
            told = json.loads(properties)
        except ValueError:
            continue
        found = (told.get(key) for key in KEYS) if isinstance(told, dict) else ()
        text = next((one for one in found if isinstance(one, str) and one.strip()), None)
        if text is not None:
            items.append(item)
            texts.append(text)
            stars.append(value / 1e6 if flags & HAS_VALUE else np.nan)
            ats.append(at)
    return Reviews(items, texts, np.array(stars, np.float64), np.array(ats, np.int64))


def _grams(text: str) -> list[str]:
    one = list(words(text))
    return one + [f"{a} {b}" for a, b in pairwise(one)]


def tones_of(reviews: Reviews, seed: int = 0) -> npt.NDArray[np.float64] | None:
    """Answer float64[r], 0 to 1: how kindly each review speaks; None when too few teach it.

    With stars they say it themselves, from the fewest given to the most; what lies above the
    middle is praise to the regression, what lies below it blame.
    """
    known = ~np.isnan(reviews.stars)
    if not known.any():
        return None
    low, high = float(reviews.stars[known].min()), float(reviews.stars[known].max())
    if high <= low:
        return None
    tones = (reviews.stars - low) / (high - low)
    taught = np.flatnonzero(known & (tones != 0.5))
    praise = tones[taught] > 0.5
    if min(praise.sum(), (~praise).sum()) < LEAST:
        return None
    if not known.all():
        tones[~known] = _foretold(reviews.texts, taught, praise, np.flatnonzero(~known), seed)
    return tones


def _foretold(
    texts: Sequence[str],
    taught: npt.NDArray[np.int64],
    praise: npt.NDArray[np.bool_],
    asked: npt.NDArray[np.int64],
    seed: int,
) -> npt.NDArray[np.float64]:
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression

    analyzer: Any = _grams
    hashing = HashingVectorizer(analyzer=analyzer, n_features=_FEATURES)
    with threadpool_limits(1):
        model = LogisticRegression(C=10.0, random_state=seed, max_iter=200)
        model.fit(hashing.transform([texts[i] for i in taught]), praise)
        return model.predict_proba(hashing.transform([texts[i] for i in asked]))[:, 1]


def tone_by_item(reviews: Reviews, seed: int = 0) -> dict[str, Tone]:
    """Answer the tone of every reviewed item; nothing when too few reviews teach it."""
    tones = tones_of(reviews, seed)
    if tones is None:
        return {}
    average = float(tones.mean())
    found: dict[str, list[float]] = {}
    for item, tone in zip(reviews.items, tones.tolist(), strict=True):
        found.setdefault(item, []).append(tone)
    return {
        item: Tone(
            float(np.mean(own)),
            len(own),
            (sum(own) + SMOOTHING * average) / (len(own) + SMOOTHING),
        )
        for item, own in found.items()
    }


def with_tones(catalogue: Mapping[str, Item], tones: Mapping[str, Tone]) -> dict[str, Item]:
    """Answer the catalogue with ATTRIBUTE where an item has reviews enough, listed or not."""
    out = dict(catalogue)
    for name, tone in tones.items():
        if tone.count >= ENOUGH:
            item = out.get(name, Item(name))
            fifth = str(min(int(tone.shrunk * 5), 4) + 1)
            out[name] = replace(item, attributes={**item.attributes, ATTRIBUTE: fifth})
    return out


class Reviewed(dict[str, Item]):
    """A catalogue, and what reviews said of its items until one time or another."""

    def __init__(self, catalogue: Mapping[str, Item], reviews: Reviews, seed: int = 0) -> None:
        super().__init__(catalogue)
        self.reviews, self._seed = reviews, seed

    def __bool__(self) -> bool:
        """Whether anything is said of any item."""
        return len(self) > 0 or len(self.reviews.items) > 0

    def before(self, as_of: int) -> dict[str, Item]:
        """Answer the catalogue with the tones of the reviews written before `as_of` (UTC ms)."""
        return with_tones(self, tone_by_item(self.reviews.before(as_of), self._seed))


def reviews_in_log(log: Path) -> Reviews:
    """Answer every review in a log."""
    columns = ["at", "item", "kind", "value", "flags", "properties"]
    return reviews_in(read_log(log, columns))

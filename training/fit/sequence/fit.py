"""The transformer from a log and, where there is one, a catalogue.

Knows nothing of the other members of a blend.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from models.recommend.transformer import Transformer
from training.fit.sequence.export import export
from training.fit.sequence.learn import AGES, learn
from training.fit.sequence.traits import bags_of
from training.fit.sequence.windows import met_in
from training.splits import Interactions

if TYPE_CHECKING:
    from training.fit.facts import ItemFacts

START: dict[str, Any] = {
    "width": 64,
    "heads": 2,
    "inner": 256,
    "dropout": 0.25,
    "rate": 8e-3,
    "epochs": 12,
    "patience": 3,
    "tokens": 1024,
    "negatives": 512,
    "popular": 0.5,
    "all_below": 4_096,
    "length": 200,
    "days": 180.0,
    "seconds": 150.0,
    "traits": True,
}
"""Numbers that suit logs of 50,000 to 400,000 events on one or two cores; see `learn`. length,
days: also how much of a history serving looks at. traits: whether the catalogue is heard."""


def fit_transformer(
    known: Interactions,
    params: dict[str, Any],
    *,
    items: "ItemFacts | None" = None,
    repeats: bool = False,
    seed: int = 0,
    threads: int = 1,
) -> Transformer:
    """Learn the network and answer the member that serves it; params as START."""
    bags = bags_of(items) if items is not None and params["traits"] else None
    learned = learn(known, params, bags=bags, repeats=repeats, seed=seed, threads=threads)
    has = np.bincount(known.items, minlength=known.n_items) > 0
    window = int(params["length"]), params["days"]
    return export(learned.learner, has, met_in(known, AGES), window, learned.epochs)

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


def fit_transformer(
    known: Interactions,
    params: dict[str, Any],
    *,
    items: "ItemFacts | None" = None,
    repeats: bool = False,
    seed: int = 0,
    threads: int = 1,
) -> Transformer:
    """Learn the network and answer the member that serves it; params as settings.START."""
    bags = bags_of(items) if items is not None and params["traits"] else None
    learned = learn(known, params, bags=bags, repeats=repeats, seed=seed, threads=threads)
    has = np.bincount(known.items, minlength=known.n_items) > 0
    window = int(params["length"]), params["days"]
    return export(learned.learner, has, met_in(known, AGES), window, learned.epochs)

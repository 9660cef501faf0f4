"""Vectors in clusters, and a small model of all sorts of members with an index made for it."""

from dataclasses import replace

import numpy as np

from models.forest import Forest
from models.recommend.candidates import ITEM, columns_of
from models.recommend.category import Category
from models.recommend.content import Content
from models.recommend.factors import Factors
from models.recommend.member import frozen
from models.recommend.model import RecommendModel
from models.recommend.narrow import Narrow, Reach
from models.recommend.ranker import Ranker
from models.recommend.touched import Asking
from tests.models.recommend.small import past_of, random_forest, small_model
from tests.models.recommend.small_content import encoder_of
from training.fit.cells import part, probes_for

SMALL = Reach(proposed=80, enough=120, few=60, head=1_000)


def clustered(n: int, d: int, seed: int, clusters: int = 40):
    """Vectors float32[n, d] around centres, some wanted more than others, and 40 questions."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(clusters, d))
    sizes = rng.gamma(2.0, 0.5, (n, 1))
    vectors = sizes * (centres[rng.integers(0, clusters, n)] + 0.3 * rng.normal(size=(n, d)))
    questions = centres[rng.integers(0, clusters, 40)] + 0.5 * rng.normal(size=(40, d))
    return vectors.astype(np.float32), questions.astype(np.float32)


def categories_of(n: int, groups: int, seed: int) -> Category:
    """Every item in one or two categories, with random shares."""
    rng = np.random.default_rng(seed)
    mine = [sorted(set(rng.integers(0, groups, 2).tolist())) for _ in range(n)]
    held = [[i for i in range(n) if group in mine[i]] for group in range(groups)]
    return Category(
        (np.cumsum([0, *map(len, mine)]), np.array([g for one in mine for g in one])),
        (
            np.cumsum([0, *map(len, held)]),
            np.array([i for one in held for i in one]),
            rng.random(sum(map(len, held))).astype(np.float32),
        ),
        0.8,
    )


def indexed_model(n: int = 1_500, ranked: bool = False, **weights: float) -> RecommendModel:
    """A model of n items, every sort of member in it, with an index of its item vectors."""
    model = small_model(n, **weights)
    vectors, _ = clustered(n, 8, seed=7)
    others, _ = clustered(n, 12, seed=8)
    scorers = dict(zip(model.members, model.scorers, strict=True))
    scorers["factors"] = Factors(0.2 * vectors, 0.5, 10.0, 0.9)
    encoder = encoder_of(kitchen=tuple(others[0]), workshop=tuple(others[1]))
    scorers["content"] = Content(encoder, others, others, np.eye(12), (0.5, 0.9))
    scorers["category"] = categories_of(n, 30, seed=9)
    model = replace(
        model,
        members=tuple(scorers),
        scorers=tuple(scorers.values()),
        weights=frozen(np.array([*model.weights, 0.3, 0.3]), np.float32),
    )
    if ranked:
        forest: Forest = random_forest(len(columns_of(model.voices)))
        facts = np.random.default_rng(1).random((n, len(ITEM))).astype(np.float32)
        model = replace(model, ranker=Ranker(model.voices, forest, frozen(facts, np.float32), 40))
    cells = {}
    for name, member in scorers.items():
        if isinstance(member, Asking):
            cells[name] = part(member.told_by[0], seed=1, per_cell=64)
            rng = np.random.default_rng(2)
            pasts = [rng.integers(0, n, 5).astype(np.int32) for _ in range(20)]
            asked = [member.asked(past_of(one)).vector for one in pasts]
            cells[name].probes = probes_for(cells[name], asked, SMALL.proposed, 0.99)
    model = replace(model, index=cells)
    reach_less(model, SMALL)
    return model


def reach_less(model: RecommendModel, reach: Reach) -> None:
    """Let a model with an index look at so many items."""
    object.__setattr__(model, "narrow", Narrow(model.blend, model.index, reach))

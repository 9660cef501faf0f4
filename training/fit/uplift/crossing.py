"""Halves against halves: the sample is parted in two again and again, each half scores the other.

One mechanism serves four ends: scores of people nobody learned from choose the learner and
calibrate it, all halves together answer, and how far they differ is how sure the answer is (the
spread of estimates on halves is that of one on the whole: Shao and Wu's delete-half jackknife,
1989). Knows nothing of learners.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.forest.forest import Forest
from training.fit.uplift.learners import LEARNERS, Hands, Recipe
from training.fit.uplift.steps import forest_of
from training.fit.uplift.trial import Trial, halves

F64 = npt.NDArray[np.float64]


class Crossed(NamedTuple):
    """scores: float64[m, n], at each of m numbers of rounds what those who had not seen a row
    say of it, on average. forests: of every half, with the most rounds."""

    scores: F64
    forests: tuple[Forest, ...]


def cross(
    trial: Trial,
    recipe: Recipe,
    rounds: Sequence[int],
    repeats: int,
    hands: Hands,
    done: Callable[[int], object] = lambda _: None,
) -> Crossed:
    """Learn both halves of the sample `repeats` times over, up to the largest of `rounds`.

    done: told of each half that is learned.
    """
    edges = [0, *sorted(rounds)]
    recipe = recipe._replace(trees=edges[-1])
    features = trial.x.shape[1]
    scores = np.zeros((len(rounds), len(trial)))
    forests: list[Forest] = []
    rng = np.random.default_rng(hands.seed)
    for repeat in range(repeats):
        half = halves(trial.treated, trial.outcome, rng)
        for side, mine in enumerate((half, ~half)):
            seed = hands.seed + 2 * repeat + side
            steps = LEARNERS[recipe.learner](trial.take(mine), recipe, hands._replace(seed=seed))
            others = trial.x[~mine]
            raw = np.zeros(len(others))
            for place in range(len(rounds)):
                part = forest_of(steps[edges[place] : edges[place + 1]], features)
                raw += part.raw(others)
                scores[place, ~mine] += raw / repeats
            forests.append(forest_of(steps, features))
            done(1)
    return Crossed(scores, tuple(forests))

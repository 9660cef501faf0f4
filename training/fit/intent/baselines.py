"""Every rival by name: what an intent model must beat to be worth its trouble.

Each is fitted on the same events and answers a probability after every event of a table.
Knows nothing of networks.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from domain.errors import TooLittleData
from training.fit.intent.aggregates import fit_trees
from training.fit.intent.last_event import Predict, fit_last_event
from training.fit.intent.markov import fit_markov
from training.fit.intent.ngrams import fit_ngrams
from training.fit.intent.sessions import Sessions

Fit = Callable[[Sessions, npt.NDArray[np.uint8], npt.NDArray[np.bool_]], Predict]
LEAST = 100
"""Events of either answer below which nothing is learned."""


def fit_majority(sessions: Sessions, y: npt.NDArray[np.uint8], learn: npt.ArrayLike) -> Predict:
    """Fit the rival that always says how common the goal is."""
    rate = float(y[np.asarray(learn, np.bool_)].mean())
    return lambda table: np.full(len(table.ats), rate)


RIVALS: Mapping[str, Fit] = {
    "majority": fit_majority,
    "last_event": fit_last_event,
    "markov_1": lambda sessions, y, learn: fit_markov(sessions, y, learn, 1),
    "markov_2": lambda sessions, y, learn: fit_markov(sessions, y, learn, 2),
    "markov_3": lambda sessions, y, learn: fit_markov(sessions, y, learn, 3),
    "ngrams": fit_ngrams,
    "lightgbm": fit_trees,
}
"""Rivals from the plainest to the best."""


def fit_rivals(
    sessions: Sessions, y: npt.NDArray[np.uint8], learn: npt.NDArray[np.bool_]
) -> dict[str, Predict]:
    """Fit every rival on the events flagged in bool[n] `learn`; y: uint8[n].

    Raises TooLittleData below LEAST events of either answer.
    """
    goal = int(y[learn].sum())
    if min(goal, int(learn.sum()) - goal) < LEAST:
        raise TooLittleData(
            f"{goal} of {int(learn.sum())} events to learn from reach the goal; "
            f"at least {LEAST} that do and {LEAST} that do not are needed"
        )
    return {name: fit(sessions, y, learn) for name, fit in RIVALS.items()}

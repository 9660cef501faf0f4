"""Mixes: other weights for the members of a released blend, the arms of a bandit over blends.

The released weights are the first; in each of the others one kind of member leads. Made from
the released weights alone, so every bundle has them. Knows nothing of how one is chosen.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from models.recommend.member import Floats, frozen
from models.recommend.model import RecommendModel

RELEASED: Final = 0
"""The arm that changes nothing."""
LED: Final[Mapping[str, tuple[str, ...]]] = {
    "crowd": ("popularity", "trend", "category"),
    "visit": ("graph", "neighbours", "transformer"),
    "taste": ("factors", "ease", "filter"),
    "again": ("repeats",),
    "content": ("content",),
}
"""By mix: the members that lead in it. What everybody wants; what follows from the last events;
what the whole history is like; what was had before; what the items are."""
ARMS: Final = ("released", *LED)
"""Every mix by the number it is stored under: append, never renumber."""
LEAD: Final = 2.0
"""Weight of those that lead in a mix, as a multiple of all the others'."""


class Mix(NamedTuple):
    """One mix. arm: its place in ARMS. weights: float32[m], one a member of the blend."""

    name: str
    arm: int
    weights: Floats


def mixes_of(members: Sequence[str], weights: Floats) -> tuple[Mix, ...]:
    """Answer the mixes of a blend, the released one first.

    Leaders share as they do in the blend, or evenly where it does without all of them. A mix is
    left out where the model has none of its leaders, or where they lead as it is.
    """
    found = [Mix(ARMS[RELEASED], RELEASED, frozen(weights, np.float32))]
    for arm, (name, leaders) in enumerate(LED.items(), 1):
        leads = np.array([member in leaders for member in members], np.bool_)
        own, others = float(weights[leads].sum()), float(weights[~leads].sum())
        # A default that is this mix has it but for rounding.
        if leads.any() and own < (1 - 1e-4) * LEAD * others:
            shares = weights[leads] / own if own > 0.0 else np.full(leads.sum(), 1.0 / leads.sum())
            raised = weights.copy()
            raised[leads] = LEAD * others * shares
            found.append(Mix(name, arm, frozen(raised, np.float32)))
    return tuple(found)


def open_arms(mixes: Sequence[Mix]) -> npt.NDArray[np.bool_]:
    """Answer bool[ARMS]: which arms are among the mixes."""
    arms = [mix.arm for mix in mixes]
    return np.isin(np.arange(len(ARMS)), arms)


def heard_weights(model: RecommendModel) -> Floats:
    """Answer float32[m], what each member weighs in a model's answers: the blend's weights and,
    where a mix was made the default of a ranked model, what its ranker leans by."""
    weights = model.weights.copy()
    if model.ranker is not None and model.ranker.lean is not None:
        for voice, more in zip(model.ranker.voices, model.ranker.lean.tolist(), strict=True):
            weights[model.members.index(voice)] += more
    return weights


def mixes_of_model(model: RecommendModel) -> tuple[Mix, ...]:
    """Answer the mixes of what a model answers with; see `mixes_of`."""
    return mixes_of(model.members, heard_weights(model))


def remade(model: RecommendModel, mix: Mix) -> RecommendModel:
    """Answer a model with one of its own mixes: what it leans by already does not add to it."""
    own = heard_weights(model) - model.weights
    return model.mixed((mix.weights - own).astype(np.float32))


def differs(mixed: RecommendModel, model: RecommendModel) -> bool:
    """Tell whether a model made by `RecommendModel.mixed` can answer otherwise than the model."""
    if mixed.ranker is None or model.ranker is None:
        return not np.array_equal(mixed.weights, model.weights)
    before = model.ranker.lean
    after = mixed.ranker.lean
    return after is not None and bool(np.any(after if before is None else after != before))

"""Small made-up trials whose effects are known by construction; every figure is simulated."""

import numpy as np

from models.churn.attributes import Attributes
from training.fit.uplift.trial import Trial

NAMES = ("attribute.a", "attribute.b", "attribute.noise")
EFFECT = 0.3


def plain_trial(n=4000, seed=0, effect=EFFECT, logged=False, tilt=0.0) -> tuple[Trial, np.ndarray]:
    """Answer a trial and its effects: contact helps where a > 0 and harms where a < 0.

    The outcome depends on b as well. tilt: how strongly b decides who is contacted; the chances
    are right when `logged`, and the share contacted otherwise.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    truth = np.where(x[:, 0] > 0, effect, -effect)
    chance = 1 / (1 + np.exp(-tilt * x[:, 1]))
    treated = rng.random(n) < chance
    base = 0.5 + 0.15 * np.tanh(x[:, 1])
    good = rng.random(n) < base + np.where(treated, truth, -truth) / 2
    trial = Trial(
        x=x,
        names=NAMES,
        treated=treated,
        outcome=good.astype(float),
        propensity=chance if logged else np.full(n, treated.mean()),
        keys=np.arange(n, dtype=np.uint64),
        logged=logged,
        attributes=Attributes(("a", "b", "noise")),
    )
    return trial, truth

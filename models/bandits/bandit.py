"""A bandit in one process: beliefs that move with every outcome, evidence that travels.

Composes evidence, pooling, spread and policy. A worker learns from its own outcomes at once,
and from those of others when it refreshes. Knows nothing of stores, money or what an arm is.
"""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.bandits.choosing import choose
from models.bandits.evidence import (
    COUNT,
    Dated,
    Evidence,
    Floats,
    faded,
    fading,
    nothing,
    sound,
    total,
)
from models.bandits.policies import Policy, Thompson
from models.bandits.pooling import Said, pool, said_by
from models.bandits.posterior import Gaussians, believe, standard
from models.bandits.sites import FAMILIES, absorb
from models.bandits.spread import SpreadPrior, learn_spread

_ALL = np.ones(0, np.bool_)
_EVEN = np.ones(0, np.float64)
_FARTHEST = 10.0
"""Features are clipped to this: contexts are expected on a scale of about 1."""


@dataclass(frozen=True, slots=True)
class BanditSettings:
    """What a bandit is. The first feature is the constant 1.

    rewards: "logistic" (0 to 1) or "linear" with variance `noise`. centre: the mean score
    expected before any outcome (log-odds, for logistic), centre_sd how sure that is. spread: how
    far arms are expected to differ; learned from outcomes unless learn is False. half_life:
    seconds after which an outcome counts half; 0 never forgets. refresh: outcomes between
    re-pooling.
    """

    arms: int
    features: int
    rewards: str = "logistic"
    noise: float = 1.0
    centre: float = -1.5
    centre_sd: float = 2.0
    spread: SpreadPrior = field(default_factory=SpreadPrior)
    learn: bool = True
    half_life: float = 0.0
    refresh: int = 50
    policy: Policy = field(default_factory=Thompson)

    def __post_init__(self) -> None:
        if self.arms < 1 or self.features < 1 or self.refresh < 1:
            raise ValueError("a bandit has arms, features and a pace")
        if self.rewards not in FAMILIES:
            raise ValueError(f"rewards are one of {', '.join(FAMILIES)}")
        if not (self.noise > 0 and self.centre_sd > 0 and np.isfinite(self.centre)):
            raise ValueError("noise and centre_sd are above 0, the centre is a number")


class Choice(NamedTuple):
    """The arm drawn (-1: none may be chosen), its propensity, the greedy arm, all the odds [k]."""

    arm: int
    propensity: float
    greedy: int
    odds: Floats

    @property
    def explores(self) -> bool:
        """Tell whether another arm than the best known was drawn."""
        return self.arm != self.greedy


class Bandit:
    """Chooses arms in context and learns from outcomes. Not shared between threads."""

    def __init__(self, settings: BanditSettings, now: float = 0.0) -> None:
        self.settings = settings
        k, d = settings.arms, settings.features
        self.kind = FAMILIES[settings.rewards]
        self.policy_numbers = settings.policy.numbers
        self.own = nothing(k, d)
        """What this process has seen; what it sends to others."""
        self.others = nothing(k, d)
        self.as_of = now
        self.spread_ = settings.spread.variances(d)
        self.refused = 0
        """Outcomes that could not be taken in."""
        self.fell_back = np.zeros(k, np.bool_)
        """Arms whose evidence left the limits at the last refresh: they answer their prior."""
        self._since = 0
        self.beliefs: Gaussians = standard(k, np.zeros(d), np.ones(d))
        self.refresh(now)

    @property
    def top(self) -> Said:
        """What is believed of the weights common to all arms before any outcome."""
        settings = self.settings
        mean = np.zeros(settings.features)
        mean[0] = settings.centre
        variance = settings.spread.variances(settings.features)
        variance[0] = settings.centre_sd**2
        return said_by(mean, variance)

    def outcomes(self) -> float:
        """Answer how many outcomes count, faded ones less."""
        return float(self.own.tallies[:, COUNT].sum() + self.others.tallies[:, COUNT].sum())

    def choose(
        self,
        x: npt.ArrayLike,
        chance: float,
        worth: Floats | None = None,
        allowed: np.ndarray | None = None,
        limit: float = 1.0,
    ) -> Choice:
        """Choose an arm in context x [d] by one uniform number in [0, 1).

        worth: float64[k], what a full reward of each arm is worth; allowed: bool[k]; limit: the
        greatest chance of any arm but the greedy one.
        """
        odds = np.empty(self.settings.arms)
        arm, greedy = choose(
            self.beliefs.mean,
            self.beliefs.covariance,
            self._context(x),
            _EVEN if worth is None else worth,
            _ALL if allowed is None else allowed,
            self.kind,
            self.policy_numbers,
            self.outcomes(),
            limit,
            chance,
            odds,
        )
        return Choice(arm, float(odds[arm]) if arm >= 0 else 0.0, greedy, odds)

    def learn(self, x: npt.ArrayLike, arm: int, reward: float) -> bool:
        """Take in one outcome; answer whether it could be taken.

        Beliefs about the arm move at once, those about its siblings at the next refresh.
        """
        if not 0 <= arm < self.settings.arms:
            self.refused += 1
            return False
        taken = absorb(
            self.beliefs.mean[arm],
            self.beliefs.covariance[arm],
            self.own.precision[arm],
            self.own.shift[arm],
            self.own.tallies[arm],
            self._context(x),
            reward,
            self.kind,
            self.settings.noise,
        )
        self.refused += not taken
        self._since += taken
        if self._since >= self.settings.refresh:
            self.refresh(self.as_of)
        return taken

    def refresh(self, now: float, others: list[Dated] | None = None) -> None:
        """Forget what time has faded, take in what others know (None: as before), pool anew.

        others: the whole evidence of every other worker, not what they learned since; hearing
        it twice therefore changes nothing. One that cannot be true is left out, arm by arm.
        """
        settings = self.settings
        factor = fading(now - self.as_of, settings.half_life)
        self.as_of = max(now, self.as_of)
        self.own = faded(self.own, factor)
        self.others = faded(self.others, factor)
        if others is not None:
            heard = [one.at(self.as_of) for one in others if self._fits(one.evidence)]
            self.others = total([nothing(settings.arms, settings.features), *map(_true, heard)])
        evidence = _true(total([self.own, self.others]))
        if settings.learn:
            self.spread_ = learn_spread(evidence, self.top, self.spread_, settings.spread)
        family = pool(evidence, self.top, self.spread_)
        believed = believe(family.priors, evidence)
        self.beliefs, self.fell_back = believed.beliefs.copy(), believed.fell_back
        self._since = 0

    def _fits(self, evidence: Evidence) -> bool:
        return evidence.shift.shape == (self.settings.arms, self.settings.features)

    def _context(self, x: npt.ArrayLike) -> Floats:
        given = np.asarray(x, np.float64)
        if given.shape != (self.settings.features,):
            raise ValueError(f"a context of this bandit has {self.settings.features} features")
        return np.clip(np.nan_to_num(given, nan=0.0), -_FARTHEST, _FARTHEST)


def _true(evidence: Evidence) -> Evidence:
    """Answer the evidence without arms whose numbers cannot be true."""
    good = sound(evidence)
    if good.all():
        return evidence
    kept = Evidence(*(array.copy() for array in evidence))
    for array in kept:
        array[~good] = 0.0
    return kept


def with_policy(settings: BanditSettings, policy: Policy) -> BanditSettings:
    """Answer the same bandit with another policy."""
    return replace(settings, policy=policy)

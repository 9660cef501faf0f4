"""How much of what could be won a bandit wins while it learns, on simulated arms. All simulated.

A world: ten arms, contexts of eight independent standard normal numbers, the chance of a reward
logistic in the context with weights of its own for each arm and one constant, scaled so that
choosing by lot earns `low` and choosing best `high`. 6,000 choices, each learned from at once.
A share is (earned - lot) / (best - lot) in true chances over all choices, the first ones too. The
policy is the default one, the same in both worlds; its numbers were chosen on seeds 100 to 123.
"""

from typing import NamedTuple

import numpy as np

from benchmarks.harness import Arguments, Outcome, at_least
from models.bandits.bandit import Bandit, BanditSettings
from models.bandits.evidence import Floats

ARMS, FEATURES, STEPS = 10, 8, 6_000
RATES = {"dense": (0.4, 0.8), "sparse": (0.02, 0.04)}
"""Rewards a choice by lot, and at best."""
SEEDS, FIRST_SEED, CAPPED_SEEDS = 30, 1_000, 5
CAP = 0.05
_SAMPLE, _HALVINGS = 4_000, 30


class World(NamedTuple):
    """One draw: contexts float64[n, 8], chances float64[n, 10], rewards 0 or 1 float64[n, 10]."""

    x: Floats
    chance: Floats
    reward: Floats


def _chances(score: Floats, constant: float, scale: float) -> Floats:
    return 1.0 / (1.0 + np.exp(-(constant + scale * score)))


def _constant(score: Floats, scale: float, low: float) -> float:
    """Answer the constant with which choosing by lot earns `low`."""
    left, right = -30.0, 30.0
    for _ in range(_HALVINGS):
        middle = (left + right) / 2
        if _chances(score, middle, scale).mean() < low:
            left = middle
        else:
            right = middle
    return (left + right) / 2


def draw(seed: int, low: float, high: float, steps: int = STEPS) -> World:
    """Draw a world in which lot earns `low` and the best choice `high`."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(ARMS, FEATURES)) / np.sqrt(FEATURES)
    score = rng.normal(size=(_SAMPLE, FEATURES)) @ weights.T
    left, right = 0.01, 20.0
    for _ in range(_HALVINGS):
        scale = (left + right) / 2
        best = _chances(score, _constant(score, scale, low), scale).max(1).mean()
        left, right = (scale, right) if best < high else (left, scale)
    x = rng.normal(size=(steps, FEATURES))
    chance = _chances(x @ weights.T, _constant(score, scale, low), scale)
    return World(x, chance, (rng.random(chance.shape) < chance).astype(float))


def share(world: World, settings: BanditSettings, seed: int, limit: float = 1.0) -> float:
    """Let a bandit live through a world; answer the share of the gap it won."""
    bandit = Bandit(settings)
    x = np.column_stack([np.ones(len(world.x)), world.x])
    chances = np.random.default_rng(seed).random(len(x))
    earned = 0.0
    for t in range(len(x)):
        arm = bandit.choose(x[t], chances[t], limit=limit).arm
        earned += world.chance[t, arm]
        bandit.learn(x[t], arm, world.reward[t, arm])
    lot, best = world.chance.mean(), world.chance.max(1).mean()
    return float((earned / len(x) - lot) / (best - lot))


def spread_of(values: list[float]) -> tuple[float, float, float]:
    """Answer the mean over seeds and its 95 % interval by resampling the seeds."""
    rows = np.array(values)
    drawn = np.random.default_rng(0).choice(rows, (4_000, len(rows))).mean(1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(rows.mean()), float(low), float(high)


def run(arguments: Arguments) -> Outcome:
    """Measure both worlds over `runs` seeds (default 30), and five with exploration capped."""
    settings = BanditSettings(ARMS, FEATURES + 1)
    figures: dict[str, float] = {}
    notes = [f"simulated; {settings.policy}, {settings.spread}"]
    for name, (low, high) in RATES.items():
        found: list[float] = []
        capped: list[float] = []
        for seed in range(FIRST_SEED, FIRST_SEED + (arguments.runs or SEEDS)):
            world = draw(seed, low, high)
            found.append(share(world, settings, seed))
            if len(capped) < CAPPED_SEEDS:
                capped.append(share(world, settings, seed, CAP))
        key = f"{name}_share"
        figures[key], figures[f"{key}_low"], figures[f"{key}_high"] = spread_of(found)
        figures[f"{name}_least"] = min(found)
        figures[f"{name}_capped"] = float(np.mean(capped))
    figures["seeds"] = float(arguments.runs or SEEDS)
    return Outcome(
        figures,
        [at_least("dense_share", figures, 0.85), at_least("sparse_share", figures, 0.30)],
        notes,
    )

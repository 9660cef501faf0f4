"""Whether 95 % intervals of off-policy estimates hold what they say, on logs whose truth is known.

Four simulated kinds of log, each drawn hundreds of times: frequent rewards, rare ones, money (rare
and long-tailed), and the log of a bandit that was still learning. A policy other than the one that
logged is valued by every estimator; coverage is how often the interval holds its true value. Then
the same code values two real policies from each other's log; that log is too small to rank them.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import polars as pl

from benchmarks.bid_bandit import ARMS, FEATURES, World, draw
from benchmarks.harness import Arguments, Outcome, at_least
from models.bandits.bandit import Bandit, BanditSettings
from models.bandits.evidence import Floats
from models.bandits.policies import Thompson
from training.evaluate.ope import Log, crossfit, evaluate

PROMISED = ("ips", "snips", "dr", "switch")
"""The direct method alone is shown but promises nothing: its interval trusts its model."""
DRAWS, ADAPTIVE_DRAWS = 300, 100
_TRUTH_ROWS = 100_000
_SEED = 40_000


class Case(NamedTuple):
    """A world much longer than a log, the odds of both policies there, and rewards' worth.

    logging: float64[n, k], or None when a learning bandit logs. target: float64[n, k].
    worth: the mean worth of a reward; above 0, worths are log-normal about it, else all are 1.
    """

    world: World
    logging: Floats | None
    target: Floats
    rows: int
    worth: float = 0.0

    @property
    def truth(self) -> float:
        """Answer what the target policy earns a choice."""
        earned = (self.target * self.world.chance).sum(1).mean()
        return float(earned * (self.worth or 1.0))


def _soft(score: Floats, sharp: float, floor: float) -> Floats:
    odds = np.exp(sharp * (score - score.max(1, keepdims=True)))
    odds /= odds.sum(1, keepdims=True)
    return floor + (1 - floor * score.shape[1]) * odds


def case(name: str) -> Case:
    """Draw the world and the two policies of a kind of log."""
    low, high = (0.4, 0.8) if name in ("frequent", "learning") else (0.02, 0.06)
    world = draw(_SEED, low, high, _TRUTH_ROWS)
    log_odds = np.log(world.chance / (1 - world.chance))
    rng = np.random.default_rng(_SEED)
    # What the policies know of the chances is wrong, each in its own way.
    wrong = [world.x @ rng.normal(size=(FEATURES, ARMS)) * log_odds.std() / 4 for _ in range(2)]
    scale = 1.0 / log_odds.std()
    logging = _soft(log_odds + wrong[0], 0.8 * scale, 0.01)
    target = _soft(log_odds + wrong[1], 1.5 * scale, 0.0)
    rows = {"frequent": 2_000, "rare": 4_000, "money": 4_000, "learning": 1_500}[name]
    return Case(
        world,
        None if name == "learning" else logging,
        target,
        rows,
        worth=2.0 if name == "money" else 0.0,
    )


def log_of(one: Case, rng: np.random.Generator) -> tuple[Log, Floats]:
    """Draw one log, and the target's odds in its contexts."""
    at = rng.integers(0, len(one.world.x), one.rows)
    x, chance = one.world.x[at], one.world.chance[at]
    rows = np.arange(one.rows)
    if one.logging is None:
        arm, propensity, reward = _learned(x, chance, rng)
    else:
        odds = one.logging[at]
        arm = (rng.random((one.rows, 1)) > odds.cumsum(1)).sum(1).clip(0, ARMS - 1)
        propensity = odds[rows, arm]
        reward = (rng.random(one.rows) < chance[rows, arm]).astype(float)
    if one.worth:
        reward = reward * rng.lognormal(np.log(one.worth) - 0.5, 1.0, one.rows)
    return Log(x, arm, propensity, reward), one.target[at]


def _learned(
    x: Floats, chance: Floats, rng: np.random.Generator
) -> tuple[np.ndarray, Floats, Floats]:
    """Let a bandit that starts knowing nothing choose; its odds change with every reward."""
    settings = BanditSettings(ARMS, FEATURES + 1, policy=Thompson(0.35, 0.01))
    bandit, n = Bandit(settings), len(x)
    arm, propensity, reward = np.empty(n, int), np.empty(n), np.empty(n)
    asked = np.column_stack([np.ones(n), x])
    for t in range(n):
        choice = bandit.choose(asked[t], rng.random())
        arm[t], propensity[t] = choice.arm, choice.propensity
        reward[t] = float(rng.random() < chance[t, choice.arm])
        bandit.learn(asked[t], choice.arm, reward[t])
    return arm, propensity, reward


def covered(one: Case, draws: int) -> dict[str, float]:
    """Answer of each estimator how often its interval held the truth."""
    inside: dict[str, int] = {}
    for draw_number in range(draws):
        log, odds = log_of(one, np.random.default_rng(draw_number))
        for name, found in evaluate(log, odds, crossfit(log, ARMS)).items():
            inside[name] = inside.get(name, 0) + int(found.low <= one.truth <= found.high)
    return {name: count / draws for name, count in inside.items()}


def _read(path: object) -> tuple[Log, np.ndarray]:
    """Read an open bandit log: contexts are positions and affinities; answer positions too."""
    table = pl.read_csv(path)  # type: ignore[arg-type]
    position = table["position"].to_numpy() - 1
    affinity = table.select(pl.col("^user-item_affinity_.*$").cast(pl.Float64)).to_numpy()
    arm = table["item_id"].to_numpy()
    own = np.log1p(affinity[:, : arm.max() + 1])
    x = np.column_stack([position == 1, position == 2, own.sum(1)]).astype(float)
    log = Log(x, arm, table["propensity_score"].to_numpy(), table["click"].to_numpy().astype(float))
    return log, position


def _by_position(arm: np.ndarray, position: np.ndarray, arms: int) -> Floats:
    """Answer how often a policy that sees only the position took each arm: float64[3, arms]."""
    counts = np.full((3, arms), 0.5)
    np.add.at(counts, (position, arm), 1.0)
    return counts / counts.sum(1, keepdims=True)


def open_bandit(arguments: Arguments) -> dict[str, float]:
    """Value each of the two real policies from the other's log, beside what it earned itself."""
    folder = arguments.need("open-bandit-men")
    random, at_random = _read(folder / "random_men.csv.gz")
    learned, at_learned = _read(folder / "bts_men.csv.gz")
    arms = int(max(random.arm.max(), learned.arm.max())) + 1
    figures = {
        "open_bandit_rows": float(len(random.reward) + len(learned.reward)),
        "random_earned": float(random.reward.mean()),
        "learned_earned": float(learned.reward.mean()),
    }
    odds = {
        "learned": _by_position(learned.arm, at_learned, arms)[at_random],
        "random": np.full((len(learned.reward), arms), 1 / arms),
    }
    for name, log in (("learned", random), ("random", learned)):
        found = evaluate(log, odds[name], crossfit(log, arms))
        for estimator in ("snips", "dr"):
            key = f"{name}_{estimator}"
            figures[key] = found[estimator].value
            figures[f"{key}_low"], figures[f"{key}_high"] = found[estimator][1:3]
        figures[f"{name}_effective"] = found["ips"].effective
    return figures


KINDS = ("frequent", "rare", "money", "learning")


def run(arguments: Arguments, kind_of: Callable[[str], Case] = case) -> Outcome:
    """Measure coverage over `runs` draws of each kind, then run on the open bandit log."""
    figures: dict[str, float] = {}
    for kind in KINDS:
        draws = arguments.runs or (ADAPTIVE_DRAWS if kind == "learning" else DRAWS)
        for name, part in covered(kind_of(kind), draws).items():
            figures[f"{kind}_{name}"] = part
    for name in (*PROMISED, "dm"):
        figures[name] = float(np.mean([figures[f"{kind}_{name}"] for kind in KINDS]))
    figures["coverage"] = min(figures[name] for name in PROMISED)
    notes = ["coverage: simulated; the least of IPS, SNIPS, DR and SWITCH, each over four kinds"]
    if arguments.data is not None:
        figures |= open_bandit(arguments)
    return Outcome(figures, [at_least("coverage", figures, 0.93)], notes)

"""What a deployment chooses about learning from recommendations; read once from the environment.

Knows the names of the variables and their bounds, nothing of how anything is learned.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.clock import DAY_MS, HOUR_MS
from models.bandits.policies import Policy, Thompson
from models.recommend.exploring import MOST_SHARE
from service.learning_settings import policy_from


@dataclass(slots=True, frozen=True)
class RecommendSettings:
    """Choices of one deployment about learning from recommendations.

    policy: what chooses among mixes. limit: the greatest chance of any mix but the best known.
    share: of the places, how many are filled to learn. enough: after so many places a new item
    is owed none. click, purchase: what the first of each on an item of an answer is worth.
    window_ms: how long after an answer they count. half_life_ms: after so long an answer counts
    half. most: answers a second that a worker remembers; of others nothing is learned. turn_s:
    seconds between two exchanges with the other workers.
    """

    policy: Policy = field(default_factory=lambda: Thompson(0.2, 0.01))
    limit: float = 0.5
    share: float = 0.05
    enough: int = 100
    click: float = 1.0
    purchase: float = 5.0
    window_ms: int = 2 * HOUR_MS
    half_life_ms: float = 2.0 * DAY_MS
    most: int = 100
    turn_s: float = 2.0


def recommend_settings_from_env(env: Mapping[str, str]) -> RecommendSettings:
    """Read the settings; raises ValueError naming the variable that cannot be understood."""
    usual = RecommendSettings()
    text = env.get("SANDERLING_RECOMMEND_POLICY") or ""
    return RecommendSettings(
        policy=policy_from(text, "SANDERLING_RECOMMEND_POLICY") if text else usual.policy,
        share=_number(env, "SANDERLING_EXPLORE", usual.share, MOST_SHARE),
        purchase=_number(env, "SANDERLING_PURCHASE_REWARD", usual.purchase, 1_000.0),
        window_ms=round(
            HOUR_MS * _number(env, "SANDERLING_REWARD_HOURS", usual.window_ms / HOUR_MS, 72.0, 0.1)
        ),
        half_life_ms=DAY_MS
        * _number(env, "SANDERLING_RECOMMEND_HALF_LIFE", usual.half_life_ms / DAY_MS, 365.0),
    )


def _number(
    env: Mapping[str, str], name: str, usual: float, most: float, least: float = 0.0
) -> float:
    text = env.get(name) or str(usual)
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not least <= number <= most:
        raise ValueError(f"{name} is a number from {least:g} to {most:g}")
    return number

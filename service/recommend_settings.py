"""What a deployment chooses about learning from recommendations; read once from the environment.

Knows the names of the variables and their bounds, nothing of how anything is learned.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.clock import DAY_MS
from models.bandits.policies import Policy, Thompson
from models.recommend.exploring import MOST_SHARE
from models.recommend.worth import Worth, number_from, worth_from_env
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
    click: float = Worth().click
    purchase: float = Worth().purchase
    window_ms: int = Worth().window_ms
    half_life_ms: float = 2.0 * DAY_MS
    most: int = 100
    turn_s: float = 2.0


def recommend_settings_from_env(env: Mapping[str, str]) -> RecommendSettings:
    """Read the settings; raises ValueError naming the variable that cannot be understood."""
    usual = RecommendSettings()
    text = env.get("SANDERLING_RECOMMEND_POLICY") or ""
    worth = worth_from_env(env)
    half_life = "SANDERLING_RECOMMEND_HALF_LIFE"
    return RecommendSettings(
        policy=policy_from(text, "SANDERLING_RECOMMEND_POLICY") if text else usual.policy,
        share=number_from(env, "SANDERLING_EXPLORE", usual.share, MOST_SHARE),
        click=worth.click,
        purchase=worth.purchase,
        window_ms=worth.window_ms,
        half_life_ms=DAY_MS * number_from(env, half_life, usual.half_life_ms / DAY_MS, 365.0),
    )

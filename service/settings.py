"""What a deployment chooses for the service itself; the store has settings of its own.

Read once from the environment; the command line of `service.__main__` writes it there so
that every worker process sees the same.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from service.bid_settings import BidSettings, bid_settings_from_env
from service.learning_settings import LearningSettings, learning_settings_from_env
from service.recommend_settings import RecommendSettings, recommend_settings_from_env


@dataclass(slots=True, frozen=True)
class ServiceSettings:
    """Choices of one deployment of the service.

    unanswered: whether personal data may be used for users who never answered about
    consent (opt-out deployments: True). poll_s: seconds between two looks at the released
    bundles. store_timeout_s: how long a decision waits for the store before it answers
    without it. patience_s: how long a silent store is waited for before a write is refused with
    503 and Retry-After. body_timeout_s: how long a request's body may take to arrive.
    bids: what concerns exchanges. learning: what is learned from bids, and how. recommend: the
    same from recommendations.
    """

    unanswered: bool = True
    house_currency: str = ""
    poll_s: float = 1.0
    store_timeout_s: float = 0.1
    patience_s: float = 0.75
    body_timeout_s: float = 20.0
    bids: BidSettings = field(default_factory=BidSettings)
    learning: LearningSettings = field(default_factory=LearningSettings)
    recommend: RecommendSettings = field(default_factory=RecommendSettings)


def settings_from_env(env: Mapping[str, str] = os.environ) -> ServiceSettings:
    """Read the settings; raises ValueError naming the variable that cannot be understood."""
    consent = env.get("SANDERLING_CONSENT", "opt-out")
    if consent not in ("opt-out", "opt-in"):
        raise ValueError("SANDERLING_CONSENT is opt-out or opt-in")
    bids = bid_settings_from_env(env)
    return ServiceSettings(
        patience_s=_seconds(env.get("SANDERLING_STORE_PATIENCE") or "0.75"),
        unanswered=consent == "opt-out",
        house_currency=env.get("SANDERLING_CURRENCY", ""),
        bids=bids,
        learning=learning_settings_from_env(env, bids.rates),
        recommend=recommend_settings_from_env(env),
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.05 <= seconds <= 60:
        raise ValueError("SANDERLING_STORE_PATIENCE is a number of seconds from 0.05 to 60")
    return seconds

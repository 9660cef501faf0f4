"""What a deployment chooses about learning from bids; read once from the environment.

Knows the names of the variables and their bounds, nothing of how anything is learned.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.currencies import REFERENCE, Rates
from models.bandits.allowance import Allowance
from models.bandits.policies import POLICIES, Epsilon, Policy, Thompson, policy_of
from models.bidding.lore import HalfLives

OFF = "off"


@dataclass(slots=True, frozen=True)
class LearningSettings:
    """Choices of one deployment about learning.

    policy: what chooses among arms. allowance: how much of the spend may go to other arms than
    the best known. currency: in which the landscape's prices are. lives: how fast is forgotten.
    turn_s: seconds between two exchanges with the other workers.
    """

    policy: Policy = field(default_factory=Thompson)
    allowance: Allowance = field(default_factory=Allowance)
    currency: str = "USD"
    rates: Rates = REFERENCE
    lives: HalfLives = field(default_factory=HalfLives)
    turn_s: float = 2.0

    def scale_of(self, currency: str) -> float:
        """Answer the units of the landscape's currency for one of another, 0 when unknown."""
        if currency == self.currency:
            return 1.0
        rates = self.rates.per_euro
        have, want = rates.get(currency), rates.get(self.currency)
        return want / have if have and want else 0.0


def learning_settings_from_env(
    env: Mapping[str, str], rates: Rates = REFERENCE
) -> LearningSettings:
    """Read the settings; raises ValueError naming the variable that cannot be understood."""
    currency = env.get("SANDERLING_CURRENCY") or "USD"
    return LearningSettings(
        policy=policy_from(env.get("SANDERLING_BID_POLICY") or "", "SANDERLING_BID_POLICY"),
        currency=currency,
        rates=rates,
    )


def policy_from(text: str, variable: str) -> Policy:
    """Read `thompson`, `squarecb scale=10 exponent=0.5`, `off`: a policy and its numbers.

    Raises ValueError naming the variable that it came from.
    """
    kind, *numbers = text.split() or ["thompson"]
    if kind == OFF and not numbers:
        # The best known arm and no other: nothing is explored.
        return Epsilon(0.0)
    try:
        params: dict[str, Any] = {"kind": kind}
        for number in numbers:
            name, _, value = number.partition("=")
            params[name] = float(value)
        return policy_of(params)
    except ValueError as error:
        raise ValueError(
            f"{variable} is {OFF} or one of {', '.join(POLICIES)} with its numbers, "
            "as in thompson width=0.35"
        ) from error

"""What comes of an answer is worth: a click, a purchase, and how long after it they count.

Service and training read it from the same variables, so that what the log of answers is valued by
is what answers learn from. Knows nothing of answers.
"""

from collections.abc import Mapping
from typing import NamedTuple

from domain.clock import HOUR_MS


class Worth(NamedTuple):
    """What the first click and the first purchase on an item of an answer are worth, and for how
    many ms after it."""

    click: float = 1.0
    purchase: float = 5.0
    window_ms: int = 2 * HOUR_MS


def worth_from_env(env: Mapping[str, str]) -> Worth:
    """Read it; raises ValueError naming the variable that cannot be understood."""
    usual = Worth()
    hours = number_from(env, "SANDERLING_REWARD_HOURS", usual.window_ms / HOUR_MS, 72.0, 0.1)
    return Worth(
        purchase=number_from(env, "SANDERLING_PURCHASE_REWARD", usual.purchase, 1_000.0),
        window_ms=round(HOUR_MS * hours),
    )


def number_from(
    env: Mapping[str, str], name: str, usual: float, most: float, least: float = 0.0
) -> float:
    """Read one number; raises ValueError naming a variable that is none or out of bounds."""
    text = env.get(name) or str(usual)
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not least <= number <= most:
        raise ValueError(f"{name} is a number from {least:g} to {most:g}")
    return number

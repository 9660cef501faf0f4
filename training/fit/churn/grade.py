"""The quality grade: one letter with its reasons, from what was measured and on how many.

Knows nothing of how it was measured.
"""

from collections.abc import Mapping
from typing import NamedTuple

from models.bundle import Metric

ENOUGH = 1_000
"""Test rows of either label from which on a figure is firm."""


class Grade(NamedTuple):
    """A (firm) to D (not better than a rule anybody could write), and why."""

    letter: str
    why: list[str]


def grade(metrics: Mapping[str, Metric], left: int, stayed: int) -> Grade:
    """Answer the grade of a fit: order, gain over the recency rule, calibration, amount."""
    why: list[str] = []
    points = 3
    area = metrics["auc"]
    if area.low <= 0.5:
        return Grade("D", [f"the lower end of its AUC is {area.low:.3f}: it may be chance"])
    gain = metrics.get("gain_over_recency", metrics["gain_over_prevalence"])
    if gain.low <= 0:
        return Grade("D", ["it is not surely better than the recency rule"])
    if area.low < 0.7:
        points -= 1
        why.append(f"the lower end of its AUC is {area.low:.3f}, under .700")
    if metrics["calibration_p"].value < 0.05:
        points -= 1
        why.append(
            "its probabilities are off by "
            f"{metrics['calibration_error'].value:.3f} on average, more than chance explains"
        )
    if min(left, stayed) < ENOUGH:
        points -= 1
        why.append(f"tested on {left} who left and {stayed} who stayed; {ENOUGH} of either is firm")
    return Grade("DCBA"[max(points, 1)], why or ["order, calibration and amount are all good"])

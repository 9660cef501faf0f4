"""From scores to effects: the line on which seen effects lie, with the doubt about the line.

The best linear predictor of the effect from a score (Chernozhukov, Demirer, Duflo and
Fernández-Val, 2018): its slope is 1 when scores are effects already, and 0 when they say nothing.
Knows nothing of learners.
"""

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from models.uplift.line import Line
from training.evaluate.qini import Order

F64 = npt.NDArray[np.float64]
GROUPS = 5


def fit_line(score: F64, effects: F64) -> Line:
    """Answer the least-squares line of seen effects on scores of rows that were not learned from.

    Its doubt is robust to unequal spread (White, 1980). A slope that is not above 0 says that
    the scores order nobody: everyone then gets the mean.
    """
    centre = float(score.mean())
    away = score - centre
    mean = float(effects.mean())
    spread = float(away @ away)
    slope = float(away @ effects) / spread if np.ptp(score) > 0 else 0.0
    if not slope > 0:
        doubt = float(np.var(effects)) / len(effects)
        return Line(centre, mean, 0.0, (doubt, 0.0, 0.0))
    left = effects - mean - slope * away
    n = len(score)
    return Line(
        centre,
        mean,
        slope,
        (
            float((left**2).sum()) / n**2,
            float((away * left**2).sum()) / (n * spread),
            float((away**2 * left**2).sum()) / spread**2,
        ),
    )


def group_effects(effect: F64, effects: F64, groups: int = GROUPS) -> list[tuple[float, ...]]:
    """Answer, of groups of even size in the order of the foretold effect, the highest first:
    the mean foretold, the mean seen, and the seen one's standard error."""
    group = np.minimum((Order(effect).places() * groups).astype(np.int64), groups - 1)
    out: list[tuple[float, ...]] = []
    for one in np.unique(group):
        mine = effects[group == one]
        error = float(mine.std() / np.sqrt(len(mine)))
        out.append((float(effect[group == one].mean()), float(mine.mean()), error))
    return out


def calibration_p(effect: F64, effects: F64, groups: int = GROUPS) -> float:
    """Answer how often seen effects of groups would differ as much, were the foretold ones right.

    A chi-squared test over the groups; NaN where no group varies.
    """
    found = [one for one in group_effects(effect, effects, groups) if one[2] > 0]
    if not found:
        return float("nan")
    return float(chi2.sf(sum(((told - seen) / e) ** 2 for told, seen, e in found), len(found)))

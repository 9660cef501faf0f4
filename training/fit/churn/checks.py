"""What must be there before churn is learned, and what must not: refusals that say what is missing.

Knows nothing of how anything is learned.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from domain.clock import DAY_MS
from domain.errors import ScientistError, TooLittleData
from training.evaluate.probabilities import auc
from training.snapshots import Definition

LEAST_LABELS = 100
SUSPICIOUS_AUC = 0.95


def check_span(first: int, until: int, definition: Definition) -> None:
    """Ask for a history of three horizons (and the lead); times in ms UTC."""
    days = (until - first) / DAY_MS
    horizon, lead = definition.horizon_days, definition.lead_days
    needed = max(3 * horizon + lead, definition.history_days + 2 * (horizon + lead))
    if days < needed:
        raise TooLittleData(
            f"the log spans {max(days, 0):.0f} days and churn within {horizon:g} days needs "
            f"{needed:.0f}: three horizons, so that there is something to look back upon, to "
            f"learn from and to test on; {needed - max(days, 0):.0f} more days, or a shorter "
            "horizon_days"
        )


def check_labels(y: npt.NDArray[np.uint8], owner: npt.NDArray[np.int64], what: str) -> None:
    """Ask for LEAST_LABELS different people of either label."""
    left, stayed = (len(np.unique(owner[y == label])) for label in (1, 0))
    if left >= LEAST_LABELS and stayed >= LEAST_LABELS:
        return
    if not left or not stayed:
        only = "left" if left else "stayed" if stayed else "is there"
        raise TooLittleData(
            f"{what}: everybody {only}; two labels are needed to tell them apart"
            if left or stayed
            else f"{what}: nobody is in the population; look at active_days, kinds and as_of"
        )
    raise TooLittleData(
        f"{what}: {left} people left and {stayed} stayed; {LEAST_LABELS} of either are needed "
        f"({max(0, LEAST_LABELS - left)} and {max(0, LEAST_LABELS - stayed)} more)"
    )


def varying(x: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Answer which columns take more than one value, missing being one; bool[f]."""
    filled = np.where(np.isnan(x), np.inf, x)
    return (filled != filled[:1]).any(axis=0)


def check_leaks_by_cutoff(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.uint8],
    as_of: npt.NDArray[np.int64],
    names: Sequence[str],
    allowed: Sequence[str],
) -> None:
    """Refuse a telltale feature over all rows, or at the last cut-off with enough of either label.

    An attribute has no past: one that was written when people left tells the last cut-off's
    labels and may look harmless over earlier ones.
    """
    check_leaks(x, y, names, allowed)
    for cutoff in np.unique(as_of)[::-1]:
        rows = as_of == cutoff
        if min(int(y[rows].sum()), int(rows.sum() - y[rows].sum())) >= LEAST_LABELS / 2:
            check_leaks(x[rows], y[rows], names, allowed)
            return


def check_leaks(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.uint8],
    names: Sequence[str],
    allowed: Sequence[str],
) -> None:
    """Refuse a single feature that tells the label by itself (area above .95).

    Missing values are taken as lowest, then as highest. `allowed` are names (an attribute's
    without its category as well) that someone has looked at. Raises ScientistError.
    """
    found: list[str] = []
    for place in np.flatnonzero(varying(x)).tolist():
        name = names[place]
        if name in allowed or name.partition("=")[0] in allowed:
            continue
        column = x[:, place]
        for missing in (-np.inf, np.inf):
            area = auc(y, np.where(np.isnan(column), missing, column))
            if max(area, 1 - area) > SUSPICIOUS_AUC:
                found.append(f"{name} ({max(area, 1 - area):.3f})")
                break
    if found:
        raise ScientistError(
            "a single feature tells who left almost by itself, which smells of the future: "
            + ", ".join(found)
            + "; find out how it is known before as_of, then name it in allowed_leaks"
        )

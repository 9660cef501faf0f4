"""What a churn model must beat: prevalence, the recency rule, a line, trees, buy-till-you-die.

Each learns from the same rows and answers a probability for the same rows. Knows nothing of
folds or of metrics.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.calibration import sigmoid
from training.fit.churn.learner import Learned
from training.fit.churn.linear import fit_linear

F64 = npt.NDArray[np.float64]
RECENCY = "recency"


def prevalence(y: npt.NDArray[np.uint8], rows: int) -> F64:
    """Answer the share that left, for everybody."""
    return np.full(rows, float(np.mean(y)))


def single(x: F64, y: npt.NDArray[np.uint8], asked: F64) -> F64:
    """Answer a logistic curve of one column: its order is the column's, or the reverse."""
    line = fit_linear(x[:, None], y, 100.0)
    return sigmoid(line.raw(asked[:, None]))


def baselines(
    x: F64, y: npt.NDArray[np.uint8], asked: F64, names: Sequence[str], learned: Learned
) -> dict[str, F64]:
    """Answer name → float64[m] for the rows `asked`; a baseline whose column is absent is left out.

    `logistic` and `trees` are the two parts of the learned model, each alone.
    """
    out = {"prevalence": prevalence(y, len(asked))}
    if RECENCY in names:
        place = list(names).index(RECENCY)
        out[RECENCY] = single(x[:, place], y, asked[:, place])
    out["logistic"] = sigmoid(learned.linear.raw(learned.own(asked)))
    out["trees"] = sigmoid(learned.forest.raw(learned.own(asked)))
    for place, name in enumerate(names):
        model, _, what = name.partition("_")
        if what == "inactive":
            column = asked[:, place]
            # A customer whose every order was undone is no customer to these models.
            out[model] = np.where(np.isnan(column), np.mean(y), np.clip(column, 1e-6, 1 - 1e-6))
    return out

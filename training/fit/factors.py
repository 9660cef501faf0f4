"""Learning item vectors with `implicit`'s alternating least squares.

Only the item side is kept: users are folded in when asked about. Knows nothing of serving.
"""

import warnings
from typing import Any

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from models.recommend.factors import Factors
from training.splits import Interactions


def user_items(known: Interactions) -> sp.csr_matrix:
    """Answer float32[u, n]: one plus the logarithm of the weight of each user's events by item."""
    shape = (len(known.offsets) - 1, known.n_items)
    # A copy: adding up duplicates sorts in place, and others learn from the order of events.
    held = (known.weights, known.items, known.offsets)
    counts = sp.csr_matrix(held, shape=shape, copy=True)
    counts.sum_duplicates()
    # Having it ten times says more than once, but not ten times as much.
    counts.data = np.where(counts.data > 1, 1 + np.log(np.maximum(counts.data, 1)), counts.data)
    return sp.csr_matrix(counts, dtype=np.float32)


def learn_factors(
    known: Interactions, params: dict[str, Any], seed: int, threads: int
) -> np.ndarray:
    """Answer float32[n, d] item vectors.

    params: factors (d), iterations, regularisation, confidence. Memory: 4 * d bytes for each
    user and item, and 16 an event.
    """
    with warnings.catch_warnings(), threadpool_limits(1, user_api="blas"):
        warnings.simplefilter("ignore")
        from implicit.cpu.als import AlternatingLeastSquares

        model = AlternatingLeastSquares(
            factors=params["factors"],
            regularization=params["regularisation"],
            alpha=params["confidence"],
            iterations=params["iterations"],
            num_threads=threads,
            random_state=seed,
        )
        model.fit(user_items(known), show_progress=False)
    return np.asarray(model.item_factors, np.float32)


def fit_factors(known: Interactions, params: dict[str, Any], seed: int, threads: int) -> Factors:
    """Learn the item vectors and hold them with what serving needs; params also has decay."""
    factors = learn_factors(known, params, seed, threads)
    return Factors(factors, params["regularisation"], params["confidence"], params["decay"])

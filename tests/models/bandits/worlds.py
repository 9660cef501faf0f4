"""Small worlds of known arms for the tests of bandits."""

import numpy as np

from models.bandits.evidence import Evidence


def random_evidence(rng: np.random.Generator, arms: int, features: int, rows: int = 20) -> Evidence:
    """Answer evidence of `rows` linear outcomes of noise 1 an arm."""
    precision = np.zeros((arms, features, features))
    shift = np.zeros((arms, features))
    tallies = np.zeros((arms, 3))
    for arm in range(arms):
        x = rng.normal(size=(rows, features))
        y = rng.normal(size=rows)
        precision[arm], shift[arm] = x.T @ x, x.T @ y
        tallies[arm] = rows, y.sum(), (y**2).sum()
    return Evidence(precision, shift, tallies)


def sigmoid(score: np.ndarray) -> np.ndarray:
    """Answer 1 / (1 + e^-score)."""
    return 1.0 / (1.0 + np.exp(-score))

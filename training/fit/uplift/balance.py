"""The proof that contact was dealt by chance: nothing known before may tell who was contacted.

Two tests of one claim, that treated less its chance has mean 0 whatever the attributes say. The
omnibus test of standardised differences takes all attributes at once, by their ranks (Hansen and
Bowers, 2008). The classifier two-sample test asks trees that learned from one half of the people
to foretell the other half (Lopez-Paz and Oquab, 2017), which finds what no single attribute
shows. Knows nothing of outcomes.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2, norm, rankdata

from domain.errors import ScientistError, TooLittleData
from training.fit.uplift.learners import Hands, Recipe, boost
from training.fit.uplift.trial import Trial, halves

F64 = npt.NDArray[np.float64]
LEVEL = 0.001
"""One proper trial in a thousand is refused; a larger log does not make it more."""

LEAST = 100
_WORST = 3
_TREES = Recipe("", 8, 50)


class Balance(NamedTuple):
    """p: of both tests together (the smaller, doubled). omnibus, learned: of each. statistic,
    freedom: of the omnibus test. worst: attributes and by how many deviations the contacted
    differ, the largest first."""

    p: float
    omnibus: float
    learned: float
    statistic: float
    freedom: int
    worst: tuple[tuple[str, float], ...]


def ranked(x: F64, names: tuple[str, ...]) -> tuple[F64, list[str]]:
    """Answer standardised ranks of the columns that vary, missing ones at the mean, and whether
    something is missing as a column of its own."""
    columns: list[F64] = []
    kept: list[str] = []
    for place, name in enumerate(names):
        column = x[:, place]
        missing = np.isnan(column)
        known = column[~missing]
        if len(known) and known.min() != known.max():
            rank = np.zeros(len(column))
            order = rankdata(known)
            rank[~missing] = order - order.mean()
            columns.append(rank / rank.std())
            kept.append(name)
        if missing.any() and not missing.all():
            flag = missing - missing.mean()
            columns.append(flag / flag.std())
            kept.append(f"{name} missing")
    return (np.stack(columns, axis=1) if columns else np.empty((len(x), 0))), kept


def _omnibus(trial: Trial) -> tuple[float, float, int, tuple[tuple[str, float], ...]]:
    z, names = ranked(trial.x, trial.names)
    variance = trial.propensity * (1 - trial.propensity)
    left = trial.treated - trial.propensity
    apart = (z * left[:, None]).mean(axis=0) / variance.mean() if len(names) else np.empty(0)
    worst = np.argsort(-np.abs(apart))[:_WORST]
    if trial.logged:
        # Chances that were written down must also agree with how many were contacted.
        z = np.column_stack([np.ones(len(z)), z])
    if not z.shape[1]:
        return 1.0, 0.0, 0, ()
    score, spread = z.T @ left, (z * variance[:, None]).T @ z
    statistic = float(score @ np.linalg.pinv(spread, hermitian=True) @ score)
    freedom = int(np.linalg.matrix_rank(spread, hermitian=True))
    told = tuple((names[one], float(apart[one])) for one in worst)
    return float(chi2.sf(statistic, freedom)), statistic, freedom, told


def _learned(trial: Trial, hands: Hands) -> float:
    """Answer the one-sided p of how well one half foretells the other's contacts."""
    left = trial.treated - trial.propensity
    mine = halves(trial.treated, np.zeros(len(trial)), np.random.default_rng(hands.seed))
    variance = trial.propensity * (1 - trial.propensity)
    along, reach = 0.0, 0.0
    for asked in (mine, ~mine):
        booster = boost(trial.x[~asked], left[~asked], None, _TREES, hands)
        told = np.asarray(booster.predict(trial.x[asked], num_threads=1), np.float64)
        if not trial.logged:
            # The share is taken from the same people, so a constant foretells nothing.
            told = told - told.mean()
        along += float(told @ left[asked])
        # Each half's surprise is the other's lesson: the two sums rise together, so their
        # deviations are added, not their variances.
        reach += float(np.sqrt((told**2) @ variance[asked]))
    return float(norm.sf(along / reach)) if reach > 1e-9 else 1.0


def balance_of(trial: Trial, hands: Hands) -> Balance:
    """Answer how the contacted and the others differ in what was known before."""
    omnibus, statistic, freedom, worst = _omnibus(trial)
    learned = _learned(trial, hands)
    return Balance(min(1.0, 2 * min(omnibus, learned)), omnibus, learned, statistic, freedom, worst)


def check_random(trial: Trial, hands: Hands) -> Balance:
    """Refuse a trial that was not dealt by the chances it states. Raises ScientistError."""
    found = balance_of(trial, hands)
    if found.p >= LEVEL:
        return found
    worst = ", ".join(f"{name} {apart:+.2f}" for name, apart in found.worst)
    told = (
        f"omnibus d2 {found.statistic:.1f} on {found.freedom} degrees of freedom, p "
        f"{found.omnibus:.1e}; two-sample test p {found.learned:.1e}; in deviations: {worst}"
    )
    if trial.logged:
        raise ScientistError(
            f"the logged propensities are not those by which contact was dealt ({told}); whoever "
            "logs decisions must write down the chance of contact as it was when it was dealt"
        )
    raise ScientistError(
        f"contact was not dealt at random: what was known before tells who was contacted ({told}). "
        "Differences between such groups are not effects, so nothing is fitted. Whoever runs the "
        "campaign must hold out people by lot, or log the chance of contact of each (column or "
        "field propensity); an attribute written after the contact looks the same: leave it out"
    )


def check_enough(trial: Trial) -> None:
    """Ask for LEAST people of either outcome in either arm. Raises TooLittleData."""
    for arm, what in ((True, "contacted"), (False, "not contacted")):
        mine = trial.outcome[trial.treated == arm]
        if not len(mine):
            raise TooLittleData(
                f"nobody in the trial was {what}: without people left alone, or people contacted, "
                "there is nothing to compare with; whoever runs the campaign must hold out some "
                "by lot"
            )
        good = int(mine.sum())
        if min(good, len(mine) - good) < LEAST:
            raise TooLittleData(
                f"of the {len(mine):,} {what}, {good:,} had the good outcome and "
                f"{len(mine) - good:,} had not; {LEAST} of either are needed"
            )


def without_certain(trial: Trial) -> Trial:
    """Answer the trial without those who could not but be contacted, or not be.

    Raises ScientistError when nobody's contact was left to chance, or a chance is none.
    """
    e = trial.propensity
    if not (np.isfinite(e).all() and (e >= 0).all() and (e <= 1).all()):
        raise ScientistError("a propensity is a number from 0 to 1: the chance of contact")
    chance = (e >= 0.01) & (e <= 0.99)
    if not chance.any():
        raise ScientistError(
            "every contact was certain (all propensities are 0 or 1): nothing was left to chance, "
            "so nothing can be learned of effects; whoever decides must contact a part by lot"
        )
    return trial if chance.all() else trial.take(chance)

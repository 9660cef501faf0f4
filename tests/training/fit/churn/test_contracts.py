"""Contractual churn from cancel and renew events, on a made-up shop; every figure is simulated."""

import numpy as np
import pytest

from models.churn.features import NAMES
from tests.training.leaving import at_day, term_shop
from training.fit.churn.run import Fitted, build_table, fit
from training.fit.churn.settings import ChurnSettings
from training.labels import terms

SETTINGS = ChurnSettings(
    definition="contractual",
    horizon_days=30,
    step_days=10,
    leaves=[4],
    trees=[100],
    penalties=[0.02],
    rounds=30,
)


class Quiet:
    """Takes the place of a progress bar."""

    def __init__(self, **_) -> None:
        pass

    def __enter__(self) -> "Quiet":
        return self

    def __exit__(self, *_) -> None:
        pass

    def update(self, steps: int) -> None:
        pass


@pytest.fixture(scope="module")
def shop():
    return term_shop(1500)


@pytest.fixture(scope="module")
def fitted(shop) -> Fitted:
    return fit(shop, SETTINGS, at_day(1000), progress=Quiet)


def test_it_learns_that_support_comes_before_leaving(fitted) -> None:
    assert fitted.metrics["auc"].low > 0.7
    assert fitted.metrics["gain_over_prevalence"].low > 0
    called = np.full((2, len(fitted.model.names)), np.nan)
    called[:, NAMES.index("tenure")] = 120
    called[0, NAMES.index("support")] = 1
    called[0, NAMES.index("support_recency")] = 5
    called[1, NAMES.index("support")] = 0
    scored = fitted.model.score_many(called)
    assert scored.probability[0] > 3 * scored.probability[1]
    service = [place for place, group in enumerate(fitted.model.groups) if group == "service"]
    assert scored.contributions[0, service].sum() > scored.contributions[1, service].sum()


def test_survival_is_that_of_the_term(fitted) -> None:
    row = fitted.golden.rows[0]["input"]["features"]
    x = np.array([[np.nan if value is None else value for value in row]])
    p = fitted.model.score_many(x).probability
    curve = fitted.model.survival(x, [0, 10, 30], p)
    assert curve[0, 0] == 1
    assert curve[0, 2] == pytest.approx(1 - p[0], abs=1e-9)
    assert fitted.model.definition["definition"] == "contractual"


def test_only_running_terms_are_asked_about(shop) -> None:
    cut = at_day(200)
    table = build_table(shop, (cut,), SETTINGS, {})
    everyone = np.arange(len(shop.entities))
    running, left = terms(shop, everyone, np.full(len(everyone), cut), 0, 30 * 86_400_000)
    assert table.owner.tolist() == everyone[running].tolist()
    assert table.y.tolist() == (left[running] < cut + 30 * 86_400_000).astype(int).tolist()
    assert 0 < running.mean() < 1

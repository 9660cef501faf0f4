"""What a sweep keeps beside its scores: the columns that conditions ask for, user by user."""

from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from domain.condition_text import parse_condition
from domain.conditions import judge, names_in
from domain.ids import user_entity
from domain.scores import Score
from domain.users import Profile
from feature_store.audiences import FEATURES, SHOWN, VOCABULARY, missing, row_lookup, sweep_lookup
from feature_store.history import History
from feature_store.memory import MemoryStore
from feature_store.sweeps.reading import Sweep
from feature_store.sweeps.table import RANKED
from feature_store.views.catalogue import views_named
from models.churn.model import ChurnModel
from tests.golden.leaving import release_contact
from tests.training.sweep.sweeping import AS_OF, NOW, job, release
from training.cli_sweep import open_uplift
from training.sweep.job import Wish

INTENT = ("intent.probability", "intent.confidence", "intent.hours_ago")
CONDITIONS = (
    "recency > 30",
    "not recency > 30",
    "recency <= 30 and refund_recency is unknown",
    "recency > 20 and churn.band in (medium, high)",
    "churn.probability >= 0.5 or orders_90d < 2",
    "not (weekdays_monday > 0.1 or churn.expected_loss < 20) and lifetime_value between 1 and 500",
)


@pytest.fixture(scope="module")
def swept(history: History, model: ChurnModel, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    home = tmp_path_factory.mktemp("home")
    release(home / "bundles", model)
    return job(home, history).run(Wish(as_of=AS_OF))


def test_features_lie_in_the_order_of_the_scores(swept: Sweep, history: History) -> None:
    assert swept.features is not None
    # The store in memory knows nobody: no attribute is kept, and no visit was told of.
    assert set(swept.features.columns) == {*FEATURES, *INTENT}
    assert all(np.isnan(swept.features[name]).all() for name in INTENT)
    assert set(swept.table.columns) == set(RANKED)
    assert swept.features.users.equals(swept.table.users)
    users = swept.table.users.to_pylist()
    rows = history.replay(views_named(SHOWN), [(user_entity(u), AS_OF) for u in users]).views
    for name in FEATURES:
        view, _, _ = name.partition(".")
        assert view in rows
        told = [row_lookup(rows, place, {})(name) for place in range(len(users))]
        np.testing.assert_array_equal(sweep_lookup(swept)(name), told)


@pytest.mark.parametrize("text", CONDITIONS)
def test_many_in_a_sweep_are_judged_as_each_alone(
    swept: Sweep, history: History, text: str
) -> None:
    condition = parse_condition(text, VOCABULARY)
    many = judge(condition, sweep_lookup(swept))
    assert many.yes.any()
    assert not many.yes.all()
    assert not (many.yes & many.no).any()
    users = swept.table.users.to_pylist()
    rows = history.replay(views_named(SHOWN), [(user_entity(u), AS_OF) for u in users]).views
    for place in range(0, len(users), 7):
        scores = {
            f"churn.{name}": float(swept.table[column][place])
            for name, column in (
                ("probability", "probability"), ("band", "level"),
                ("expected_loss", "expected_loss"),
            )
        }  # fmt: skip
        one = row_lookup(rows, place, scores)
        alone = judge(condition, one)
        assert tuple(alone) == (bool(many.yes[place]), bool(many.no[place]))


def test_attributes_visits_and_uplift_may_be_asked_for(
    history: History, model: ChurnModel, tmp_path: Path
) -> None:
    release(tmp_path / "bundles", model)
    version = release_contact(tmp_path, -0.3, 0.1)
    store = MemoryStore()
    everybody = [name[1:] for name in history.entities if name[0] == "u"]
    hour = 3_600_000

    async def opening() -> MemoryStore:
        for place, user in enumerate(everybody):
            await store.put_profile(user, Profile({"Plan": ("gold", "tin")[place % 2], "n": place}))
            told = Score(0.9, 0.5, (AS_OF, NOW)[place % 2] - hour)
            await store.put_scores({user_entity(user): {"intent": told}})
        return store

    made = job(
        tmp_path, history, open_store=opening,
        open_uplift=partial(open_uplift, tmp_path / "bundles" / "uplift"),
    )  # fmt: skip
    sweep = made.run(Wish(as_of=AS_OF))

    def found(text: str) -> set[str]:
        condition = parse_condition(text, VOCABULARY)
        assert missing(sweep, names_in(condition)) == []
        yes = judge(condition, sweep_lookup(sweep)).yes
        return set(sweep.table.names(np.flatnonzero(yes)))

    users = set(sweep.table.users.to_pylist())
    gold = {user for place, user in enumerate(everybody) if place % 2 == 0} & users
    assert gold
    assert found("attributes.plan = gold") == gold
    assert found("attributes.plan not in (gold)") == users - gold
    assert found("attributes.n between 10 and 19") == set(everybody[10:20]) & users
    # What was told after the sweep's time is not looked at.
    assert found("intent.probability > 0.6 and intent.hours_ago <= 1") == gold
    assert found("uplift.action = leave_alone and uplift.high < 0") == users
    assert sweep.summary.uplift == version
    rows = pl.read_parquet(tmp_path / "sweeps" / "churn" / sweep.summary.id / "rows")
    assert rows["recommended_action"].unique().to_list() == ["leave_alone"]
    assert rows["uplift"].to_list() == pytest.approx([-0.3] * len(users))


def test_features_are_mapped_not_copied(swept: Sweep, tmp_path: Path) -> None:
    assert swept.features is not None
    for name in ("rfm.recency", "rfm.orders_90d", "rhythm.weekdays_monday"):
        column = swept.features[name]
        assert not column.flags.writeable
        assert not column.flags.owndata
    # Counts stay counts, so that a sweep is no larger than it must be.
    assert swept.features["rfm.orders_90d"].dtype == np.int32
    assert swept.features["rhythm.weekdays_monday"].dtype == np.float32

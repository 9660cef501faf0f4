"""The whole fit on a made-up shop whose truth is known; every figure here is simulated."""

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import ScientistError, TooLittleData
from models.bundle import Draft, write_bundle
from models.churn.model import ChurnModel
from models.churn.repute import COLUMNS
from models.families import load_scorer
from tests.training.leaving import START, at_day, leaving_shop, telling_shop
from training.evaluate.probabilities import auc
from training.fit.churn.folds import purged
from training.fit.churn.judge import judge_cutoff, judge_rows
from training.fit.churn.run import build_table, fit
from training.fit.churn.settings import ChurnSettings

NOW = at_day(1000)
FAST = ChurnSettings(
    horizon_days=30,
    active_days=90,
    step_days=15,
    leaves=[4],
    trees=[40],
    penalties=[0.02],
    rounds=40,
    btyd=["bgnbd"],
)


class Quiet:
    """Takes the place of a progress bar."""

    def __init__(self, **_) -> None:
        self.steps = 0

    def __enter__(self) -> "Quiet":
        return self

    def __exit__(self, *_) -> None:
        pass

    def update(self, steps: int) -> None:
        self.steps += steps


@pytest.fixture(scope="module")
def shop():
    return leaving_shop(600, days=240, seed=1)


@pytest.fixture(scope="module")
def fitted(shop):
    return fit(shop, FAST, NOW, progress=Quiet)


def test_it_beats_chance_and_the_recency_rule(fitted) -> None:
    metrics = fitted.metrics
    assert metrics["auc"].low > 0.65
    assert metrics["auc"].value > metrics["recency_auc"].value
    assert metrics["gain_over_prevalence"].low > 0
    for rival in ("prevalence", "recency", "logistic", "trees", "bgnbd"):
        assert f"{rival}_auc" in metrics
    assert 0.85 < metrics["calibration_slope"].value < 1.2


def test_what_others_bought_is_heard_where_it_tells_who_stays(tmp_path) -> None:
    shop = telling_shop()
    settings = replace(FAST, hazard=False, rounds=10)
    told = fit(shop, settings, NOW, progress=Quiet)
    deaf = fit(shop, replace(settings, repute=False), NOW, progress=Quiet)
    assert told.found["repute"]
    assert not deaf.found["repute"]
    assert told.metrics["log_loss"].value < deaf.metrics["log_loss"].value - 0.01
    assert deaf.model.repute is None
    # What is served reads the table of the fit's end, from a bundle as from memory.
    draft = Draft("churn", NOW, told.model.arrays(), told.model.params(), golden=told.golden)
    served = load_scorer(write_bundle(tmp_path, draft))
    rows = build_table(shop, (at_day(200),), settings, {}).views
    x = told.model.matrix(rows)
    assert served.matrix(rows).tobytes() == x.tobytes()
    assert "last_return" in served.names
    assert np.nanmax(np.abs(x[:, served.names.index("last_return")])) > 0.1
    scored = served.score_many(x)
    assert np.abs(scored.contributions.sum(axis=1) - scored.log_odds).max() < 1e-9


def test_the_repute_of_a_row_is_that_of_its_own_day() -> None:
    shop = telling_shop(200)
    ended = replace(shop, **_until(shop, at_day(150)))
    one = build_table(shop, (at_day(100), at_day(150)), FAST, {})
    two = build_table(ended, (at_day(100), at_day(150)), FAST, {})
    assert one.repute.tobytes() == two.repute.tobytes()
    assert [one.names(None)[place] for place in one.optional(None)] == list(COLUMNS)


def _until(shop, cut):
    keep = shop.records["at"] < cut
    counts = np.concatenate([[0], np.cumsum(keep)])
    return {"records": shop.records[keep], "offsets": counts[shop.offsets]}


def test_three_rolling_cutoffs_new_and_seen_are_told(fitted) -> None:
    assert len(fitted.split["tests"]) == 3
    for name in ("cutoff_1_auc", "cutoff_2_auc", "cutoff_3_auc", "seen_auc", "new_rows"):
        assert name in fitted.metrics
    assert fitted.grade.letter in "ABC"
    assert fitted.grade.why


def test_the_definition_travels(fitted) -> None:
    words = fitted.model.definition
    assert (words["horizon_days"], words["active_days"], words["definition"]) == (
        30.0,
        90.0,
        "inactivity",
    )


def test_the_bundle_answers_as_the_fit_did(fitted, tmp_path) -> None:
    model = fitted.model
    draft = Draft("churn", 0, model.arrays(), model.params(), golden=fitted.golden)
    loaded = load_scorer(write_bundle(tmp_path, draft))
    assert isinstance(loaded, ChurnModel)
    assert loaded.names == model.names
    assert len(fitted.golden.rows) == 17


def test_shares_add_up_and_batches_answer_as_single_rows(fitted) -> None:
    model = fitted.model
    given = [row["input"]["features"] for row in fitted.golden.rows]
    x = np.array([[np.nan if value is None else value for value in row] for row in given])
    scored = model.score_many(x)
    assert scored.contributions.sum(axis=1) == pytest.approx(scored.log_odds, abs=1e-9)
    assert model.score_many(x, explain=False).probability == pytest.approx(
        scored.probability, abs=1e-9
    )
    for place in range(len(x)):
        alone = model.score_many(x[place : place + 1])
        # Few rows are calibrated one by one, many at once: equal up to rounding.
        assert alone.probability[0] == pytest.approx(scored.probability[place], rel=1e-12)
    curve = model.survival(x, [0, 15, 30, 60], scored.probability)
    assert curve[:, 2] == pytest.approx(scored.probability, abs=1e-9)
    assert np.all(np.diff(curve, axis=1) <= 0)


def test_the_unknown_and_the_infinite_are_answered(fitted) -> None:
    model = fitted.model
    odd = np.full((2, len(model.names)), np.nan)
    odd[1] = np.inf
    scored = model.score_many(odd)
    assert scored.probability[0] == scored.probability[1]
    assert 0 < scored.probability[0] < 1
    assert scored.confidence.tolist() == [0, 0]


def test_the_future_changes_nothing(shop) -> None:
    """Fitting as of an earlier time is fitting on a log that ends there."""
    early = replace(FAST, as_of=str(at_day(180)), btyd=[], hazard=False)
    whole = fit(shop, early, NOW, progress=Quiet)
    keep = shop.records["at"] < at_day(180)
    counts = np.concatenate([[0], np.cumsum(keep)])
    ended = replace(shop, records=shop.records[keep], offsets=counts[shop.offsets])
    alone = fit(ended, early, NOW, progress=Quiet)
    assert whole.metrics == alone.metrics
    assert whole.golden.rows == alone.golden.rows


def test_permuted_labels_cannot_be_foreseen(shop) -> None:
    settings = replace(FAST, btyd=[])
    cut = at_day(180)
    table = build_table(shop, (*range(at_day(60), at_day(150), 15 * 86_400_000), cut), settings, {})
    rng = np.random.default_rng(4)
    # Labels are dealt out to people anew, so that rows of one person keep belonging together.
    owners = np.unique(table.owner)
    dealt = rng.integers(0, 2, owners.max() + 1).astype(np.uint8)
    mixed = replace(table, y=dealt[table.owner])
    known = np.flatnonzero(purged(mixed.as_of, cut, mixed.window_ms))
    # Asked about people it has not learned from: what is left is chance.
    fresh = rng.permutation(owners)[: len(owners) // 2]
    train = known[~np.isin(mixed.owner[known], fresh)]
    test = np.flatnonzero((mixed.as_of == cut) & np.isin(mixed.owner, fresh))
    judged = judge_rows(mixed.x(None), mixed, train, test, mixed.names(None), settings)
    error = 1 / np.sqrt(3 * min(judged.y.sum(), len(judged.y) - judged.y.sum()))
    assert abs(auc(judged.y, judged.scores["model"]) - 0.5) < 3 * error


def test_a_leaked_attribute_is_refused_and_may_be_allowed(shop) -> None:
    quick = replace(FAST, btyd=[], hazard=False)
    table = build_table(shop, (at_day(210),), quick, {})
    left = dict(zip([shop.entities[o][1:] for o in table.owner], table.y.tolist(), strict=True))
    profiles = {name[1:]: {"gone": left.get(name[1:], 1)} for name in shop.entities}
    with pytest.raises(ScientistError, match=r"attribute\.gone"):
        fit(shop, quick, NOW, profiles, progress=Quiet)
    allowed = replace(quick, allowed_leaks=["attribute.gone"])
    assert fit(shop, allowed, NOW, profiles, progress=Quiet).metrics["auc"].value > 0.8


def test_a_log_too_short_says_how_much_is_missing(shop) -> None:
    with pytest.raises(TooLittleData, match=r"three horizons.*60 more days"):
        fit(shop, replace(FAST, horizon_days=100), NOW, progress=Quiet)


def test_too_few_people_are_counted() -> None:
    with pytest.raises(TooLittleData, match="100 of either are needed"):
        fit(leaving_shop(120), FAST, NOW, progress=Quiet)


def test_a_cutoff_in_the_future_is_refused(shop) -> None:
    with pytest.raises(ScientistError, match="future"):
        fit(shop, replace(FAST, as_of=str(NOW + 1)), NOW, progress=Quiet)
    with pytest.raises(ScientistError, match="as_of"):
        fit(shop, replace(FAST, as_of="last week"), NOW, progress=Quiet)


def test_everybody_stays_where_everybody_buys_daily() -> None:
    from domain.events import Kind
    from tests.training.leaving import history_of_orders

    people = {
        f"c{n}": [(float(day), Kind.purchase) for day in range(0, 200, 5)] for n in range(150)
    }
    with pytest.raises(TooLittleData, match="everybody stayed"):
        fit(history_of_orders(people), FAST, NOW, progress=Quiet)


def test_tests_learn_from_ended_windows_only(shop) -> None:
    cut = at_day(180)
    table = build_table(shop, (at_day(60), at_day(90), at_day(151), cut), FAST, {})
    quick = replace(FAST, btyd=[])
    judged = judge_cutoff(shop, table, cut, quick)
    spoiled = replace(table, y=np.where(table.as_of == at_day(151), 1 - table.y, table.y))
    again = judge_cutoff(shop, spoiled, cut, quick)
    assert np.array_equal(judged.scores["model"], again.scores["model"])
    assert cut > START


@pytest.mark.parametrize(
    "wrong",
    [{"test_cutoffs": 1}, {"leaves": []}, {"trees": [0]}, {"penalties": [0.0]}, {"step_days": 0}],
)
def test_settings_that_mean_nothing_are_refused(wrong) -> None:
    with pytest.raises(ScientistError):
        ChurnSettings(**wrong)

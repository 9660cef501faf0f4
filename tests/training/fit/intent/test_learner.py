"""Learning a scorer: refusals that say what is missing, what is kept, answers part by part."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from domain.errors import TooLittleData
from feature_store.views.session import GAP_MS
from models.calibration import Uncalibrated, sigmoid
from models.intent.categories import Categories
from models.intent.confidence import PLACES, Confidence
from models.intent.model import Mix
from tests.training.fit.intent.shop import QUICK, categories, history_of
from training.fit.intent import aggregates, learner
from training.fit.intent.learner import (
    LEAST,
    Recipe,
    alone,
    answers_of,
    assemble,
    check_examples,
    columns_of,
    examined,
    learn,
    tune,
)
from training.fit.intent.sessions import Labels, Sessions, cut, label, renown_of, stream_of
from training.fit.intent.settings import IntentSettings

SETTINGS = IntentSettings(**{**QUICK, "epochs": 1})
DEFINITION = {"target": "purchase", "horizon_hours": 0.0, "gap_ms": GAP_MS}


@pytest.fixture(scope="module", autouse=True)
def small_trees() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aggregates, "TREES", (20,))
        patch.setattr(aggregates, "LEAVES", (4,))
        yield


@pytest.fixture(scope="module")
def table() -> Sessions:
    return cut(stream_of(history_of(), categories()))


@pytest.fixture(scope="module")
def labels(table: Sessions) -> Labels:
    return label(table)


@pytest.fixture(scope="module")
def recipe(table: Sessions, labels: Labels) -> Recipe:
    return tune(table, labels, labels.asked, SETTINGS, lambda: None)


def test_tuning_says_what_it_found(recipe: Recipe) -> None:
    assert recipe.champion == recipe.found["champion"]
    assert len(recipe.rates) == recipe.found["epochs"] == 1
    assert recipe.spread is not None
    assert (recipe.spread > 0).all()
    assert recipe.found["valid_log_loss"].keys() == {"0", "0.25", "0.5", "0.75", "1"}


def test_tuning_does_not_look_at_other_rows(table: Sessions, labels: Labels) -> None:
    late = table.starts[table.session] >= np.quantile(table.starts, 0.8)
    rows = labels.asked & ~late
    turned = labels._replace(y=np.where(late, 1 - labels.y, labels.y).astype(np.uint8))
    one, other = (tune(table, some, rows, SETTINGS, lambda: None) for some in (labels, turned))
    assert one.found == other.found


@pytest.mark.parametrize(
    ("yes", "no", "message"),
    [
        (LEAST - 1, LEAST, "1 and 0 more"),
        (0, LEAST, "ends without it"),
        (LEAST, 0, "reaches the goal"),
        (0, 0, "100 and 100 more"),
    ],
)
def test_what_is_missing_is_said(
    table: Sessions, labels: Labels, yes: int, no: int, message: str
) -> None:
    kept = np.zeros(len(table), np.bool_)
    kept[: yes + no] = True
    y = (table.session < yes).astype(np.uint8)
    with pytest.raises(TooLittleData, match=message):
        check_examples(table, labels._replace(y=y), kept[table.session], "to learn from")


def test_enough_is_enough(table: Sessions, labels: Labels) -> None:
    y = (table.session < LEAST).astype(np.uint8)
    rows = table.session < 2 * LEAST
    check_examples(table, labels._replace(y=y), rows, "to learn from")


def test_no_example_at_all_is_refused(table: Sessions, labels: Labels) -> None:
    with pytest.raises(TooLittleData, match="no session asks"):
        tune(table, labels, np.zeros(len(table.ats), np.bool_), SETTINGS, lambda: None)


def test_only_sessions_with_examples_are_examined(table: Sessions, labels: Labels) -> None:
    rows = np.zeros(len(table.ats), np.bool_)
    rows[[3, 40]] = True
    part = examined(table, labels, rows)
    assert len(part.sessions) == len(np.unique(table.session[rows])) == 2
    assert part.rows.sum() == 2
    assert np.array_equal(part.sessions.ats[part.rows], table.ats[rows])
    assert np.array_equal(part.y[part.rows], labels.y[rows])


def test_only_the_parts_that_are_wanted_are_learned(
    table: Sessions, labels: Labels, recipe: Recipe
) -> None:
    part = examined(table, labels, labels.asked & (table.session < 300))
    for wanted in ((True, False), (False, True)):
        found = learn(part, recipe, SETTINGS, lambda: None, wanted)
        assert (found.network is not None, found.forest is not None) == wanted
        names = {"network": wanted[0], "forest": wanted[1]}
        assert alone(found, table).keys() == {name for name, there in names.items() if there}


def test_answers_come_some_sessions_at_a_time(
    table: Sessions, labels: Labels, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = examined(table, labels, labels.asked & (table.session < 300))
    parts = learn(part, recipe, SETTINGS, lambda: None, (True, True))
    blend = replace(recipe, champion="blend", mix=Mix(0.5, 0.5), calibration=Uncalibrated())
    renown = renown_of(stream_of(history_of(), categories()))
    model = assemble(parts, blend, DEFINITION, renown, Categories.made({}), 0.3)
    whole = model.answers(columns_of(table), table.offsets, table.prior, table.echoes)
    monkeypatch.setattr(learner, "_CHUNK", 700)
    found = answers_of(model, table)
    assert found.probability == pytest.approx(whole.probability, abs=1e-6)
    assert found.confidence == pytest.approx(whole.confidence, abs=1e-4)
    single = alone(parts, table)
    odds = [np.log(p) - np.log1p(-p) for p in (single["network"], single["forest"])]
    assert found.probability == pytest.approx(sigmoid((odds[0] + odds[1]) / 2), abs=1e-6)


def test_trust_follows_how_far_the_released_heads_lie_apart(recipe: Recipe) -> None:
    flat = Confidence(2.0, np.ones(3), np.tile(np.linspace(0, 1, 11), (len(PLACES), 1)))
    ours = replace(recipe, champion="network", trust=flat, spread=np.full(len(PLACES), 0.1))
    for spread, times in ((np.full(len(PLACES), 0.3), 3.0), (None, 1.0)):
        parts = learner.Parts(None, None, None, spread)  # type: ignore[arg-type]
        made = assemble(parts, ours, DEFINITION, None, Categories.made({}), 0.1)  # type: ignore[arg-type]
        assert made.trust.widths == pytest.approx(times * flat.widths)

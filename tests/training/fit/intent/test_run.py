"""The fit of intent: splits by time, nothing from later, who answers, and what is refused."""

from collections.abc import Iterator

import numpy as np
import pytest

from domain.clock import DAY_MS
from domain.errors import ScientistError, TooLittleData
from domain.events import Event, Kind
from feature_store.history import History
from models.bundle import Draft, check_golden, open_bundle, write_bundle
from models.intent.model import IntentModel
from tests.training.fit.intent.shop import (
    END,
    QUICK,
    START,
    categories,
    events_of,
    history_of,
    silent,
)
from training.evaluate.intent import EVENTS
from training.fit.intent import aggregates
from training.fit.intent.run import (
    Fitted,
    before,
    fit,
    ground_of,
)
from training.fit.intent.sessions import cut, stream_of
from training.fit.intent.settings import IntentSettings


def settings(**chosen: object) -> IntentSettings:
    return IntentSettings(**{**QUICK, **chosen})


@pytest.fixture(scope="module", autouse=True)
def small_trees() -> Iterator[None]:
    """Trees that are grown in no time; how many there are is another test's affair."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aggregates, "TREES", (40,))
        patch.setattr(aggregates, "LEAVES", (8,))
        yield


@pytest.fixture(scope="module")
def history() -> History:
    return history_of()


@pytest.fixture(scope="module")
def fitted(history: History) -> Fitted:
    return fit(history, settings(), END, categories(), progress=silent)


def test_the_order_of_events_is_worth_more_than_their_counts(fitted: Fitted) -> None:
    assert fitted.metrics["network_auc"].value > fitted.metrics["ngrams_auc"].value - 0.06
    assert fitted.metrics["event_3_auc"].value > 0.7
    assert fitted.metrics["gain_over_majority"].low > 0


def test_every_rival_and_part_is_measured_beside_the_model(fitted: Fitted) -> None:
    rivals = {"network", "forest", "majority", "lastevent", "markov1", "markov2", "markov3"}
    assert rivals <= fitted.judged.scores.keys()
    for name in rivals:
        assert f"{name}_auc" in fitted.metrics
    for place in EVENTS[:2]:
        for metric in ("auc", "log_loss", "balanced_accuracy", "base_rate", "majority_accuracy"):
            assert f"event_{place}_{metric}" in fitted.metrics


def test_test_sessions_begin_after_everything_learned_was_known(history: History) -> None:
    chosen = settings()
    ground = ground_of(stream_of(history, categories()), END, chosen)
    begun = ground.sessions.starts[ground.sessions.session]
    first_tested = begun[ground.tested].min()
    assert begun[ground.learned].max() < first_tested
    assert ground.labels.known[ground.learned].max() < first_tested
    assert not (ground.learned & ground.tested).any()


def test_what_comes_after_as_of_changes_nothing(history: History) -> None:
    until = START + 40 * DAY_MS
    stream = stream_of(history, categories())
    rng = np.random.default_rng(1)
    later = stream.ats >= until
    shuffled = stream._replace(
        kinds=np.where(later, rng.permutation(stream.kinds), stream.kinds).astype(np.int8)
    )
    one, other = (ground_of(before(s, until), until, settings()) for s in (stream, shuffled))
    assert np.array_equal(one.learned, other.learned)
    assert np.array_equal(one.labels.y, other.labels.y)
    assert np.array_equal(one.sessions.echoes, other.sessions.echoes, equal_nan=True)
    assert one.sessions.ats.max() < until


def test_events_before_a_time_keep_their_owners() -> None:
    stream = stream_of(History.from_events(events_of(5, 4)))
    until = int(np.median(stream.ats))
    part = before(stream, until)
    for user in range(5):
        own = stream.ats[stream.groups[user] : stream.groups[user + 1]]
        mine = part.ats[part.groups[user] : part.groups[user + 1]]
        assert np.array_equal(mine, own[own < until])


def test_the_model_comes_back_from_a_bundle(fitted: Fitted, tmp_path) -> None:
    assert fitted.model is not None
    draft = Draft("intent", 0, fitted.model.arrays(), fitted.model.params(), golden=fitted.golden)
    bundle = open_bundle(write_bundle(tmp_path, draft).path)
    loaded = IntentModel.from_bundle(bundle)
    assert check_golden(bundle, loaded.answer) == len(fitted.golden.rows) > 10
    assert loaded.champion == fitted.found["champion"]


def test_confidence_rises_with_length_on_average(fitted: Fitted) -> None:
    judged = fitted.judged
    means = [judged.confidence[judged.place == k].mean() for k in EVENTS[:3]]
    assert means[0] <= 0.5
    assert means[0] < min(means[1:])
    assert np.corrcoef(judged.place, judged.confidence)[0, 1] > 0.2


def test_golden_rows_name_nobody(fitted: Fitted) -> None:
    assert "user" not in str(fitted.golden)


def test_charts_show_the_area_by_event_and_the_reliability(fitted: Fitted) -> None:
    assert fitted.plots.keys() == {"auc_by_event", "reliability"}
    for chart in fitted.plots.values():
        assert len(chart["labels"]) == len(chart["values"]) > 0


@pytest.mark.parametrize(("champion", "parts"), [("network", (1, 0)), ("forest", (0, 1))])
def test_a_champion_may_be_ordered(history: History, champion: str, parts: tuple[int, int]) -> None:
    found = fit(history, settings(champion=champion), END, progress=silent).model
    assert found is not None
    assert found.champion == champion
    assert (found.network is not None, found.forest is not None) == parts


def test_the_same_log_is_judged_the_same_without_a_release(
    history: History, fitted: Fitted
) -> None:
    judged = fit(history, settings(), END, categories(), progress=silent, release=False)
    assert judged.model is None
    assert judged.metrics == fitted.metrics
    for name, scores in fitted.judged.scores.items():
        assert np.array_equal(judged.judged.scores[name], scores), name


@pytest.mark.parametrize(("target", "hours"), [("add_to_cart", 0.0), ("purchase", 48.0)])
def test_other_questions_are_fitted_too(history: History, target: str, hours: float) -> None:
    chosen = settings(target=target, horizon_hours=hours, champion="network", epochs=1)
    found = fit(history, chosen, END, progress=silent)
    assert found.model is not None
    assert (found.model.target, found.model.horizon_hours) == (target, hours)


def test_an_abandoned_cart_is_a_question_once_there_is_one() -> None:
    history = history_of(users=500, visits=14, seed=3)
    chosen = settings(target="abandon", champion="network", epochs=1)
    found = fit(history, chosen, END, progress=silent).model
    assert found is not None
    assert found.target == "abandon"


def test_too_few_sessions_are_refused() -> None:
    with pytest.raises(TooLittleData, match="100 of either are needed"):
        fit(history_of(users=8, visits=5), settings(), END, progress=silent)


def test_one_label_only_is_refused() -> None:
    events = [event for event in events_of(60, 8) if event.kind != Kind.purchase]
    with pytest.raises(TooLittleData, match="two kinds of sessions"):
        fit(History.from_events(events), settings(), END, progress=silent)


def test_a_time_in_the_future_is_refused(history: History) -> None:
    with pytest.raises(ScientistError, match="future"):
        fit(history, settings(as_of="2100-01-01"), END, progress=silent)


def test_nothing_before_as_of_is_too_little(history: History) -> None:
    with pytest.raises(TooLittleData):
        fit(history, settings(as_of=str(START - DAY_MS)), END, progress=silent)


def test_sessions_of_one_event_and_of_ten_thousand_are_fitted_over(history: History) -> None:
    one = [Event("one", "ulonely", Kind.click, START + 20 * DAY_MS, "item-1")]
    many = [
        Event(f"m{k}", "uendless", Kind.click, START + 10 * DAY_MS + 1000 * k, f"item-{k % 7}")
        for k in range(10_000)
    ]
    wider = History.from_events([*events_of(150, 12), *one, *many])
    found = fit(wider, settings(champion="network", epochs=1), END, progress=silent)
    assert np.isfinite([metric.value for metric in found.metrics.values()]).all()


def test_the_table_is_cut_as_the_session_view_cuts(history: History) -> None:
    assert (cut(stream_of(history)).lengths >= 3).all()

"""The intent model: causal, one answer whichever way it is asked, trusted only where it may be."""

from pathlib import Path

import numpy as np
import pytest

from domain.clock import HOUR_MS
from domain.errors import BundleRefused
from domain.events import Kind
from models.bundle import Bundle, Draft, open_bundle, write_bundle
from models.families import load_scorer
from models.intent.model import IntentModel
from models.intent.past import SESSION
from models.intent.vocabulary import Columns
from tests.models.intent.making import GAP_MS, columns, model

BUY, ADD, CLICK = int(Kind.purchase), int(Kind.add_to_cart), int(Kind.click)


@pytest.fixture(scope="module", params=[(1.0, 0.0), (0.0, 1.0), (0.5, 0.5)])
def any_model(request: pytest.FixtureRequest) -> IntentModel:
    return model(*request.param)


@pytest.fixture(scope="module")
def blend() -> IntentModel:
    return model()


def asked(own: Columns) -> tuple:
    return own.kinds, own.items, own.ats, own.values, own.categories


def test_who_answers_is_named() -> None:
    assert [model(*one).champion for one in ((1, 0), (0, 1), (0.5, 0.5))] == [
        "network",
        "forest",
        "blend",
    ]


@pytest.mark.parametrize("length", [1, 2, 7, 60])
def test_a_score_is_the_last_of_its_trajectory(any_model: IntentModel, length: int) -> None:
    own = columns(length, seed=length)
    trajectory = any_model.trajectory(*asked(own))
    score = any_model.score(*asked(own))
    assert len(trajectory.probability) == len(trajectory.confidence) == score.events == length
    assert score.probability == pytest.approx(trajectory.probability[-1], abs=1e-6)
    assert score.confidence == pytest.approx(trajectory.confidence[-1], abs=1e-6)


def test_an_answer_never_sees_the_next_event(any_model: IntentModel) -> None:
    own = columns(12)
    whole = any_model.trajectory(*asked(own))
    for n in range(1, 12):
        part = any_model.trajectory(*asked(own.part(0, n)))
        assert part.probability == pytest.approx(whole.probability[:n], abs=1e-6)
        assert part.confidence[:-1] == pytest.approx(whole.confidence[: n - 1], abs=1e-5)


def test_many_sessions_are_answered_as_each_alone(any_model: IntentModel) -> None:
    own = columns(40)
    offsets = np.array([0, 1, 1, 15, 40])
    together = any_model.answers(own, offsets)
    for a, b in ((0, 1), (1, 15), (15, 40)):
        alone = any_model.answers(own.part(a, b), np.array([0, b - a]))
        assert alone.probability == pytest.approx(together.probability[a:b], abs=1e-6)
        assert alone.confidence == pytest.approx(together.confidence[a:b], abs=1e-5)


@pytest.mark.parametrize("length", [1, 300, 10_000])
def test_sessions_of_any_length_have_answers(any_model: IntentModel, length: int) -> None:
    own = columns(length, pause_ms=2000)
    found = any_model.trajectory(*asked(own))
    for one in found:
        assert len(one) == length
        assert ((one >= 0) & (one <= 1)).all()


def test_beyond_the_events_that_are_read_the_answer_stays_and_fades(blend: IntentModel) -> None:
    own = columns(4 * SESSION, pause_ms=2000)
    probability, confidence = blend.trajectory(*asked(own))
    assert (probability[SESSION:] == probability[SESSION - 1]).all()
    assert (np.diff(confidence[SESSION - 1 :]) < 0).all()
    assert confidence[-1] == pytest.approx(confidence[SESSION - 1] / 4, rel=1e-3)
    score = blend.score(*asked(own))
    assert (score.events, score.confidence) == (4 * SESSION, pytest.approx(confidence[-1]))


def test_nobody_is_answered_with_the_rate_and_without_trust(blend: IntentModel) -> None:
    nothing = columns(0)
    assert blend.score(*asked(nothing)) == (blend.rate, 0.0, 0)
    assert not len(blend.trajectory(*asked(nothing)).probability)


def test_what_is_at_or_after_as_of_is_not_looked_at(blend: IntentModel) -> None:
    own = columns(9)
    found = blend.trajectory(*asked(own), as_of=int(own.ats[5]))
    assert len(found.probability) == 5
    whole = blend.trajectory(*asked(own))
    assert found.probability == pytest.approx(whole.probability[:5], abs=1e-6)


def test_an_old_answer_is_trusted_less_until_its_time_is_over() -> None:
    own = columns(5)
    for hours in (0.0, 24.0):
        one = model(hours=hours)
        span = GAP_MS + hours * HOUR_MS
        last = int(own.ats[-1])
        found = [
            one.score(*asked(own), as_of=last + round(share * span)).confidence
            for share in (1e-6, 0.5, 1.0, 3.0)
        ]
        assert found[1] == pytest.approx(found[0] / 2, rel=1e-3)
        assert found[2:] == [0, 0]


def test_a_user_is_answered_by_their_visit_and_its_past(blend: IntentModel) -> None:
    own = columns(30)
    ats = own.ats.copy()
    ats[20:] += 2 * GAP_MS
    own = own._replace(ats=ats)
    as_of = int(ats[-1]) + 1
    visit = blend.visit(own, as_of)
    score = blend.score_of(visit, as_of)
    assert score.events == 10
    trajectory = blend.trajectory_of(visit, as_of)
    assert trajectory.probability[-1] == pytest.approx(score.probability, abs=1e-6)
    without = blend.score(*asked(own.part(20, 30)))
    assert abs(score.probability - without.probability) > 1e-6


def test_categories_not_given_are_those_of_the_fit(blend: IntentModel) -> None:
    own = columns(6)
    kinds, items, ats, values, _ = asked(own)
    known = (items % 4 + 1).astype(np.int32)
    found = blend.score(kinds, items, ats, values)
    assert found == blend.score(kinds, items, ats, values, known)
    assert found != blend.score(kinds, items, ats, values, np.zeros(6, np.int32))


def test_nonsense_is_answered_and_not_trusted(blend: IntentModel) -> None:
    rng = np.random.default_rng(0)
    n = 40
    found = blend.score(
        rng.integers(-128, 128, n).astype(np.int8),
        rng.integers(2**60, 2**63, n),
        np.sort(rng.integers(0, 2**45, n)),
        np.where(rng.random(n) < 0.5, np.nan, np.inf),
        rng.integers(10**6, 10**9, n),
    )
    assert 0 < found.probability < 1
    assert found.confidence < 0.1


def test_an_answered_question_is_not_trusted(blend: IntentModel) -> None:
    own = columns(6)
    kinds = own.kinds.copy()
    kinds[3] = BUY
    confidence = blend.trajectory(*asked(own._replace(kinds=kinds))).confidence
    assert (confidence[:3] > 0).all()
    assert not confidence[3:].any()


def _bundle(folder: Path, made: IntentModel) -> Bundle:
    draft = Draft("intent", 0, made.arrays(), made.params())
    return open_bundle(write_bundle(folder, draft).path)


def test_it_comes_back_from_its_bundle(any_model: IntentModel, tmp_path: Path) -> None:
    loaded = load_scorer(_bundle(tmp_path, any_model))
    own = columns(30)
    for one, other in zip(
        loaded.trajectory(*asked(own)), any_model.trajectory(*asked(own)), strict=True
    ):
        assert np.array_equal(one, other)
    assert loaded.params() == any_model.params()


def test_a_golden_row_is_answered_as_the_user_would_be(blend: IntentModel) -> None:
    own = columns(10)
    row = {name: values.tolist() for name, values in own._asdict().items()}
    as_of = int(own.ats[-1]) + 500
    found = blend.answer({**row, "items": [str(item) for item in row["items"]], "as_of": as_of})
    visit = blend.visit(own, as_of)
    assert found["last"] == list(blend.score_of(visit, as_of))
    assert found["probability"] == blend.trajectory_of(visit, as_of).probability.tolist()


@pytest.mark.parametrize("missing", ["definition", "mix", "calibration", "confidence"])
def test_a_bundle_without_its_parts_is_refused(
    blend: IntentModel, tmp_path: Path, missing: str
) -> None:
    params = {name: value for name, value in blend.params().items() if name != missing}
    bundle = open_bundle(write_bundle(tmp_path, Draft("intent", 0, blend.arrays(), params)).path)
    with pytest.raises(BundleRefused, match="fit again"):
        IntentModel.from_bundle(bundle)


def test_features_of_another_release_are_refused(blend: IntentModel, tmp_path: Path) -> None:
    params = {**blend.params(), "features": ["one"]}
    draft = Draft("intent", 0, blend.arrays(), params)
    with pytest.raises(BundleRefused, match="features"):
        IntentModel.from_bundle(open_bundle(write_bundle(tmp_path, draft).path))

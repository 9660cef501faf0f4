"""Whatever a visit looks like: an answer within bounds, causal, the same however it is asked."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.bundle import Draft, open_bundle, write_bundle
from models.intent.model import IntentModel
from models.intent.past import ECHOES, PRIOR
from models.intent.vocabulary import Columns
from tests.models.intent.making import GAP_MS, START, columns, model

MANY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def blend() -> IntentModel:
    return model()


@st.composite
def visits(draw: st.DrawFn) -> Columns:
    """Any events in order of time, of kinds and things that may or may not be known."""
    n = draw(st.integers(1, 30))

    def some(values: st.SearchStrategy[int]) -> list[int]:
        return draw(st.lists(values, min_size=n, max_size=n))

    gaps = np.array(some(st.integers(0, 2 * GAP_MS)))
    return Columns(
        np.array(some(st.integers(-128, 127)), np.int8),
        np.array(some(st.one_of(st.integers(0, 20), st.integers(0, 2**64 - 1))), np.uint64),
        np.array(some(st.one_of(st.integers(0, 5), st.integers(0, 2**31 - 1))), np.int32),
        np.array(some(st.integers(-(2**55), 2**55)), np.int64),
        START + np.cumsum(gaps),
    )


def asked(own: Columns) -> tuple:
    return own.kinds, own.items, own.ats, own.values, own.categories


@MANY
@given(visits())
def test_every_answer_lies_within_bounds(blend: IntentModel, own: Columns) -> None:
    found = blend.trajectory(*asked(own))
    for one in found:
        assert one.dtype == np.float64
        assert len(one) == len(own.ats)
        assert ((one >= 0) & (one <= 1)).all()


@MANY
@given(visits(), st.data())
def test_later_events_may_be_anything(
    blend: IntentModel, own: Columns, data: st.DataObject
) -> None:
    n = data.draw(st.integers(1, len(own.ats)))
    whole = blend.trajectory(*asked(own)).probability
    part = blend.trajectory(*asked(own.part(0, n))).probability
    assert part == pytest.approx(whole[:n], abs=1e-6)


@MANY
@given(visits())
def test_a_score_is_the_last_of_the_trajectory(blend: IntentModel, own: Columns) -> None:
    trajectory, score = blend.trajectory(*asked(own)), blend.score(*asked(own))
    assert score.probability == pytest.approx(trajectory.probability[-1], abs=1e-6)
    assert score.confidence == pytest.approx(trajectory.confidence[-1], abs=1e-4)


@MANY
@given(visits(), st.integers(-GAP_MS, 40 * GAP_MS))
def test_a_user_may_be_looked_at_at_any_time(blend: IntentModel, own: Columns, later: int) -> None:
    as_of = START + later
    visit = blend.visit(own, as_of)
    before = own.ats[own.ats < as_of]
    assert visit.events <= len(before)
    if len(before):
        assert visit.last_at == before[-1]
        assert (np.diff(visit.columns.ats) <= GAP_MS).all()
    score = blend.score_of(visit, as_of)
    assert 0 <= score.probability <= 1
    assert 0 <= score.confidence <= 1
    assert score.events == visit.events


@MANY
@given(visits(), st.integers(0, 2**32 - 1))
def test_what_comes_at_or_after_as_of_changes_nothing(
    blend: IntentModel, own: Columns, seed: int
) -> None:
    as_of = int(np.median(own.ats)) + 1
    rng = np.random.default_rng(seed)
    later = own.ats >= as_of
    other = own._replace(
        kinds=np.where(later, rng.integers(0, 15, len(later)), own.kinds).astype(np.int8),
        items=np.where(later, rng.integers(1, 20, len(later)).astype(np.uint64), own.items),
        values=np.where(later, 7, own.values),
    )
    kept = Columns(*(one[~later] for one in own))
    answers = [blend.score_of(blend.visit(events, as_of), as_of) for events in (own, other, kept)]
    assert answers[0] == answers[1] == answers[2]


@MANY
@given(st.lists(visits(), min_size=1, max_size=6))
def test_a_table_of_visits_is_answered_as_each_alone(
    blend: IntentModel, several: list[Columns]
) -> None:
    together = Columns(*(np.concatenate(parts) for parts in zip(*several, strict=True)))
    offsets = np.concatenate([[0], np.cumsum([len(own.ats) for own in several])])
    found = blend.answers(together, offsets).probability
    for own, begin, end in zip(several, offsets[:-1], offsets[1:], strict=True):
        alone = blend.answers(own, np.array([0, len(own.ats)])).probability
        assert found[begin:end] == pytest.approx(alone, abs=1e-6)


def test_a_past_moves_the_answer_and_an_absent_one_is_told_apart(blend: IntentModel) -> None:
    own = columns(5)
    rng = np.random.default_rng(0)
    prior, echoes = rng.gamma(1, 5, len(PRIOR)), rng.gamma(1, 5, (5, len(ECHOES)))
    with_past = blend.score(*asked(own), prior=prior, echoes=echoes).probability
    without = blend.score(*asked(own)).probability
    nothing = np.full(len(PRIOR), np.nan), np.full((5, len(ECHOES)), np.nan)
    bare = blend.score(*asked(own), prior=nothing[0], echoes=nothing[1]).probability
    assert abs(with_past - without) > 1e-7
    assert 0 < bare < 1


def test_infinite_pasts_count_as_missing_to_the_network() -> None:
    alone = model(1.0, 0.0)
    own = columns(5)
    infinite = {"prior": np.full(len(PRIOR), np.inf), "echoes": np.full((5, len(ECHOES)), np.inf)}
    missing = {name: one * np.nan for name, one in infinite.items()}
    assert alone.score(*asked(own), **infinite) == alone.score(*asked(own), **missing)


def test_threads_get_the_same_answers(blend: IntentModel) -> None:
    several = [columns(n, seed=n) for n in range(1, 25)]
    wanted = [blend.score(*asked(own)) for own in several]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda own: blend.score(*asked(own)), several * 4))
    assert found == wanted * 4


def test_a_bundle_answers_from_its_mapped_files_as_the_model_did(
    blend: IntentModel, tmp_path: Path
) -> None:
    draft = Draft("intent", 0, blend.arrays(), blend.params())
    bundle = open_bundle(write_bundle(tmp_path, draft).path)
    assert not any(array.flags.writeable for array in bundle.arrays.values())
    loaded = IntentModel.from_bundle(bundle)
    for n in (1, 7, 50):
        own = columns(n, seed=n)
        assert loaded.score(*asked(own)) == blend.score(*asked(own))


@pytest.mark.parametrize("types", [(np.int64, np.int64), (np.uint8, np.float32)])
def test_columns_of_other_types_are_the_same_visit(blend: IntentModel, types: tuple) -> None:
    own = columns(6)
    kinds, values = own.kinds.astype(types[0]), own.values.astype(types[1])
    found = blend.score(kinds, own.items, own.ats, values, own.categories.astype(np.int64))
    assert found == blend.score(*asked(own))


def test_lists_are_taken_too(blend: IntentModel) -> None:
    own = columns(6)
    assert blend.score(*(one.tolist() for one in asked(own))) == blend.score(*asked(own))

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bundle import Draft, Golden, write_bundle
from models.families import load_scorer
from models.forest import Forest
from models.recommend.candidates import ANY_TIME, ITEM, columns_of, features
from models.recommend.model import RecommendModel
from models.recommend.ranker import Ranker, leaned, lift
from models.recommend.topk import top_k
from tests.models.recommend.small import AS_OF, history, past_of, ranked_model, small_model

N = 40
PAST = past_of([3, 8, 8, 21])


def order_of(model, past, allowed=None, k=N):
    may = None if allowed is None else allowed[: len(model)]
    return top_k(model.score_past(past, allowed).total, k, may).tolist()


def naive_order(model, past, allowed, most):
    """Candidates of the blend sorted by the forest, then by the blend; then all the others."""
    ranker = model.ranker
    scored = model.blended(past)
    by_blend = sorted(np.flatnonzero(allowed).tolist(), key=lambda i: (-scored.total[i], i))
    first, rest = by_blend[:most], by_blend[most:]
    rows = features(np.array(first, np.int32), past, scored, ranker.facts, ANY_TIME)
    worth = ranker.forest.raw(rows)
    return [first[c] for c in sorted(range(len(first)), key=lambda c: (-worth[c], c))] + rest


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, N), st.integers(1, 20))
def test_equals_sorting_candidates_by_the_forest(seed, most, events):
    rng = np.random.default_rng(seed)
    model = ranked_model(N, most=most, seed=seed % 5)
    allowed = rng.random(N) < 0.7
    past = past_of(rng.integers(0, N, events))
    found = order_of(model, past, allowed)
    assert found == naive_order(model, past, allowed, most)[: len(found)]
    assert len(found) == allowed.sum()


def test_the_forest_changes_the_order_and_the_blend_chooses_the_candidates():
    model = ranked_model(N, most=12)
    blend = top_k(model.blended(PAST).total, N).tolist()
    found = order_of(model, PAST)
    assert found != blend
    assert set(found[:12]) == set(blend[:12])
    assert found[12:] == blend[12:]


def test_the_first_ten_are_a_prefix_of_the_first_thirty():
    model = ranked_model(N, most=20)
    assert order_of(model, PAST, k=30)[:10] == order_of(model, PAST, k=10)


def test_only_what_may_be_shown_is_a_candidate():
    model = ranked_model(N, most=5)
    allowed = np.ones(N + 3, np.bool_)
    allowed[top_k(model.blended(PAST).total, 10)] = False
    before, after = model.blended(PAST).total, model.score_past(PAST, allowed).total
    assert (before[~allowed[:N]] == after[~allowed[:N]]).all()
    lifted = np.flatnonzero(before != after)
    assert len(lifted)
    assert allowed[lifted].all()
    assert order_of(model, PAST, allowed) == naive_order(model, PAST, allowed[:N], 5)


@pytest.mark.parametrize("k", [1, 12, 13, 40])
def test_the_order_it_tells_is_that_of_the_scores(k):
    model = ranked_model(N, most=12)
    scored = model.score_past(PAST)
    assert scored.best is not None
    assert scored.best[:k].tolist() == top_k(scored.total, N).tolist()[: min(k, 12)]
    assert model.blended(PAST).best is None


def test_scores_stay_on_the_scale_of_the_blend():
    model = ranked_model(N, most=12)
    before, after = model.blended(PAST).total, model.score_past(PAST).total
    np.testing.assert_allclose(np.sort(before), np.sort(after), rtol=1e-5, atol=1e-6)


def test_equal_scores_of_the_blend_do_not_hide_the_order():
    total = np.full(6, 2.0, np.float32)
    chosen = np.array([1, 3, 4], np.int32)
    assert lift(total, chosen, np.array([0.0, 5.0, 1.0])).tolist() == [3, 4, 1]
    assert top_k(total, 6).tolist() == [3, 4, 1, 0, 2, 5]
    assert total.max() < 2.00001


def test_equal_worth_keeps_the_order_of_the_blend():
    total = np.array([1, 5, 3, 4], np.float32)
    lift(total, np.array([1, 3, 2], np.int32), np.array([7.0, 7.0, 7.0]))
    assert top_k(total, 4).tolist() == [1, 3, 2, 0]


def test_without_a_history_nothing_is_ranked_again():
    model = ranked_model(N)
    nothing = past_of([])
    assert (model.score_past(nothing).total == model.blended(nothing).total).all()


def test_members_of_weight_0_are_heard_by_the_ranker_alone():
    plain = small_model(N, factors=0.0)
    model = ranked_model(N, factors=0.0)
    assert "factors" not in plain.voices
    assert "factors" in model.voices
    np.testing.assert_allclose(plain.blended(PAST).total, model.blended(PAST).total, atol=1e-6)
    parts = model.score_past(PAST).parts(np.arange(N, dtype=np.int32))
    assert not parts[model.voices.index("factors")].any()


def test_round_trip_through_a_bundle(tmp_path):
    model = ranked_model(N, most=7)
    indices, kinds, ats = history(np.random.default_rng(2), N, 9)
    row = {
        "items": [model.items[i] for i in indices],
        "kinds": kinds.tolist(),
        "ats": ats.tolist(),
        "as_of": AS_OF,
        "k": 10,
    }
    golden = Golden([{"input": row, "output": model.answer(row)}], 1e-4)
    draft = Draft("recommend", 1, model.arrays(), model.params(), golden=golden)
    again = load_scorer(write_bundle(tmp_path, draft))
    assert isinstance(again, RecommendModel)
    assert again.ranker is not None
    assert again.ranker.most == 7
    asked = indices, kinds, ats, AS_OF
    assert (again.score(*asked).total == model.score(*asked).total).all()


def test_a_ranker_learned_beside_other_members_is_refused():
    model = ranked_model(N)
    ranker = replace(model.ranker, voices=model.ranker.voices[::-1])
    with pytest.raises(ValueError, match="other members"):
        replace(model, ranker=ranker)


def test_parts_that_do_not_fit_are_refused():
    ranker = ranked_model(N).ranker
    with pytest.raises(ValueError, match="other columns"):
        Ranker(("graph",), ranker.forest, ranker.facts)
    with pytest.raises(ValueError, match="not those of items"):
        Ranker(ranker.voices, ranker.forest, ranker.facts[:, :1])
    assert ranker.facts.shape[1] == len(ITEM)
    assert ranker.forest.features == len(columns_of(ranker.voices))
    assert isinstance(ranker.forest, Forest)


def test_a_forest_that_says_what_the_blend_says_leans_to_what_the_mix_says():
    rng = np.random.default_rng(4)
    told = rng.normal(size=(30, 4))
    weights, lean = np.array([0.5, 1.0, 0.25]), np.array([0.0, 2.0, 0.0])
    told[:, 0] = told[:, 1:] @ weights
    mixed = told[:, 1:] @ (weights + lean)
    for worth in (7.0 * told[:, 0] - 3.0, told[:, 0]):
        assert np.argsort(-leaned(worth, told, lean)).tolist() == np.argsort(-mixed).tolist()
    for flat in (np.ones(30), np.full(30, -0.3)):
        assert leaned(flat, told, lean) == pytest.approx(told[:, 1:] @ lean), "it says nothing"


def test_a_mix_leans_the_order_of_the_same_candidates():
    model = ranked_model(N, most=12)
    raised = model.weights.copy()
    raised[0] += 3.0
    mixed = model.mixed(raised)
    assert np.array_equal(mixed.weights, model.weights)
    candidates = top_k(model.blended(PAST).total, 12)
    scored, ranker = model.blended(PAST), model.ranker
    rows = features(candidates, PAST, scored, ranker.facts, ANY_TIME)
    voice = ranker.voices.index(model.members[0])
    worth, blend = ranker.forest.raw(rows), scored.total[candidates].astype(np.float64)
    whole = (worth - worth.mean()) / worth.std() * blend.std()
    part = scored.parts(candidates)[voice] / model.weights[0]
    wanted = candidates[np.argsort(-(whole + 3.0 * part), kind="stable")].tolist()
    assert order_of(mixed, PAST)[:12] == wanted
    assert wanted != order_of(model, PAST)[:12]
    assert order_of(mixed, PAST)[12:] == order_of(model, PAST)[12:]
    assert order_of(model.mixed(model.weights), PAST) == order_of(model, PAST)


def test_without_a_ranker_a_mix_is_other_weights():
    model = replace(ranked_model(N), ranker=None)
    raised = model.weights + np.float32(1.0)
    assert np.array_equal(model.mixed(raised).weights, raised)


def test_what_it_leans_to_comes_back_and_adds_up(tmp_path):
    model = ranked_model(N)
    once = model.mixed(model.weights * 2)
    twice = once.mixed(model.weights * 2)
    assert np.allclose(twice.ranker.lean, 2 * once.ranker.lean)
    again = RecommendModel.from_parts(once.arrays(), once.params())
    assert again.ranker.lean.tolist() == once.ranker.lean.tolist()
    assert order_of(again, PAST) == order_of(once, PAST)
    assert "lean" not in model.ranker.params()
    with pytest.raises(ValueError, match="other voices"):
        replace(model.ranker, lean=np.zeros(len(model.ranker.voices) + 1))


@pytest.mark.parametrize("count", [0, 39, 41])
def test_facts_of_other_items_are_refused_before_a_kernel_reads_beyond_them(count):
    model = ranked_model(40)
    facts = np.zeros((count, model.ranker.facts.shape[1]), np.float32)
    with pytest.raises(ValueError, match="facts are of other items"):
        replace(model, ranker=replace(model.ranker, facts=facts))

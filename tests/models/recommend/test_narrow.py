"""Narrow scoring beside the oracle: a pass over all items."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.clock import DAY_MS
from domain.events import Kind
from domain.ids import hash64
from models.recommend.ask import Ask, Asker, Origin
from models.recommend.catalogue import Catalogue
from models.recommend.controls import Controls
from models.recommend.desk import Desk
from models.recommend.filters import Filter, Rule
from models.recommend.narrow import INDEXED, LISTED, WHOLE, Found, Reach
from models.recommend.policy import recommend
from models.recommend.topk import top_k
from tests.models.recommend.small import AS_OF, history, past_of
from tests.models.recommend.small_content import item_of
from tests.models.recommend.small_index import SMALL, indexed_model, reach_less

N = 1_500
PLAIN = indexed_model(N)
RANKED = indexed_model(N, ranked=True)
EVERYTHING = np.ones(N, np.bool_)


def pasts(count: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    return [PLAIN.past(*history(rng, N, int(rng.integers(1, 30))), AS_OF) for _ in range(count)]


def found_by(model, past, allowed=None) -> Found:
    found = model.propose(past, allowed)
    assert isinstance(found, Found)
    return found


@pytest.mark.parametrize("model", [PLAIN, RANKED], ids=["blend", "ranker"])
def test_what_is_found_is_what_a_pass_over_all_items_finds(model):
    kept: list[float] = []
    for past in pasts(40):
        if past.indices.size:
            truth = top_k(model.score_past(past).total, 50).tolist()
            mine = top_k(found_by(model, past).total, 50).tolist()
            kept.append(len(set(truth) & set(mine)) / 50)
    assert np.mean(kept) >= 0.98
    assert model.narrow.tally[INDEXED] >= len(kept)


@pytest.mark.parametrize("allowed", [None, EVERYTHING])
def test_scores_and_parts_of_found_items_are_those_of_a_pass_over_all(allowed):
    for past in pasts(20, seed=1):
        if not past.indices.size:
            continue
        whole, found = PLAIN.score_past(past), found_by(PLAIN, past, allowed)
        np.testing.assert_allclose(found.few.total, whole.total[found.rows], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(
            found.parts(found.rows[::7]), whole.parts(found.rows[::7]), rtol=1e-4, atol=1e-5
        )
        assert found.middle == pytest.approx(whole.total.mean(), abs=1e-4)
        others = np.setdiff1d(np.arange(N), found.rows)
        assert others.size
        assert (found.total[others] == -np.inf).all()


def test_the_ranker_is_told_of_few_items_what_it_is_told_of_all():
    for past in pasts(10, seed=2):
        if not past.indices.size:
            continue
        allowed = np.random.default_rng(0).random(N) < 0.9
        blend = replace(RANKED, ranker=None)
        reach_less(blend, SMALL)
        found = found_by(blend, past, allowed)
        missing = set(top_k(blend.score_past(past).total, 40, allowed).tolist()) - set(
            found.rows.tolist()
        )
        if not missing:
            order = top_k(found_by(RANKED, past, allowed).total, 40, allowed)
            assert (
                order.tolist()
                == top_k(RANKED.score_past(past, allowed).total, 40, allowed).tolist()
            )


@settings(max_examples=40, deadline=None)
@given(
    share=st.sampled_from([0.0, 0.01, 0.03, 0.1, 0.5, 0.95]),
    seed=st.integers(0, 99),
    more=st.integers(0, 5),
)
def test_filters_leave_as_many_as_a_pass_over_all_items_would(share, seed, more):
    rng = np.random.default_rng(seed)
    past = past_of(rng.integers(0, N, 8).tolist())
    allowed = rng.random(N + more) < share
    whole = top_k(RANKED.score_past(past, allowed).total, 100, allowed[:N])
    first = top_k(RANKED.propose(past, allowed).total, 100, allowed[:N])
    assert len(first) == len(whole)
    assert allowed[first].all()
    assert (
        first[:10].tolist() == top_k(RANKED.propose(past, allowed).total, 10, allowed[:N]).tolist()
    )
    if allowed[:N].sum() <= SMALL.few:
        assert first.tolist() == whole.tolist()


def test_few_that_may_be_shown_are_all_scored_and_counted():
    model = indexed_model(N)
    allowed = np.zeros(N, np.bool_)
    allowed[7:60] = True
    found = found_by(model, past_of([3, 4]), allowed)
    assert set(found.rows.tolist()) == {3, 4, *range(7, 60)}
    assert dict(model.narrow.tally) == {LISTED: 1}


def test_where_too_few_are_left_all_items_are_scored_and_counted():
    model = indexed_model(N)
    reach_less(model, Reach(proposed=5, enough=400, few=60, head=100))
    allowed = np.random.default_rng(4).random(N) < 0.5
    scored = model.propose(past_of([3, 4]), allowed)
    assert not isinstance(scored, Found)
    assert scored.total.tolist() == model.score_past(past_of([3, 4]), allowed).total.tolist()
    assert dict(model.narrow.tally) == {WHOLE: 1}


def test_without_an_index_or_a_history_all_items_are_scored():
    bare = replace(PLAIN, index={})
    assert bare.narrow is None
    assert np.isfinite(bare.propose(past_of([3])).total).all()
    assert np.isfinite(PLAIN.propose(past_of([])).total).all()


def test_an_index_of_other_items_or_of_too_few_members_is_refused():
    with pytest.raises(ValueError, match="of other members"):
        replace(PLAIN, index={"factors": PLAIN.index["factors"]})
    with pytest.raises(ValueError, match="index of content is of other items"):
        replace(PLAIN, index={**PLAIN.index, "content": indexed_model(200).index["content"]})


def test_the_peak_is_the_largest_product():
    asked = PLAIN.scorers[PLAIN.members.index("factors")].asked(past_of([8, 2]))
    raw = np.empty(N, np.float32)
    PLAIN.scorers[PLAIN.members.index("factors")].raw(past_of([8, 2]), raw)
    assert PLAIN.narrow.peak("factors", asked) == raw.max()


@pytest.mark.parametrize("model", [PLAIN, RANKED], ids=["blend", "ranker"])
def test_the_best_are_told_in_the_order_in_which_they_would_be_taken(model):
    for past in pasts(10, seed=6):
        if not past.indices.size:
            continue
        allowed = np.random.default_rng(1).random(N + 3) < 0.8
        found = found_by(model, past, allowed)
        size = len(found.best)
        assert size == SMALL.told
        assert found.best.tolist() == top_k(found.total, size, allowed[:N]).tolist()


def test_a_mix_of_a_model_counts_with_it():
    model = indexed_model(N)
    mix = model.mixed(np.where(np.arange(len(model.members)) == 3, 2.0, model.weights))
    assert mix.index is model.index
    mix.propose(past_of([3, 4]), EVERYTHING)
    assert model.tally.total() == 1


def desks(model, new=()) -> tuple[Desk, Desk]:
    """A desk that scores narrowly and one that scores all, `new` in the catalogue of both."""
    made = []
    for one in (model, replace(model, index={})):
        desk = Desk(Catalogue(one.items, one.hashes), one, "model")
        for item in new:
            desk.catalogue.put(item)
        made.append(desk)
    return made[0], made[1]


def who(*items: str) -> Asker:
    hashes = np.array([hash64(item) for item in items], np.uint64)
    ats = AS_OF - DAY_MS * np.arange(len(items), 0, -1)
    return Asker(Origin.user, hashes, np.full(len(items), Kind.purchase, np.uint8), ats)


@pytest.mark.parametrize("ranked", [False, True])
def test_whole_answers_are_those_of_a_pass_over_all_items(ranked):
    model = indexed_model(N, ranked=ranked)
    reach_less(model, SMALL)
    narrow, whole = desks(model)
    kept = []
    for seed in range(20):
        asker = who(*(f"i{(seed * 37 + step * 11) % N}" for step in range(seed % 7 + 1)))
        ten, fifty = (recommend(narrow, Ask(k=k), asker, AS_OF) for k in (10, 50))
        assert ten.ids == fifty.ids[:10]
        assert len(fifty.ids) == 50
        assert fifty.fallback is None
        kept.append(len(set(fifty.ids) & set(recommend(whole, Ask(k=50), asker, AS_OF).ids)) / 50)
    assert np.mean(kept) >= 0.98
    assert model.narrow.tally == {INDEXED: 40}


@pytest.mark.parametrize("ranked", [False, True])
def test_new_items_stand_where_they_stand_beside_all_items(ranked):
    model = indexed_model(N, ranked=ranked)
    reach_less(model, SMALL)
    names = {"pan", "saw", "both"}
    new = [item_of("pan", "kitchen"), item_of("saw", "workshop")]
    new.append(item_of("both", "kitchen", "workshop"))
    narrow, whole = desks(model, new)
    seen = 0
    for seed in range(12):
        asker = who(f"i{40 * seed + 1}", f"i{seed % 2}")
        mine, truth = (recommend(desk, Ask(k=100), asker, AS_OF) for desk in (narrow, whole))
        fresh = {one.item: one.score for one in truth.items if one.item in names}
        found = {one.item: one.score for one in mine.items if one.item in names}
        seen += len(fresh)
        assert found == pytest.approx(fresh, rel=1e-2, abs=1e-3)
    assert seen
    assert model.narrow.tally[INDEXED] == 12


def test_what_looks_at_the_scores_of_all_items_gets_them_all():
    model = indexed_model(N)
    reach_less(model, SMALL)
    narrow, whole = desks(model, [item_of("pan", "kitchen")])
    asker = who("i3", "i90")
    boost = Rule("item", ("i700",), 50.0)
    for ask, one in (
        (Ask(k=20, rules=(boost,)), asker),
        (Ask(k=20, item="i8"), asker),
        (Ask(k=20, controls=Controls(freshness=0.5)), asker),
        (Ask(k=20), who("i3", "pan")),
    ):
        assert recommend(narrow, ask, one, AS_OF).ids == recommend(whole, ask, one, AS_OF).ids
    assert not model.narrow.tally


@settings(max_examples=15, deadline=None)
@given(denied=st.integers(0, N - 50), k=st.sampled_from([1, 20, 100]))
def test_deny_and_allow_lists_leave_as_many_as_were_asked_for(denied, k):
    narrow, whole = DESKS
    ids = PLAIN.items
    asker = who("i3", "i90")
    ask = Ask(k=k, chosen=Filter(allow=ids[denied : denied + 130]))
    mine, truth = recommend(narrow, ask, asker, AS_OF), recommend(whole, ask, asker, AS_OF)
    assert len(mine.ids) == len(truth.ids)
    assert set(mine.ids) <= set(ids[denied : denied + 130])
    ask = Ask(k=k, chosen=Filter(deny=recommend(narrow, Ask(k=k), asker, AS_OF).ids))
    mine = recommend(narrow, ask, asker, AS_OF)
    assert len(mine.ids) == k
    assert not set(mine.ids) & set(ask.chosen.deny)


DESKS = desks(PLAIN)

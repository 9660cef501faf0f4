import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.clock import DAY_MS
from domain.errors import BundleRefused
from domain.events import KINDS, Kind
from domain.ids import hash64
from models.bundle import Draft, Golden, open_bundle, write_bundle
from models.families import load_scorer
from models.recommend.model import MEMBERS, RecommendModel
from models.recommend.topk import top_k
from tests.models.recommend.small import AS_OF, history, past_of, small_model
from tests.models.recommend.small_index import indexed_model

MODEL = small_model()


def test_index_of_finds_every_item_and_no_other():
    wanted = [MODEL.items[i] for i in (7, 0, 39, 7)]
    hashes = np.array([hash64(item) for item in [*wanted, "stranger"]], np.uint64)
    assert MODEL.index_of(hashes).tolist() == [7, 0, 39, 7, -1]
    assert MODEL.index_of(np.empty(0, np.uint64)).tolist() == []
    extremes = np.array([0, 2**64 - 1], np.uint64)
    assert MODEL.index_of(extremes).tolist() == [-1, -1]


def test_past_keeps_kinds_that_count_with_weight_age_and_place():
    indices = np.array([3, 4, -1, 5, 6], np.int32)
    kinds = np.array([Kind.click, Kind.impression, Kind.click, Kind.purchase, KINDS], np.uint8)
    ats = AS_OF - DAY_MS * np.array([4, 3, 2, 1, 0])
    past = MODEL.past(indices, kinds, ats, AS_OF)
    assert past.indices.tolist() == [3, 5]
    assert past.weights.tolist() == [0.5, 1.0]
    assert past.days.tolist() == [4, 1]
    assert past.places.tolist() == [0, 3]


def test_an_event_after_as_of_has_age_zero():
    past = MODEL.past(
        np.array([1], np.int32), np.array([Kind.click], np.uint8), np.array([AS_OF + 5]), AS_OF
    )
    assert past.days.tolist() == [0]


def test_scores_are_finite_and_parts_add_up():
    scored = MODEL.score(*history(np.random.default_rng(0), 40, 30), AS_OF)
    assert np.isfinite(scored.total).all()
    parts = scored.parts(np.arange(40, dtype=np.int32))
    assert parts.shape == (len(MODEL.voices), 40)
    np.testing.assert_allclose(parts.sum(axis=0), scored.total, atol=1e-5)


def test_without_a_history_only_popularity_and_trend_speak():
    nothing = np.empty(0, np.int32), np.empty(0, np.uint8), np.empty(0, np.int64)
    scored = MODEL.score(*nothing, AS_OF)
    parts = scored.parts(np.arange(len(MODEL), dtype=np.int32))
    speaking = dict(zip(MODEL.voices, parts.any(axis=1).tolist(), strict=True))
    wanted = {name: name in ("popularity", "trend") for name in MODEL.members}
    assert speaking == wanted


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 60))
def test_events_that_do_not_count_change_nothing(seed, h):
    indices, kinds, ats = history(np.random.default_rng(seed), 40, h)
    counting = kinds != Kind.impression
    whole = MODEL.score(indices, kinds, ats, AS_OF).total
    part = MODEL.score(indices[counting], kinds[counting], ats[counting], AS_OF).total
    assert (whole == part).all()


def test_one_more_event_changes_the_answer():
    indices, kinds, ats = history(np.random.default_rng(5), 40, 10)
    before = MODEL.score(indices, kinds, ats, AS_OF).total
    after = MODEL.score(
        np.append(indices, 17).astype(np.int32),
        np.append(kinds, Kind.click).astype(np.uint8),
        np.append(ats, AS_OF - 1),
        AS_OF,
    ).total
    assert top_k(before, 10).tolist() != top_k(after, 10).tolist()


def test_renumbering_the_items_changes_no_score():
    """The same members over items in another order give every item the same score."""
    model, order = MODEL, np.random.default_rng(1).permutation(40)
    place = np.argsort(order)
    arrays = model.arrays()
    items = [model.items[i] for i in order]
    renumbered = dict(arrays)
    renumbered["items"] = np.frombuffer("".join(items).encode(), np.uint8)
    renumbered["items_ends"] = np.cumsum([0, *map(len, items)])
    by_item = ("popularity_counts", "trend_counts", "factors_factors", "repeats_facts")
    for name in ("hashes", *by_item, "neighbours_counts"):
        renumbered[name] = arrays[name][order]
    rows_of = dict.fromkeys(("graph", "ease", "filter"), ("targets", "weights"))
    for name, columns in {**rows_of, "neighbours": ("sessions",)}.items():
        offsets = arrays[f"{name}_offsets"]
        rows = [slice(offsets[i], offsets[i + 1]) for i in order]
        renumbered[f"{name}_offsets"] = np.cumsum([0, *(row.stop - row.start for row in rows)])
        for column in columns:
            moved = np.concatenate([arrays[f"{name}_{column}"][row] for row in rows])
            renumbered[f"{name}_{column}"] = place[moved] if column == "targets" else moved
    renumbered["neighbours_items"] = place[arrays["neighbours_items"]]
    other = RecommendModel.from_parts(renumbered, model.params())
    indices, kinds, ats = history(np.random.default_rng(2), 40, 25)
    one = model.score(indices, kinds, ats, AS_OF).total
    two = other.score(place[indices].astype(np.int32), kinds, ats, AS_OF).total
    np.testing.assert_allclose(two[place], one, atol=2e-4)


def test_similar_leaves_the_item_itself_out():
    scores = MODEL.similar(3)
    assert scores[3] == -np.inf
    assert np.isfinite(np.delete(scores, 3)).all()
    assert 3 not in top_k(scores, 39)


def test_influences_belong_to_events_that_count():
    indices, kinds, ats = history(np.random.default_rng(3), 40, 20)
    found = MODEL.influences(np.array([11, 3], np.int32), indices, kinds, ats, AS_OF)
    assert found.shape == (2, 20)
    assert (found >= 0).all()
    assert not found[:, kinds == Kind.impression].any()
    assert (found.sum(axis=1) > 0).all()
    assert (found.sum(axis=1) <= 1 + 1e-5).all()


def test_influences_of_many_targets_are_those_of_each():
    asked = history(np.random.default_rng(4), 40, 25)
    targets = np.arange(40, dtype=np.int32)
    together = MODEL.influences(targets, *asked, AS_OF)
    alone = [MODEL.influences(targets[i : i + 1], *asked, AS_OF)[0] for i in range(40)]
    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-5)


def test_influences_name_the_event_that_leads_to_the_target():
    others = {name: 0 for name in MODEL.members if name != "graph"}
    model = small_model(**others)
    graph = model.scorers[model.members.index("graph")]
    source = int(np.flatnonzero(np.diff(graph.edges[0]))[0])
    target = int(graph.edges[1][graph.edges[0][source]])
    strangers = [i for i in range(40) if target not in graph._row(i)[0]][:3]
    indices = np.array([source, *strangers], np.int32)
    kinds, ats = np.full(4, Kind.click, np.uint8), AS_OF - np.arange(4, 0, -1)
    found = model.influences(np.array([target], np.int32), indices, kinds, ats, AS_OF)
    np.testing.assert_allclose(found, [[1, 0, 0, 0]], rtol=1e-5)


def test_influences_of_an_empty_history_are_empty():
    nothing = np.empty(0, np.int32), np.empty(0, np.uint8), np.empty(0, np.int64)
    assert MODEL.influences(np.array([1, 2], np.int32), *nothing, AS_OF).shape == (2, 0)


def test_parts_are_plain_arrays_and_json():
    # Those missing here read more than histories, and have tests of their own.
    assert set(MEMBERS) - set(MODEL.members) <= {"category", "content", "transformer"}
    assert not any(array.dtype.hasobject for array in MODEL.arrays().values())
    assert json.loads(json.dumps(MODEL.params())) == MODEL.params()


def test_a_bundle_gives_the_very_same_scores(tmp_path):
    model = small_model(n=300, again=True)
    row = {"items": ["i3", "i9", "new"], "kinds": [2, 5, 5], "ats": [1, 2, 3], "as_of": 9, "k": 10}
    golden = Golden([{"input": row, "output": model.answer(row)}], 0.0)
    draft = Draft("recommend", AS_OF, model.arrays(), model.params(), golden=golden)
    again = load_scorer(write_bundle(tmp_path, draft))
    assert again.items == model.items
    assert again.repeats is True
    assert again.members == model.members
    for seed in range(5):
        asked = history(np.random.default_rng(seed), 300, 40)
        assert (again.score(*asked, AS_OF).total == model.score(*asked, AS_OF).total).all()


def test_ids_beyond_ascii_survive():
    model = small_model(3)
    arrays = model.arrays()
    texts = ["käse", "豆腐", "i2"]
    arrays["items"] = np.frombuffer("".join(texts).encode(), np.uint8)
    arrays["items_ends"] = np.cumsum([0, *(len(text.encode()) for text in texts)])
    assert RecommendModel.from_parts(arrays, model.params()).items == tuple(texts)


@pytest.mark.parametrize("missing", ["items", "hashes", "graph_weights", "factors_factors"])
def test_a_missing_part_is_refused(missing):
    arrays = MODEL.arrays()
    del arrays[missing]
    with pytest.raises(KeyError):
        RecommendModel.from_parts(arrays, MODEL.params())


def test_parts_that_do_not_fit_are_refused():
    arrays = MODEL.arrays()
    arrays["hashes"] = arrays["hashes"][:-1]
    with pytest.raises(ValueError, match="do not fit"):
        RecommendModel.from_parts(arrays, MODEL.params())


def test_a_bundle_keeps_the_index_and_opens_without_one(tmp_path):
    model = indexed_model(300)
    past = past_of([3, 7])
    draft = Draft("recommend", AS_OF, model.arrays(), model.params())
    again = RecommendModel.from_bundle(write_bundle(tmp_path, draft))
    assert again.index.keys() == model.index.keys()
    assert again.narrow is not None
    vector = model.scorers[model.members.index("factors")].asked(past).vector
    found, wanted = (one.index["factors"].nearest(vector, 9) for one in (again, model))
    assert found[0].tolist() == wanted[0].tolist()
    assert not again.index["factors"].blocks.flags.owndata
    bare = replace(model, index={})
    draft = Draft("recommend", AS_OF, bare.arrays(), bare.params())
    opened = RecommendModel.from_bundle(write_bundle(tmp_path, draft))
    assert (opened.narrow, dict(opened.index)) == (None, {})
    assert opened.propose(past).total.tolist() == model.score_past(past).total.tolist()


def test_a_bundle_whose_index_was_changed_or_does_not_fit_is_refused(tmp_path):
    model = indexed_model(300)
    arrays = model.arrays()
    draft = Draft("recommend", AS_OF, arrays, model.params())
    path = write_bundle(tmp_path, draft).path / "arrays" / "index_factors_items.npy"
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(BundleRefused, match=r"index_factors_items.npy was changed"):
        open_bundle(path.parent.parent)
    other = {**arrays, "index_factors_starts": arrays["index_factors_starts"] + 1}
    with pytest.raises(ValueError, match="do not fit together"):
        RecommendModel.from_parts(other, model.params())
    params = model.params()
    params["index"].pop("factors")
    with pytest.raises(ValueError, match="of other members"):
        RecommendModel.from_parts(arrays, params)

import numpy as np
import pytest

from models.recommend.candidates import scene_of
from models.recommend.topk import top_k
from tests.models.recommend.small import ranked_model, small_model
from tests.training.worlds import full_of_rows
from training.evaluate.ranking import contenders, mean_ndcg, member_weights, rank, served
from training.metrics import per_case
from training.splits import leave_one_out

N = 40


def world(repeats=False, users=25):
    rng = np.random.default_rng(8)
    rows = [("first", f"i{i}", 0) for i in range(N)]
    rows += [
        (f"{user}", f"i{item}", day)
        for user in range(users)
        for day, item in enumerate(rng.integers(0, N, rng.integers(2, 9)))
    ]
    full, items = full_of_rows(rows)
    model = small_model(N, again=repeats)
    assert list(model.items) == items
    return model, full, leave_one_out(full, 1, 512, repeats=True).cases


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("threads", [1, 3])
def test_equals_asking_the_model_one_by_one(repeats, threads):
    model, full, cases = world(repeats)
    found = rank(model, model.weights[None], full, cases, 10, threads)[0]
    for case in range(len(cases)):
        mine = slice(cases.starts[case], cases.ends[case])
        asked = full.items[mine], full.kinds[mine], full.ats[mine], int(cases.as_of[case])
        allowed = np.ones(N, np.bool_)
        if not repeats:
            allowed[full.items[mine]] = False
        wanted = top_k(model.score(*asked).total, 10, allowed)
        got = found[case][found[case] >= 0]
        # The same sums in another order may swap what is equal but for the last bit.
        totals = model.score(*asked).total
        np.testing.assert_allclose(totals[got], totals[wanted], atol=1e-5)
        assert not (set(got) & set(full.items[mine]) and not repeats)


def test_every_weighting_is_ranked_as_if_alone():
    model, full, cases = world()
    grid = np.random.default_rng(0).random((4, len(model.members))).astype(np.float32)
    grid[2] = np.eye(len(model.members))[2]
    together = rank(model, grid, full, cases, 5)
    for row, lists in zip(grid, together, strict=True):
        assert (rank(model, row[None], full, cases, 5)[0] == lists).all()


def test_ndcg_is_the_mean_over_cases():
    model, full, cases = world()
    lists = rank(model, model.weights[None], full, cases, 10)[0]
    wanted = per_case(lists, cases.targets, cases.target_offsets, (10,))["ndcg_at_10"].mean()
    assert mean_ndcg(model, model.weights[None], full, cases)[0] == pytest.approx(wanted)


def test_lists_longer_than_the_catalogue_end_in_minus_one():
    model, full, cases = world(users=2)
    lists = rank(model, model.weights[None], full, cases, N + 5)[0]
    assert (lists[:, N:] == -1).all()
    assert (lists[:, 0] >= 0).all()


def test_no_cases_are_no_lists():
    model, full, cases = world()
    none = cases.take(np.empty(0, np.int64))
    assert rank(model, model.weights[None], full, none, 5).shape == (1, 0, 5)
    assert mean_ndcg(model, model.weights[None], full, none).tolist() == [0]


def test_member_weights_name_the_blend_and_single_members():
    model = small_model(N)
    found = member_weights(model, ["graph", "blend"])
    alone = [float(name == "graph") for name in model.members]
    assert found[0].tolist() == alone
    assert (found[1] == model.weights).all()


def test_served_lists_are_the_model_s_own_answers_ranker_and_all():
    _, full, cases = world()
    model = ranked_model(N, most=12)
    found = served(model, full, cases, 10, 2)
    for case in range(len(cases)):
        mine, as_of = slice(cases.starts[case], cases.ends[case]), int(cases.as_of[case])
        past = model.past(full.items[mine], full.kinds[mine], full.ats[mine], as_of)
        allowed = np.ones(N, np.bool_)
        allowed[full.items[mine]] = False
        wanted = top_k(model.score_past(past, allowed, scene_of(as_of)).total, 10, allowed)
        assert found[case][found[case] >= 0].tolist() == wanted.tolist()
    linear = rank(model, model.weights[None], full, cases, 10)[0]
    assert (found != linear).any()


def test_what_is_served_leads_the_contenders():
    model, full, cases = world()
    plain = contenders(model, ["graph"], full, cases, 10)
    assert list(plain) == ["blend", "graph"]
    assert (plain["blend"] == rank(model, model.weights[None], full, cases, 10)[0]).all()
    ranked = ranked_model(N, most=12)
    found = contenders(ranked, ["graph"], full, cases, 10)
    assert list(found) == ["blend", "graph"]
    assert (found["blend"] == served(ranked, full, cases, 10)).all()
    assert (found["graph"] == plain["graph"]).all()
    assert list(contenders(ranked, [], full, cases, 10)) == ["blend"]

import numpy as np
import pytest

from domain.clock import DAY_MS
from domain.items import Item
from models.recommend.model import MEMBERS
from tests.models.recommend.small import past_of
from tests.training.worlds import START, chain, full_of_rows, groceries
from training.fit import members
from training.fit.facts import ItemFacts
from training.fit.members import MEMBER_FITS, Learner, Lesson


def learner_of(rows, as_of_day=100, repeats=True):
    full, items = full_of_rows(rows)
    about = ItemFacts(
        tuple(
            Item(item, f"Thing {number % 9} of {number % 4}", categories=(f"c{number % 7}",))
            for number, item in enumerate(items)
        )
    )
    return Learner(Lesson(full, START + as_of_day * DAY_MS, repeats, 0, 1, about)), items


def test_every_member_of_the_model_has_a_fit():
    assert list(MEMBER_FITS) == list(MEMBERS)


@pytest.mark.parametrize("name", MEMBER_FITS)
def test_every_candidate_belongs_to_a_known_number(name):
    how = MEMBER_FITS[name]
    assert set(how.tried) <= set(how.start)
    assert how.free <= set(how.start)
    for number, candidates in how.tried.items():
        assert how.start[number] in candidates


@pytest.mark.parametrize("name", MEMBER_FITS)
def test_every_member_can_be_learned_and_scores(name):
    learner, items = learner_of(groceries())
    member = learner.member(name, MEMBER_FITS[name].start)
    assert isinstance(member, MEMBERS[name])
    out = np.full(len(items), np.nan, np.float32)
    member.score(past_of([1, 2, 1]), out)
    assert np.isfinite(out).all()
    assert out.any()


def test_popularity_halves_with_every_half_life():
    rows = [("a", "x", 90), ("b", "y", 80), ("c", "y", 100)]
    learner, items = learner_of(rows, as_of_day=100)
    decayed = learner.member("popularity", {"half_life_days": 10.0}).counts
    assert dict(zip(items, decayed.tolist(), strict=True)) == pytest.approx({"x": 0.5, "y": 1.25})
    plain = learner.member("popularity", {"half_life_days": None}).counts
    assert dict(zip(items, plain.tolist(), strict=True)) == {"x": 1, "y": 2}


def test_numbers_that_only_serving_uses_need_no_new_learning(monkeypatch):
    asked = []
    how = MEMBER_FITS["graph"]

    def counting(lesson, params):
        asked.append(params["decay"])
        return how.learn(lesson, params)

    monkeypatch.setitem(
        members.MEMBER_FITS,
        "graph",
        members.MemberFit(counting, how.start, how.tried, how.free, how.only_repeats),
    )
    learner, _ = learner_of(chain())
    decays = [learner.member("graph", {**how.start, "decay": d}).decay for d in (0.5, 0.7, 0.9)]
    assert decays == [0.5, 0.7, 0.9]
    assert len(asked) == 1
    learner.member("graph", {**how.start, "window": 2})
    assert len(asked) == 2


def test_own_edges_are_for_logs_that_repeat():
    rows = [("a", "x", 0), ("a", "x", 1), ("a", "y", 2)]
    for repeats in (True, False):
        learner, items = learner_of(rows, repeats=repeats)
        graph = learner.member("graph", MEMBER_FITS["graph"].start)
        x = items.index("x")
        assert (x in graph._row(x)[0]) is repeats

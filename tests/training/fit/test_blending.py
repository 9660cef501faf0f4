from functools import partial

import numpy as np
import pytest

from domain.clock import DAY_MS
from domain.events import KINDS, Kind
from domain.ids import hash64
from models.recommend.candidates import scene_of
from models.recommend.topk import top_k
from tests.models.recommend.small import graph_of
from tests.training.answering import FIRST_DAY, shop
from tests.training.worlds import START, full_of_rows
from training.evaluate.ranking import contenders
from training.fit.answered import answered_of
from training.fit.answers import answers_of
from training.fit.blending import (
    BLEND,
    MEMBER,
    RANKER,
    Blending,
    Taught,
    folds_of,
)
from training.fit.budget import Budget
from training.fit.decided import DECIDED, ON_EVENTS
from training.fit.recommend import Catalogue, assemble
from training.fit.settings import RankerSettings
from training.metrics import per_case
from training.splits import entities_of, interactions_of, leave_one_out, time_split

ITEMS = 30
QUICK = RankerSettings(trees=40, least_rows=20)


def nothing(_):
    """Take no notice of a step."""


def walkers(users=300, step=lambda user: 1 if user % 2 else -1, seed=0):
    """A history without meaning, then one step round a ring of items from where it ended.

    Whoever has few events goes backward, whoever has many forward: only the two together tell.
    """
    rng = np.random.default_rng(seed)
    rows = [("all", f"i{item:02d}", 0) for item in range(ITEMS)]
    for user in range(users):
        way = step(user)
        length = int(rng.integers(9, 14) if way > 0 else rng.integers(3, 8))
        last = int(rng.integers(ITEMS))
        others = [item for item in range(ITEMS) if (item - last) % ITEMS not in (0, 1, ITEMS - 1)]
        walk = [*rng.permutation(others)[:length].tolist(), last, (last + way) % ITEMS]
        rows += [(f"{user}", f"i{item:02d}", day + 1) for day, item in enumerate(walk)]
    return rows


def deciding(rows, settings=QUICK, members=None, repeats=False):
    """A decision between those who look forward and those who look backward."""
    full, items = full_of_rows(rows)
    catalogue = Catalogue(
        tuple(items), np.array([hash64(item) for item in items], np.uint64),
        np.ones(KINDS, np.float32),
    )  # fmt: skip
    n = len(items)
    ways = {
        "forward": graph_of(n, {(i, (i + 1) % n): 1.0 for i in range(n)}, 0.05),
        "backward": graph_of(n, {(i, (i - 1) % n): 1.0 for i in range(n)}, 0.05),
    }
    split = leave_one_out(full, 1, 512, repeats)
    # Names that the model's door knows are not needed: nothing is read from a bundle here.
    taught = [Taught(full, split, {name: ways[name] for name in members or ways})]
    make = partial(assemble, catalogue, repeats)
    return Blending(taught, make, settings, seed=0, threads=1, step=nothing), taught[0], make


def test_only_a_ranker_can_be_right_and_it_is_chosen():
    blending, taught, make = deciding(walkers())
    found = blending.decide()
    assert found.choice.name == RANKER
    assert found.choice.means[RANKER] > 0.95
    assert max(found.choice.means[MEMBER], found.choice.means[BLEND]) < 0.9
    # And what is served does what was promised.
    weights = np.array(list(found.weights.values()), np.float32)
    ranker = found.ranker.beside(taught.split.known, taught.split.as_of)
    model = make(taught.members, weights, ranker)
    cases = taught.split.cases
    lists = contenders(model, ["forward", "backward"], taught.log, cases, 10, 2)
    ndcg = {
        name: per_case(one, cases.targets, cases.target_offsets)["ndcg_at_10"].mean()
        for name, one in lists.items()
    }
    assert ndcg["blend"] > 0.95
    assert max(ndcg["forward"], ndcg["backward"]) < 0.9


def test_too_little_keeps_the_best_member():
    """Fifteen cases, nearly all forward: no weight and no forest is sure to be better."""
    blending, *_ = deciding(walkers(15, step=lambda user: -1 if user == 0 else 1))
    found = blending.decide()
    assert found.choice.name == MEMBER
    assert found.ranker is None
    assert found.weights == {"forward": 1.0, "backward": 0.0}
    assert found.told["best_member"] == "forward"


def test_one_member_that_is_always_right_stays_alone():
    blending, *_ = deciding(walkers(step=lambda user: 1))
    found = blending.decide()
    assert found.choice.name == MEMBER
    assert found.blend == pytest.approx(1.0)


def test_without_trees_or_time_there_is_no_ranker():
    found = deciding(walkers(), RankerSettings(trees=0))[0].decide()
    assert found.ranker is None
    budget = Budget(1.0)
    assert deciding(walkers())[0].decide(budget).ranker is None
    assert budget.given_up == ["the ranker"]


def test_the_choice_and_its_intervals_are_told():
    facts = deciding(walkers())[0].decide().facts()
    assert facts["choice"] == RANKER
    lead = BLEND if facts["choice.blend_over_member.low"] >= 0 else MEMBER
    assert facts[f"choice.ranker_over_{lead}.low"] > 0
    assert facts["choice.queries"] <= facts["choice.cases"] == 301


def test_folds_depend_on_what_was_done_not_on_names():
    rows = walkers(60)
    renamed = [(f"{997 - int(u) if u != 'all' else u}", item, day) for u, item, day in rows]
    one, two = (full_of_rows(some)[0] for some in (rows, renamed))
    assert sorted(folds_of(one, 5)) == sorted(folds_of(two, 5))
    shares = np.bincount(folds_of(full_of_rows(walkers(2000))[0], 5))
    assert shares.min() > 300


def shop_decides(settings=QUICK, budget=None, **made):
    """A shop's decision with what was answered, and the lesson and the maker of models."""
    history, rows, items = shop(**made)
    hashes = np.array([hash64(item) for item in items], np.uint64)
    weights = np.zeros(KINDS, np.float32)
    weights[[Kind.purchase, Kind.click]] = 1.0, 0.3
    full, n = interactions_of(history, hashes, weights), len(items)
    since = START + FIRST_DAY * DAY_MS
    late = since + 100 * DAY_MS
    split = time_split(full, since, late, 512, False)
    ways = {
        "forward": graph_of(n, {(i, (i + 1) % n): 1.0 for i in range(n)}, 0.05),
        "backward": graph_of(n, {(i, (i - 1) % n): 1.0 for i in range(n)}, 0.05),
    }
    users = entities_of(history, hashes, weights)
    answered = answered_of(answers_of(rows, history), history, hashes, users, late)
    make = partial(assemble, Catalogue(tuple(items), hashes, weights), False)
    taught = Taught(full, split, ways)
    blending = Blending(
        [taught], make, settings, seed=0, threads=1, step=nothing, answered=answered
    )
    return blending.decide(budget), taught, make


def test_a_ranker_that_hears_answers_serves_each_device_what_is_wanted_there():
    found, taught, make = shop_decides()
    assert found.choice.name == DECIDED
    assert found.told["decisions"] > 1000
    assert found.told["steepness_low"] - 0.1 < 1.0 < found.told["steepness_high"] + 0.1
    facts = found.facts()
    lead = MEMBER if f"choice.{DECIDED}_over_{MEMBER}.low" in facts else BLEND
    assert facts[f"choice.{DECIDED}_over_{lead}.low"] > 0
    assert facts[f"choice.{ON_EVENTS}_over_{lead}.high"] >= 0
    weights = np.array(list(found.weights.values()), np.float32)
    model = make(
        taught.members, weights, found.ranker.beside(taught.split.known, taught.split.as_of)
    )
    short = {"phone": 0.0, "desktop": 0.0, "": 0.0}
    cases = taught.split.cases
    for case in range(60):
        mine, as_of = slice(cases.starts[case], cases.ends[case]), int(cases.as_of[case])
        log = taught.log
        past = model.past(log.items[mine], log.kinds[mine], log.ats[mine], as_of)
        for device in short:
            best = top_k(model.score_past(past, None, scene_of(as_of, device, "home")).total, 10)
            short[device] += np.mean(best % 2 == 0) / 60
    assert short["phone"] > 0.9
    assert short["desktop"] < 0.1
    assert 0.2 < short[""] < 0.8


def test_too_few_answers_are_said_and_teach_nothing():
    found, *_ = shop_decides(users=250, each=3)
    assert 0 < found.told["decisions"] < 1000
    assert DECIDED not in found.choice.means
    assert found.ranker is None or found.ranker.scenery is None


def test_answers_wait_for_a_budget_that_has_room():
    class Slow(Budget):
        def elapsed(self):
            self.seen = getattr(self, "seen", 0.0) + 10.0
            return self.seen

    budget = Slow(45.0)
    found, *_ = shop_decides(budget=budget)
    assert DECIDED not in found.choice.means
    assert "decisions for the ranker" in budget.given_up

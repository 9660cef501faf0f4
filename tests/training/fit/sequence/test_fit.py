"""From a log to the member that serves: the grammar, times, kinds, baskets, a new item."""

import numpy as np
import pytest

from domain.events import Kind
from domain.items import Item
from tests.models.recommend.small import past_of
from tests.training.fit.sequence.grammar import HOUR_MS, SMALL, log_of, successors
from training.fit.facts import ItemFacts
from training.fit.sequence.fit import fit_transformer


def best(member, past, seen=()):
    out = np.empty(len(member.vectors), np.float32)
    member.score(past, out)
    out[list(seen)] = -np.inf
    return int(out.argmax())


def test_the_grammar_is_served():
    log, after = successors()
    member = fit_transformer(log, SMALL)
    found = [best(member, past_of([i], days=[7 / 24]), [i]) for i in range(30)]
    assert (np.array(found) == after).mean() > 0.9
    found = [best(member, past_of([9, 9, i]), [i, 9]) for i in range(30)]
    assert (np.array(found) == after).mean() > 0.6


def test_the_same_log_gives_the_same_member():
    log, _ = successors()
    few = {**SMALL, "epochs": 2}
    first, again = fit_transformer(log, few, seed=1), fit_transformer(log, few, seed=1)
    for name, array in first.arrays().items():
        np.testing.assert_array_equal(array, again.arrays()[name], err_msg=name)


def two_ways(by, users=300, seed=0):
    """After item i comes 10 + i, or 20 + i where `by` says so: by the gap, or by the kind."""
    rng = np.random.default_rng(seed)
    histories, steps, kinds = [], [], []
    for _ in range(users):
        item, other = int(rng.integers(10)), bool(rng.integers(2))
        histories.append([item, (20 if other else 10) + item])
        steps.append([(1_000 if other else 20) * HOUR_MS if by == "gap" else 20 * HOUR_MS])
        kinds += [Kind.purchase if other and by == "kind" else Kind.click, Kind.click]
    return log_of(histories, 30, steps, kinds)


@pytest.mark.parametrize("by", ["gap", "kind"])
def test_gaps_and_kinds_are_heard(by):
    member = fit_transformer(two_ways(by), {**SMALL, "epochs": 30, "patience": 30, "days": None})
    for item in range(10):
        days = {"gap": ([20 / 24], [1_000 / 24]), "kind": ([20 / 24], [20 / 24])}[by]
        kinds = {"gap": ([2], [2]), "kind": ([Kind.click], [Kind.purchase])}[by]
        first, other = (past_of([item], days=d, kinds=k) for d, k in zip(days, kinds, strict=True))
        assert best(member, first, [item]) == 10 + item
        assert best(member, other, [item]) == 20 + item


def test_baskets_and_repeats_are_no_trouble():
    rng = np.random.default_rng(0)
    histories = [rng.integers(0, 15, rng.integers(2, 90)).tolist() for _ in range(40)]
    steps = [rng.choice([0, 0, 0, 200 * HOUR_MS], len(one) - 1).tolist() for one in histories]
    log = log_of(histories, 15, steps)
    few = {**SMALL, "epochs": 2, "length": 20, "all_below": 5, "negatives": 8}
    member = fit_transformer(log, few, repeats=True)
    out = np.empty(15, np.float32)
    member.score(past_of([3, 3, 4] * 30, days=[9.0] * 90), out)
    assert np.isfinite(out).all()
    assert out.std() == pytest.approx(1, rel=1e-3)


def test_own_items_may_win_where_repeats_are_the_task():
    histories = [[i, i, i, i] for i in range(10)] * 20
    member = fit_transformer(log_of(histories, 10), {**SMALL, "epochs": 10}, repeats=True)
    assert [best(member, past_of([i, i])) for i in range(10)] == list(range(10))


def test_an_item_nobody_had_is_found_by_its_traits():
    """Items come in two tribes, and nobody leaves his: a new one is liked by its own."""
    rng = np.random.default_rng(0)
    n = 40
    tribe = np.arange(n) % 2
    histories = [(2 * rng.choice(n // 2 - 1, 6, False) + user % 2).tolist() for user in range(300)]
    facts = ItemFacts(tuple(Item(item=f"i{i}", categories=("ab"[t],)) for i, t in enumerate(tribe)))
    log = log_of(histories, n)
    member = fit_transformer(log, {**SMALL, "epochs": 10}, items=facts)
    out = np.empty(n, np.float32)
    for own in (0, 1):
        member.score(past_of([own, own + 2, own + 4], days=[3 * 7 / 24, 2 * 7 / 24, 7 / 24]), out)
        assert out[n - 2 + own] > out[n - 1 - own] + 0.5
    without = fit_transformer(log, {**SMALL, "epochs": 1})
    assert not without.vectors[n - 2 :].any()

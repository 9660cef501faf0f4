import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.recommend.member import standardise
from models.recommend.repeats import FEATURES, HALF_LIVES, PAIRS, Repeats, own_rows
from tests.models.recommend.small import past_of, repeats_of


def scores(member, past, n=6):
    out = np.full(n, 5, np.float32)
    member.score(past, out)
    return out


def naive_rows(past, facts):
    """The features of each own item as their names say, one item at a time."""
    items = list(dict.fromkeys(past.indices.tolist()))
    out = {}
    for item in items:
        mine = [j for j in range(len(past.indices)) if past.indices[j] == item]
        days = [float(past.days[j]) for j in mine]
        weights = [float(past.weights[j]) for j in mine]
        gap = math.exp(facts[item][2])
        if len(mine) > 1 and days[0] > days[-1]:
            gap = (days[0] - days[-1]) / (len(mine) - 1)
        since = math.log(days[-1] + 0.01)
        due = min(max(math.log((days[-1] + 0.5) / (gap + 0.5)), -4), 4)
        row = {"often": math.log1p(sum(weights))}
        for half_life in HALF_LIVES:
            total = sum(w * 2 ** (-d / half_life) for w, d in zip(weights, days, strict=True))
            row[f"within_{half_life:g}"] = math.log1p(total)
        row |= {"since": since, "since_squared": since**2, "since_often": since * row["often"]}
        row |= {"first": math.log(days[0] + 0.01), "due": due, "late": max(due, 0.0)}
        row |= {"due_squared": due**2, "places": math.log1p(len(past.indices) - 1 - mine[-1])}
        row |= {"again": float(len(mine) > 1), "events": math.log(len(past.indices))}
        row |= {"distinct": math.log(len(items)), "idle": math.log(float(past.days[-1]) + 0.01)}
        row |= {"log_rate": facts[item][0], "log_recent": facts[item][1]}
        row |= {f"{one} * {other}": row[one] * row[other] for one, other in PAIRS}
        out[item] = [row[name] for name in FEATURES]
    return out


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.floats(0.1, 1), st.floats(0, 400)), min_size=1, max_size=12
    ),
    st.integers(0, 9),
)
def test_rows_are_what_their_names_say(events, seed):
    events = sorted(events, key=lambda event: -event[2])
    past = past_of(*map(list, zip(*events, strict=True)))
    facts = np.random.default_rng(seed).normal(0, 1, (5, 3)).astype(np.float32)
    slots = np.zeros(5, np.float32)
    items, rows = own_rows(
        past.indices, past.weights, past.days, np.array(HALF_LIVES), facts, slots
    )
    wanted = naive_rows(past, facts)
    assert items.tolist() == list(wanted)
    for item, row in zip(items.tolist(), rows, strict=True):
        np.testing.assert_allclose(row, wanted[item], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("lift", [0.0, 3.0])
def test_scores_are_the_softplus_of_the_log_odds(lift):
    rates = np.array([0.1, 0.9, 0.5, 0.3, 0.2, 1.0])
    past = past_of([1, 2, 1, 4], weights=[1, 0.5, 1, 1], days=[30, 20, 10, 0])
    member = repeats_of(rates, lift, alone=-1.0, often=2.0, log_rate=0.5, late=-0.7)
    wanted = np.zeros(6)
    for item, row in naive_rows(past, member.facts).items():
        told = dict(zip(FEATURES, row, strict=True))
        odds = -1 + 2 * told["often"] + 0.5 * told["log_rate"] - 0.7 * told["late"]
        wanted[item] = math.log1p(math.exp(odds + lift))
    wanted = wanted.astype(np.float32)
    standardise(wanted)
    np.testing.assert_allclose(scores(member, past), wanted, atol=1e-5)


def test_only_items_of_the_past_rise():
    out = scores(repeats_of(np.ones(6)), past_of([2, 2, 4]))
    assert np.argsort(-out)[:2].tolist() == [2, 4]
    assert len(set(out[[0, 1, 3, 5]])) == 1


def test_the_rhythm_tells_what_is_due():
    # Both were had three times; item 0 every ten days and last ten days ago, item 1 every
    # hundred days and last ten days ago: only the first is due.
    past = past_of([1, 1, 0, 0, 0, 1], days=[210, 110, 30, 20, 10, 10])
    out = scores(repeats_of(np.ones(6), often=1.0, due=1.0), past)
    assert out[0] > out[1] > out[2]
    # Where being late says that it was given up, it is the other way round.
    out = scores(repeats_of(np.ones(6), often=1.0, due=-1.0), past)
    assert out[1] > out[0] > out[2]


def test_an_empty_past_says_nothing():
    assert not scores(repeats_of(np.ones(6)), past_of([])).any()


def test_influences_are_the_target_s_own_events():
    member = repeats_of(np.ones(6))
    targets = np.array([2, 0], np.int32)
    found, other = member.influences(targets, past_of([2, 1, 2], days=[30, 5, 0]))
    assert not other.any()
    np.testing.assert_allclose(found, [0.5, 0, 1], rtol=1e-6)


def test_says_nothing_of_likeness():
    out = np.ones(6, np.float32)
    repeats_of(np.ones(6)).similar(1, out)
    assert not out.any()


def test_survives_its_parts():
    member = repeats_of(np.linspace(0.1, 1, 6), 2.0)
    again = Repeats.from_parts(member.arrays(), member.params())
    past = past_of([0, 5, 5])
    assert (scores(again, past) == scores(member, past)).all()


def test_parts_that_do_not_fit_are_refused():
    whole = repeats_of(np.ones(6))
    with pytest.raises(ValueError, match="facts"):
        Repeats(whole.facts[:, :2], whole.coefficients, 3.0)
    with pytest.raises(ValueError, match="coefficients"):
        Repeats(whole.facts, whole.coefficients[1:], 3.0)

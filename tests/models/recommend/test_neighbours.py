import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.recommend.neighbours import _FADED, _LOOKED, Nearness, Neighbours
from tests.models.recommend.small import past_of

N = 12
PLAIN = Nearness(100, 0.5, 0.0, 0.5, 0.5, None, 0.0, 0.0, 0.0)


def log_of(sessions, days=None, recent=1_000):
    """The arrays of sessions given most recent first, as lists of items."""
    holders = [[s for s, items in enumerate(sessions) if i in items] for i in range(N)]
    kept = [held[:recent] for held in holders]
    return {
        "ends": np.cumsum([0, *map(len, sessions)]),
        "items": np.array([item for items in sessions for item in items], np.int32),
        "days": np.arange(len(sessions)) if days is None else np.array(days),
        "offsets": np.cumsum([0, *map(len, kept)]),
        "sessions": np.array([s for held in kept for s in held], np.int32),
        "counts": np.array([len(held) for held in holders]),
    }


def scored(member, past):
    out = np.full(N, np.nan, np.float32)
    member.raw(past, out)
    return out


def naive(sessions, days, near, indices, weights):
    """Score as the docstrings say, session by session in plain Python."""
    counts = [max(1, sum(i in items for items in sessions)) for i in range(N)]
    latest = {}
    for age, j in enumerate(reversed(range(len(indices)))):
        if indices[j] not in latest and near.decay**age >= _FADED and len(latest) < _LOOKED:
            latest[indices[j]] = (age, near.decay**age * weights[j])
    alike = []
    for s, items in enumerate(sessions):
        shared = [(age, i, strength) for i, (age, strength) in latest.items() if i in items]
        if shared:
            likeness = sum(strength * counts[i] ** -near.rarity for _, i, strength in shared)
            likeness *= len(items) ** -near.length_power
            if near.half_life_days:
                likeness *= 2 ** (-days[s] / near.half_life_days)
            alike.append((likeness, s, min(shared)[1]))
    alike.sort(key=lambda one: (-one[0], one[1]))
    out = np.zeros(N)
    for likeness, s, item in alike[: near.neighbours]:
        items = sessions[s]
        middle = len(items) - 1 - items[::-1].index(item)
        for place, other in enumerate(items):
            worth = near.near ** (abs(place - middle) - 1) if place != middle else near.own
            worth *= near.reverse if place < middle else 1
            if worth >= _FADED:
                out[other] += likeness * worth * counts[other] ** -near.target_power
    return out


items = st.integers(0, N - 1)
powers = st.sampled_from([0.0, 0.5, 1.0])
nearnesses = st.builds(
    Nearness,
    neighbours=st.just(100),
    decay=st.sampled_from([0.3, 0.8, 1.0]),
    rarity=powers,
    near=st.sampled_from([0.3, 0.9, 1.0]),
    reverse=st.sampled_from([0.0, 0.25, 1.0]),
    half_life_days=st.sampled_from([None, 5.0]),
    length_power=powers,
    target_power=powers,
    own=st.sampled_from([0.0, 1.0]),
)


@given(
    st.lists(st.lists(items, min_size=1, max_size=7), max_size=15),
    st.lists(items, max_size=9),
    nearnesses,
)
@settings(max_examples=150, deadline=None)
def test_scores_what_plain_python_scores_and_influences_add_up(sessions, history, near):
    days = [3.0 * s for s in range(len(sessions))]
    weights = np.linspace(0.3, 1, len(history))
    member = Neighbours(log_of(sessions, days), near)
    past = past_of(history, weights=weights)
    found = scored(member, past)
    wanted = naive(sessions, days, near, history, weights)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    influences = member.influences(np.arange(N, dtype=np.int32), past)
    np.testing.assert_allclose(influences.sum(axis=1), found, rtol=1e-4, atol=1e-5)


def test_only_the_most_alike_are_heard_and_ties_go_to_the_more_recent():
    sessions = [[0, 3], [0, 1, 4], [0, 5], [1, 6]]
    past = past_of([0, 1])
    one = scored(Neighbours(log_of(sessions), PLAIN._replace(neighbours=1)), past)
    assert np.flatnonzero(one).tolist() == [0, 4]
    two = scored(Neighbours(log_of(sessions), PLAIN._replace(neighbours=2)), past)
    assert np.flatnonzero(two).tolist() == [0, 4, 6]
    three = scored(Neighbours(log_of(sessions), PLAIN._replace(neighbours=3)), past)
    assert np.flatnonzero(three).tolist() == [0, 3, 4, 6]


def test_what_came_right_after_is_worth_most_and_what_came_before_less():
    found = scored(Neighbours(log_of([[1, 2, 3, 4, 5]]), PLAIN), past_of([3]))
    assert found.tolist() == [0, 0.25, 0.5, 0, 1, 0.5, 0, 0, 0, 0, 0, 0]


def test_sessions_not_kept_for_an_item_are_not_found_by_it():
    sessions = [[0, 1], [0, 2], [0, 3]]
    found = scored(Neighbours(log_of(sessions, recent=2), PLAIN), past_of([0]))
    assert np.flatnonzero(found).tolist() == [1, 2]


def test_a_long_history_is_looked_up_by_its_last_different_items():
    sessions = [[i % N, (i + 1) % N] for i in range(40)]
    member = Neighbours(log_of(sessions), PLAIN._replace(decay=1.0))
    past = past_of([0] * 600 + [1])
    assert np.isfinite(scored(member, past)).all()
    (brought,) = member.influences(np.array([2], np.int32), past)
    assert np.flatnonzero(brought).tolist() == [600]


@pytest.mark.parametrize("history", [[], [11]])
def test_nothing_shared_says_nothing(history):
    member = Neighbours(log_of([[0, 1], [2, 3]]), PLAIN)
    out = np.ones(N, np.float32)
    assert member.raw(past_of(history), out) == (0, 0)
    member.score(past_of(history), out)
    assert not out.any()
    assert not member.influences(np.array([1, 2], np.int32), past_of(history)).any()


def test_no_sessions_at_all_are_harmless():
    member = Neighbours(log_of([]), Nearness())
    assert not scored(member, past_of([1, 2])).any()


def test_similar_is_what_stood_near_and_never_the_item_itself():
    out = np.empty(N, np.float32)
    member = Neighbours(log_of([[1, 2, 3], [2, 3]]), PLAIN._replace(own=1.0))
    member.similar(2, out)
    assert out.argmax() == 3
    assert out[2] == out[7]


def test_the_arrays_name_nobody():
    log = log_of([[0, 1], [2, 3]])
    arrays = Neighbours(log, PLAIN).arrays()
    assert set(arrays) == {"ends", "items", "days", "offsets", "sessions", "counts"}
    assert arrays["items"].max() < N
    assert arrays["sessions"].max() < 2


def test_survives_its_parts():
    near = Nearness(50, 0.7, 0.3, 0.6, 0.2, 9.0, 0.4, 0.1, 1.0)
    member = Neighbours(log_of([[0, 1], [1, 2, 0]]), near)
    again = Neighbours.from_parts(member.arrays(), member.params())
    assert again.nearness == near
    assert (scored(again, past_of([0, 1])) == scored(member, past_of([0, 1]))).all()

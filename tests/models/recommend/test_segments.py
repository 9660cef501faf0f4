"""Demand by segment: shrunk to everybody's, the less the more it is unlike them."""

import numpy as np
import pytest

from models.recommend.catalogue import Catalogue
from models.recommend.segments import LEAST_WEIGHT, BySegment, Part, parts_of, weight_of_all

ITEMS = ("tea", "pot", "cup", "jam")


def _segments(demand, people, **parts) -> BySegment:
    catalogue = Catalogue(ITEMS)
    made = {
        name: Part(ITEMS, np.array(wanted, float), np.array(wanted, float))
        for name, wanted in parts.items()
    }
    return BySegment(catalogue, np.array(demand, np.float32), np.array(people, float), made)


def test_the_weight_is_found_again_in_counts_drawn_with_it():
    """Known by construction: segments drawn from a Dirichlet of k = 60 round everybody."""
    rng = np.random.default_rng(1)
    whole = rng.integers(50, 500, 80).astype(float)
    shares = whole / whole.sum()
    found = []
    for _ in range(200):
        part = rng.multinomial(400, rng.dirichlet(60 * shares)).astype(float)
        found.append(weight_of_all(part, whole))
    assert np.median(found) == pytest.approx(60, rel=0.15)


def test_chance_alone_is_everybody():
    whole = np.array([400.0, 300.0, 200.0, 100.0])
    assert weight_of_all(whole / 10, whole) == np.inf
    assert weight_of_all(np.array([1.0, 0, 0, 0]), whole) == np.inf
    assert weight_of_all(np.zeros(4), whole) == np.inf


def test_an_unlike_segment_turns_the_order_and_the_formula_holds():
    people = [400.0, 300.0, 200.0, 100.0]
    own = [10.0, 0.0, 0.0, 190.0]
    found = _segments(people, people, students=own).wanted("students")
    assert found is not None
    weight = weight_of_all(np.array(own), np.array(people))
    assert LEAST_WEIGHT <= weight < np.inf
    expected = 1000 * (np.array(own) + weight * np.array(people) / 1000) / (200 + weight)
    np.testing.assert_allclose(found.scores, expected, rtol=1e-5)
    assert found.scores.argmax() == 3
    assert found.own.tolist() == [False, False, False, True]
    assert found.scores.sum() == pytest.approx(1000, rel=1e-5)


def test_few_events_move_little_and_more_move_more():
    people = np.array([400.0, 300.0, 200.0, 100.0])
    last = people[3]
    for times in (3, 30, 300, 3_000):
        own = [0.0, 0.0, 0.0, float(times)]
        found = _segments(people, people, some=own).wanted("some")
        assert found is not None
        assert found.scores[3] >= last
        last = found.scores[3]
    assert last > 900


def test_only_what_rises_with_everybody_rises_in_a_segment():
    demand = [5.0, 5.0, 5.0, 0.0]
    found = _segments(demand, [9.0, 9.0, 9.0, 9.0], few=[0.0, 0.0, 60.0, 999.0]).wanted("few")
    assert found is not None
    assert found.rows.tolist() == [0, 1, 2]
    assert found.scores.argmax() == 2
    segments = _segments(demand, [9.0, 9.0, 9.0, 9.0], few=[0.0, 0.0, 60.0, 999.0])
    scores, told = segments.mixed(["few"]) or ([], [])
    assert [float(one) > 0 for one in scores] == [True, True, True, False]
    assert [segments.speaker(told, row) for row in range(4)] == ["", "", "few", ""]


def test_what_does_not_rise_costs_nothing_however_much_there_is_of_it():
    many = 50_000
    demand, people = np.zeros(many, np.float32), np.zeros(many)
    demand[[7, 40_000]], people[[7, 40_000]] = [6.0, 2.0], [60.0, 20.0]
    catalogue = Catalogue([f"i{n}" for n in range(many)])
    part = Part(("i40000", "i9"), np.array([50.0, 50.0]), np.array([50.0, 50.0]))
    segments = BySegment(catalogue, demand, people, {"s": part})
    found, mixed = segments.wanted("s"), segments.mixed(["s"])
    assert found is not None
    assert mixed is not None
    assert (found.rows.tolist(), found.scores.shape) == ([7, 40_000], (2,))
    assert np.flatnonzero(mixed[0]).tolist() == [7, 40_000]
    assert mixed[0][40_000] > mixed[0][7]
    assert [segments.speaker(["s"], row) for row in (9, 7, 40_000, many - 1)] == ["", "", "s", ""]


def test_several_segments_are_mixed_and_the_one_that_wants_it_most_is_named():
    people = [100.0] * 4
    found = _segments(people, people, a=[90.0, 0, 0, 0], b=[0, 90.0, 0, 0], none=[0.0] * 4)
    mixed = found.mixed(["a", "b", "none", "unheard"])
    assert mixed is not None
    scores, told = mixed
    assert told == ["a", "b"]
    assert scores[0] == scores[1] > scores[2]
    assert [found.speaker(told, row) for row in range(4)] == ["a", "b", "", ""]
    assert found.mixed(["none", "unheard"]) is None
    assert found.wanted("unheard") is None
    assert found.names == {"a", "b", "none"}


def test_unknown_items_of_a_segment_are_passed_over():
    catalogue = Catalogue(ITEMS)
    part = Part(("gone", "tea"), np.array([50.0, 50.0]), np.array([50.0, 50.0]))
    demand = np.array([1.0, 9.0, 9.0, 9.0], np.float32)
    found = BySegment(catalogue, demand, np.full(4, 50.0), {"s": part}).wanted("s")
    assert found is not None
    assert found.own.tolist() == [True, False, False, False]


def test_names_are_read_without_their_versions():
    class Counted:
        items = ("tea",)
        by_others = np.ones(1)
        people: np.ndarray | None = np.ones(1)

    bare = Counted()
    bare.people = None
    assert set(parts_of({"vip@3": Counted(), "old@1": bare})) == {"vip"}

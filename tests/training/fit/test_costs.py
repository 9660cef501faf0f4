import pytest

from training.fit.costs import LATELY, Costs


def test_what_was_never_done_is_unknown():
    assert Costs().expected("a") == 0
    assert Costs().expected("a", unknown=3) == 3
    assert Costs().pace == 1


def test_costs_grow_with_size():
    costs = Costs()
    costs.took("a", 2.0, size=4)
    assert costs.expected("a", size=10) == pytest.approx(5)


def test_a_machine_that_slows_down_makes_all_that_is_to_come_longer():
    costs = Costs()
    for name in "abc":
        costs.took(name, 1.0)
    costs.took("a", 3.0)
    assert costs.pace == pytest.approx(3)
    assert costs.expected("b") == pytest.approx(3)
    # And what is new is put down as it would be at its best.
    costs.took("d", 6.0)
    assert costs.expected("d") == pytest.approx(6)
    for _ in range(int(LATELY) + 2):
        costs.took("b", 1.0)
    assert costs.pace == pytest.approx(1)
    assert costs.expected("d") == pytest.approx(2)


def test_a_first_time_that_was_too_long_says_nothing_of_the_pace():
    """The first time compiles."""
    costs = Costs()
    costs.took("a", 10.0)
    costs.took("a", 1.0)
    assert costs.pace == 1
    assert costs.expected("a") == pytest.approx(1)
    costs.took("a", 2.0)
    assert costs.pace == pytest.approx(1.5)


def test_what_depends_on_more_than_the_machine_does_not_tell():
    costs = Costs()
    costs.took("a", 1.0)
    costs.took("a", 9.0, tells=False)
    assert costs.pace == 1
    assert costs.expected("a") == pytest.approx(1)


def test_long_steps_outweigh_short_ones():
    costs = Costs()
    costs.took("short", 0.01)
    costs.took("long", 10.0)
    costs.took("long", 30.0)
    for _ in range(20):
        costs.took("short", 0.01)
    assert costs.pace > 2.9

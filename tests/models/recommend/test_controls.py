import math

import pytest

from domain.errors import BadField
from models.recommend.controls import (
    MAX_BASKET,
    MAX_CANDIDATES,
    MAX_CAPS,
    MAX_PINS,
    NO_CONTROLS,
    Cap,
    Controls,
    Objective,
    Pin,
    Task,
    check_controls,
    settled,
)


def check(
    controls: Controls, k: int = 20, exclude_seen: bool | None = None, item: str = ""
) -> None:
    check_controls(controls, k, exclude_seen, item)


def test_controls_that_ask_nothing_are_none_at_all():
    assert settled(Controls()) is NO_CONTROLS
    asked = Controls(objective=Objective.margin)
    assert settled(asked) is asked


@pytest.mark.parametrize(
    "controls",
    [
        NO_CONTROLS,
        Controls(caps=(Cap("category", 1), Cap("attributes.seller", 500))),
        Controls(pinned=(Pin("a", 1), Pin("b", 20))),
        Controls(after_days=0, shown_at_most=1, within_days=0.5, freshness=1),
        Controls(candidates=("a", "b"), pinned=(Pin("b", 1),)),
        Controls(task=Task.basket, basket=("a", "b")),
        Controls(task=Task.bought_together, basket=("a",)),
        Controls(task=Task.trending),
    ],
)
def test_what_may_be_asked_passes(controls: Controls):
    check(controls)


@pytest.mark.parametrize(
    ("controls", "field", "code"),
    [
        (Controls(caps=(Cap("category", 0),)), "caps[0].most", "out_of_range"),
        (Controls(caps=(Cap("category", 501),)), "caps[0].most", "out_of_range"),
        (Controls(caps=(Cap("item", 1),)), "caps[0].field", "bad_field"),
        (Controls(caps=(Cap("category", 1), Cap("attributes.", 1))), "caps[1].field", "bad_field"),
        (Controls(caps=(Cap("category", 1), Cap("category", 2))), "caps", "repeated"),
        (
            Controls(caps=tuple(Cap(f"attributes.{n}", 1) for n in range(MAX_CAPS + 1))),
            "caps",
            "too_many",
        ),
        (Controls(pinned=(Pin("a", 0),)), "pinned[0].place", "out_of_range"),
        (Controls(pinned=(Pin("a", 1), Pin("b", 21))), "pinned[1].place", "out_of_range"),
        (Controls(pinned=(Pin("a", 1), Pin("b", 1))), "pinned[1].place", "contradiction"),
        (Controls(pinned=(Pin("a", 1), Pin("a", 2))), "pinned", "repeated"),
        (
            Controls(pinned=tuple(Pin(str(n), 1) for n in range(MAX_PINS + 1))),
            "pinned",
            "too_many",
        ),
        (Controls(after_days=-1), "repeats.after_days", "out_of_range"),
        (Controls(after_days=math.nan), "repeats.after_days", "out_of_range"),
        (Controls(after_days=math.inf), "repeats.after_days", "out_of_range"),
        (Controls(shown_at_most=0), "repeats.shown_at_most", "out_of_range"),
        (Controls(within_days=4e9), "repeats.within_days", "out_of_range"),
        (Controls(freshness=math.nan), "freshness", "out_of_range"),
        (Controls(freshness=1.1), "freshness", "out_of_range"),
        (Controls(candidates=()), "items", "out_of_range"),
        (Controls(candidates=("a", "b", "a")), "items", "repeated"),
        (
            Controls(candidates=tuple(map(str, range(MAX_CANDIDATES + 1)))),
            "items",
            "too_many",
        ),
        (Controls(candidates=("a",), caps=(Cap("category", 1),)), "caps", "contradiction"),
        (Controls(candidates=("a",), after_days=1), "repeats", "contradiction"),
        (Controls(candidates=("a",), shown_at_most=1), "repeats", "contradiction"),
        (Controls(candidates=("a",), pinned=(Pin("b", 1),)), "pinned[0].item", "contradiction"),
        (Controls(task=Task.similar), "context.item", "missing"),
        (Controls(task=Task.bought_together), "context.item", "missing"),
        (Controls(basket=("a",)), "context.items", "contradiction"),
        (Controls(task=Task.basket, basket=("a", "a")), "context.items", "repeated"),
        (
            Controls(task=Task.basket, basket=tuple(map(str, range(MAX_BASKET + 1)))),
            "context.items",
            "too_many",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_by_field(controls: Controls, field: str, code: str):
    with pytest.raises(BadField) as refused:
        check(controls)
    assert (refused.value.field, refused.value.code) == (field, code)


def test_what_must_not_come_again_cannot_come_again_after_a_while():
    with pytest.raises(BadField) as refused:
        check(Controls(after_days=7), exclude_seen=True)
    assert refused.value.field == "repeats.after_days"
    check(Controls(after_days=7), exclude_seen=False)
    check(Controls(shown_at_most=7), exclude_seen=True)


def test_re_ranking_leaves_nothing_out():
    with pytest.raises(BadField) as refused:
        check(Controls(candidates=("a",)), exclude_seen=True)
    assert (refused.value.field, refused.value.code) == ("exclude_seen", "contradiction")

"""What a question may ask beyond who, how many and which: aim, caps, pins, repeats, freshness.

Plain values and their checks, one for the service and the batch job. Knows nothing of JSON,
catalogues or scores.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.errors import BadField
from models.recommend.filters import ATTRIBUTE

MAX_CAPS = 10
MAX_MOST = 500
MAX_PINS = 50
MAX_CANDIDATES = 500
MAX_BASKET = 100
MAX_DAYS = 3_650.0
MAX_SHOWN = 1_000
WITHIN_DAYS = 30.0
"""How far back impressions are counted unless the question says otherwise."""


class Task(StrEnum):
    """What sort of answer is wanted."""

    recommend = "recommend"
    basket = "basket"
    similar = "similar"
    bought_together = "bought_together"
    trending = "trending"


PERSONAL = frozenset({Task.recommend, Task.basket})
"""Tasks that are answered from a history; the others from items alone."""


class Objective(StrEnum):
    """What an answer is to bring about; click is what the model has learned to expect."""

    click = "click"
    purchase = "purchase"
    margin = "margin"


@dataclass(slots=True, frozen=True)
class Cap:
    """At most `most` items of any one value of `field`: `category` or `attributes.NAME`."""

    field: str
    most: int


@dataclass(slots=True, frozen=True)
class Pin:
    """An item and the place it is to stand at, from 1."""

    item: str
    place: int


@dataclass(slots=True, frozen=True)
class Controls:
    """What is asked of an answer besides the best k; the defaults ask nothing.

    after_days: what was bought less than so many days ago is held back, and nothing else for
    having been seen. shown_at_most: what was shown so often in the last `within_days` is held
    back. freshness: 0 to 1, how far the newly created are lifted. calibrated: categories in
    the shares they have in the history. candidates: the only items to rank, and all of them.
    basket: what is in the cart. segment: among whom it is to be in demand, "" for everybody.
    """

    task: Task = Task.recommend
    objective: Objective = Objective.click
    caps: tuple[Cap, ...] = ()
    pinned: tuple[Pin, ...] = ()
    after_days: float | None = None
    shown_at_most: int | None = None
    within_days: float = WITHIN_DAYS
    freshness: float = 0.0
    calibrated: bool = False
    candidates: tuple[str, ...] | None = None
    basket: tuple[str, ...] = ()
    segment: str = ""


NO_CONTROLS = Controls()


def settled(controls: Controls) -> Controls:
    """Answer NO_CONTROLS itself for controls that ask nothing: they are then not looked at."""
    return NO_CONTROLS if controls == NO_CONTROLS else controls


def check_controls(controls: Controls, k: int, exclude_seen: bool | None, item: str) -> None:
    """Refuse controls that are out of range or that contradict each other or the question.

    Raises BadField naming the field (codes bad_field, out_of_range, too_many, repeated,
    missing and contradiction).
    """
    _check_caps(controls.caps)
    _check_pins(controls.pinned, k)
    _within(controls.after_days, 0, MAX_DAYS, "repeats.after_days")
    _within(controls.shown_at_most, 1, MAX_SHOWN, "repeats.shown_at_most")
    _within(controls.within_days, 0, MAX_DAYS, "repeats.within_days")
    _within(controls.freshness, 0, 1, "freshness")
    if controls.after_days is not None and exclude_seen:
        raise _refuse("what was bought may come again, or nothing seen may", "repeats.after_days")
    _distinct(controls.basket, MAX_BASKET, "context.items")
    if controls.candidates is not None:
        _check_candidates(controls, exclude_seen)
    _check_task(controls, item)


def _check_caps(caps: tuple[Cap, ...]) -> None:
    if len(caps) > MAX_CAPS:
        raise BadField(f"at most {MAX_CAPS} caps", field="caps", code="too_many")
    for place, cap in enumerate(caps):
        name = cap.field.removeprefix(ATTRIBUTE)
        if cap.field != "category" and (name == cap.field or not name):
            raise BadField("category or attributes.NAME", field=f"caps[{place}].field")
        _within(cap.most, 1, MAX_MOST, f"caps[{place}].most")
    _distinct([cap.field for cap in caps], MAX_CAPS, "caps")


def _check_pins(pinned: tuple[Pin, ...], k: int) -> None:
    _distinct([pin.item for pin in pinned], MAX_PINS, "pinned")
    places: set[int] = set()
    for row, pin in enumerate(pinned):
        if not 1 <= pin.place <= k:
            raise BadField(
                "from 1 to the number of items asked for",
                field=f"pinned[{row}].place",
                code="out_of_range",
            )
        if pin.place in places:
            raise _refuse("two items at one place", f"pinned[{row}].place")
        places.add(pin.place)


def _check_candidates(controls: Controls, exclude_seen: bool | None) -> None:
    """Re-ranking keeps every candidate, so nothing may be asked that leaves items out."""
    assert controls.candidates is not None
    if not controls.candidates:
        raise BadField("at least one item to rank", field="items", code="out_of_range")
    _distinct(controls.candidates, MAX_CANDIDATES, "items")
    leaving_out = (
        ("caps", bool(controls.caps)),
        ("repeats", controls.after_days is not None or controls.shown_at_most is not None),
        ("exclude_seen", exclude_seen is True),
    )
    for field, asked in leaving_out:
        if asked:
            raise _refuse("re-ranking keeps every item; this leaves some out", field)
    candidates = set(controls.candidates)
    for row, pin in enumerate(controls.pinned):
        if pin.item not in candidates:
            raise _refuse("not among the items to rank", f"pinned[{row}].item")


def _check_task(controls: Controls, item: str) -> None:
    task = controls.task
    if task is Task.similar and not item:
        raise BadField("the item to be like", field="context.item", code="missing")
    if task is Task.bought_together and not item and not controls.basket:
        raise BadField("the item bought with", field="context.item", code="missing")
    if controls.segment and task is not Task.trending:
        raise _refuse("a segment goes with the task trending", "segment")
    if controls.basket and task not in (Task.basket, Task.bought_together):
        raise _refuse("several items go with the tasks basket and bought_together", "context.items")


def _refuse(message: str, field: str) -> BadField:
    return BadField(message, field=field, code="contradiction")


def _within(number: float | None, low: float, high: float, field: str) -> None:
    if number is not None and not (math.isfinite(number) and low <= number <= high):
        raise BadField(f"from {low:,} to {high:,.0f}", field=field, code="out_of_range")


def _distinct(values: Sequence[str], most: int, field: str) -> None:
    if len(values) > most:
        raise BadField(f"at most {most:,}", field=field, code="too_many")
    if len(set(values)) < len(values):
        raise BadField("the same one twice", field=field, code="repeated")

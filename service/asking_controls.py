"""The JSON of a question's controls: rules, task, objective, caps, pins, repeats, freshness.

Knows the wire's names; what they mean, and what contradicts what, is the business of
models.recommend.controls.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain.errors import BadField
from models.recommend.catalogue import token
from models.recommend.controls import (
    MAX_BASKET,
    MAX_CANDIDATES,
    MAX_CAPS,
    MAX_DAYS,
    MAX_MOST,
    MAX_PINS,
    MAX_SHOWN,
    NO_CONTROLS,
    WITHIN_DAYS,
    Cap,
    Controls,
    Objective,
    Pin,
    Task,
    settled,
)
from models.recommend.filters import ATTRIBUTE, MAX_BIAS, MAX_LIST, MAX_RULES, Rule
from service.shapes import MAX_NUMBER, Id, Text, check_id

Scalar = (
    Text
    | Annotated[float, Meta(ge=-MAX_NUMBER, le=MAX_NUMBER)]
    | Annotated[int, Meta(ge=-(10**15), le=10**15)]
    | bool
)
Scalars = Annotated[list[Scalar], Meta(min_length=1, max_length=MAX_LIST)]
TaskName = Annotated[
    Literal["recommend", "basket", "similar", "bought_together", "trending"],
    Meta(
        description="basket: the next basket, own habits included; similar: to context.item; "
        "bought_together: with context.item or context.items; trending: what is in demand now"
    ),
]
ObjectiveName = Annotated[
    Literal["click", "purchase", "margin"],
    Meta(
        description="click: as learned; purchase: weighed by how readily clicks on the item end "
        "in a purchase; margin: that, times what selling it brings (attribute margin, else its "
        "price). The answer says what was used"
    ),
]
Freshness = Annotated[float, Meta(ge=0, le=1, description="how far newly created items are lifted")]
Segment = Annotated[
    Text, Meta(description="with the task trending: in demand among those of a saved segment")
]
Days = Annotated[float, Meta(ge=0, le=MAX_DAYS)]
Candidates = Annotated[
    list[Id],
    Meta(
        min_length=1, max_length=MAX_CANDIDATES,
        description="re-rank these and nothing else: all come back, those that are unknown or "
        "may not be shown last and marked",
    ),
]  # fmt: skip
Basket = Annotated[
    list[Id], Meta(max_length=MAX_BASKET, description="what is in the cart, for basket and "
                   "bought_together; not shown again")
]  # fmt: skip


class RuleIn(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A bias on all items with a value."""

    field: Annotated[
        Text,
        Meta(
            description="item, category or attributes.NAME",
            extra_json_schema={"pattern": r"^(item|category|attributes\..+)$"},
        ),
    ]
    value: Scalar | Scalars
    bias: Annotated[
        float,
        Meta(
            ge=-1,
            le=MAX_BIAS,
            description="-1: must have it; 0: never; above 0: the score is multiplied",
        ),
    ]


class CapIn(msgspec.Struct, forbid_unknown_fields=True):
    """At most so many items of any one category, or of any one value of an attribute."""

    field: Annotated[
        Text,
        Meta(
            description="category (each that an item has counts) or attributes.NAME",
            extra_json_schema={"pattern": r"^(category|attributes\..+)$"},
        ),
    ]
    most: Annotated[int, Meta(ge=1, le=MAX_MOST)]


class PinIn(msgspec.Struct, forbid_unknown_fields=True):
    """An item at a place of its own. One that may not be shown is skipped, and told of."""

    item: Id
    place: Annotated[int, Meta(ge=1, le=MAX_MOST, description="from 1, at most k")]


class RepeatsIn(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """How soon an item may come again; what is held back comes only for want of others.

    With `after_days` nothing else is left out for having been seen.
    """

    after_days: Annotated[
        Days | None, Meta(description="bought less than so many days ago: not yet")
    ] = None
    shown_at_most: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_SHOWN)] | None,
        Meta(description="shown so often (impressions of the history): not again"),
    ] = None
    within_days: Annotated[
        Days, Meta(description="how far back impressions count for shown_at_most")
    ] = WITHIN_DAYS


class ControlsIn(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What may be asked of an answer besides its number and its filter."""

    rules: Annotated[list[RuleIn], Meta(max_length=MAX_RULES)] = []
    task: TaskName = "recommend"
    objective: ObjectiveName = "click"
    caps: Annotated[list[CapIn], Meta(max_length=MAX_CAPS)] = []
    pinned: Annotated[list[PinIn], Meta(max_length=MAX_PINS)] = []
    repeats: RepeatsIn | None = None
    freshness: Freshness = 0.0
    segment: Segment = ""
    items: Candidates | None = None


def asks_nothing(sent: ControlsIn) -> bool:
    """Tell whether all controls are left as they are."""
    return (
        sent.task == "recommend"
        and sent.objective == "click"
        and sent.items is None
        and not sent.caps
        and not sent.pinned
        and sent.repeats is None
        and sent.freshness == 0
        and not sent.segment
    )


def controls_of(sent: ControlsIn, basket: list[str], calibrated: bool) -> Controls:
    """Answer the controls as sent; raises BadField for what is no id."""
    if asks_nothing(sent) and not basket and not calibrated:
        return NO_CONTROLS
    for place, pin in enumerate(sent.pinned):
        check_id(pin.item, f"pinned[{place}].item")
    for place, item in enumerate(sent.items or ()):
        check_id(item, f"items[{place}]")
    for place, item in enumerate(basket):
        check_id(item, f"context.items[{place}]")
    repeats = sent.repeats or RepeatsIn()
    return settled(
        Controls(
            task=Task(sent.task),
            objective=Objective(sent.objective),
            caps=tuple([Cap(cap.field, cap.most) for cap in sent.caps]),
            pinned=tuple([Pin(pin.item, pin.place) for pin in sent.pinned]),
            after_days=repeats.after_days,
            shown_at_most=repeats.shown_at_most,
            within_days=repeats.within_days,
            freshness=sent.freshness,
            calibrated=calibrated,
            candidates=None if sent.items is None else tuple(sent.items),
            basket=tuple(basket),
            segment=sent.segment,
        )
    )


def rule_of(place: int, sent: RuleIn) -> Rule:
    """Answer a rule as sent; raises BadField naming it by its place."""
    values = sent.value if isinstance(sent.value, list) else [sent.value]
    if sent.field.startswith(ATTRIBUTE):
        keys = [token(value) for value in values]
    else:
        keys = [value for value in values if isinstance(value, str)]
        if len(keys) != len(values):
            raise BadField(
                "text, for items and categories", field=f"rules[{place}].value", code="bad_type"
            )
    return Rule(sent.field, tuple(dict.fromkeys(keys)), sent.bias)

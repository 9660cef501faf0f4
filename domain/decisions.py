"""Decisions: what we answered, with enough beside it to replay the answer."""

from typing import NamedTuple


class Decision(NamedTuple):
    """One logged answer.

    `entity` is the store's name of whom it was for ("" when nobody was named); `model` and
    `as_of` say what it was computed from; `propensities` has one entry an item, the
    probability with which the policy put it there; `request` is the request as JSON text
    without ids; `items` are those answered, best first.
    """

    decision_id: str
    at: int
    family: str
    entity: str
    model: str
    as_of: int
    items: tuple[str, ...]
    scores: tuple[float, ...]
    propensities: tuple[float, ...]
    fallback: str = ""
    variant: str = ""
    request: str = ""

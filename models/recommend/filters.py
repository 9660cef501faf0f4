"""What a caller may ask of the items: filters that admit, rules that must, never or boost.

Checked here once for the service and the batch job; turned into a mask and multipliers
over the catalogue, kept while the catalogue stands still. Knows nothing of JSON or scores.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.errors import BadField
from models.recommend.catalogue import NO_PRICE, Catalogue, Flags
from models.recommend.lookup import Indices

Boosts = npt.NDArray[np.float32]

MUST = -1.0
NEVER = 0.0
MAX_BIAS = 1_000.0
BOOST_CAP = 1e6
"""Multipliers of many rules stay finite, and above 0, in float32."""
MAX_LIST = 1_000
MAX_RULES = 100
MAX_CONDITIONS = 20
ATTRIBUTE = "attributes."
"""A rule's field is `item`, `category` or this prefix and an attribute's name."""


@dataclass(slots=True, frozen=True)
class Condition:
    """What an attribute must be: one of `keys` (see catalogue.token), or within a range."""

    name: str
    keys: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf


@dataclass(slots=True, frozen=True)
class Filter:
    """Which items may be answered; everything given must hold.

    any_categories: at least one of them; all_categories: each of them. low, high: micros,
    inclusive; an item without a price passes only when neither is given. available: True
    for what can be bought, False for what is sold out. allow: None for all. Hidden and
    expired items are never answered, whatever the filter says.
    """

    any_categories: tuple[str, ...] = ()
    all_categories: tuple[str, ...] = ()
    attributes: tuple[Condition, ...] = ()
    low: int | None = None
    high: int | None = None
    available: bool = True
    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True)
class Rule:
    """A bias on items: MUST keeps only them, NEVER drops them, above 0 multiplies scores.

    field: `item`, `category` or `attributes.NAME`. values: ids, categories, or tokens of
    attribute values; any of them counts.
    """

    field: str
    values: tuple[str, ...]
    bias: float


class Choice(NamedTuple):
    """What filter and rules come to: who may be shown, shape (n,), and the multipliers.

    `boosts` is None when no rule boosts, else float32 of shape (n,). Both are shared.
    """

    allowed: Flags
    boosts: Boosts | None


NO_FILTER = Filter()


def _refuse(message: str, field: str) -> BadField:
    return BadField(message, field=field, code="contradiction")


def check_filter(chosen: Filter) -> None:
    """Refuse a filter that is too long or that nothing could pass.

    Raises BadField (code too_many or contradiction) naming the field.
    """
    lists = (
        ("filter.categories.any", chosen.any_categories),
        ("filter.categories.all", chosen.all_categories),
        ("filter.allow", chosen.allow or ()),
        ("filter.deny", chosen.deny),
        *((f"filter.attributes.{one.name}", one.keys) for one in chosen.attributes),
    )
    for field, values in lists:
        if len(values) > MAX_LIST:
            raise BadField(f"at most {MAX_LIST:,} values", field=field, code="too_many")
    if len(chosen.attributes) > MAX_CONDITIONS:
        raise BadField(
            f"at most {MAX_CONDITIONS} attributes", field="filter.attributes", code="too_many"
        )
    if chosen.low is not None and chosen.high is not None and chosen.low > chosen.high:
        raise _refuse("min is above max", "filter.price")
    for one in chosen.attributes:
        if not one.low <= one.high:
            raise _refuse("min is above max", f"filter.attributes.{one.name}")
    if chosen.allow is not None:
        if not chosen.allow:
            raise _refuse("an empty allow list admits nothing", "filter.allow")
        if not set(chosen.allow).isdisjoint(chosen.deny):
            raise _refuse("an item is both allowed and denied", "filter.deny")


def check_rules(rules: tuple[Rule, ...], chosen: Filter = NO_FILTER) -> None:
    """Refuse rules that cannot be understood or that contradict each other or the filter.

    Raises BadField (code bad_field, too_many or contradiction) naming the rule.
    """
    if len(rules) > MAX_RULES:
        raise BadField(f"at most {MAX_RULES} rules", field="rules", code="too_many")
    never: set[tuple[str, str]] = set()
    for place, rule in enumerate(rules):
        name = rule.field.removeprefix(ATTRIBUTE)
        if rule.field not in ("item", "category") and (name == rule.field or not name):
            raise BadField("item, category or attributes.NAME", field=f"rules[{place}].field")
        if not 1 <= len(rule.values) <= MAX_LIST:
            raise BadField(f"1 to {MAX_LIST:,} values", field=f"rules[{place}].value")
        if rule.bias != MUST and not 0 <= rule.bias <= MAX_BIAS:
            raise BadField(
                "-1 (must), 0 (never) or a multiplier up to 1,000", field=f"rules[{place}].bias"
            )
        if rule.bias == NEVER:
            never.update((rule.field, value) for value in rule.values)
    for place, rule in enumerate(rules):
        if rule.bias == MUST and never.issuperset((rule.field, value) for value in rule.values):
            raise _refuse("must and never on the same value", f"rules[{place}]")
    if any(("category", category) in never for category in chosen.all_categories):
        raise _refuse("a category is both required and never wanted", "filter.categories.all")


class Masks:
    """Filters and rules over one catalogue, each worked out once a revision of it.

    Keeps the `room` most recently used; allow and deny lists are not part of what is kept,
    so that a list a user does not fill it.
    """

    def __init__(self, catalogue: Catalogue, room: int = 64) -> None:
        self._catalogue = catalogue
        self._room = room
        self._revision = -1
        self._kept: OrderedDict[tuple[object, ...], Choice] = OrderedDict()

    def choose(self, chosen: Filter, rules: tuple[Rule, ...]) -> Choice | None:
        """Answer what `chosen` (but for its lists) and `rules` come to, None for anything."""
        if not rules and not (
            chosen.any_categories
            or chosen.all_categories
            or chosen.attributes
            or chosen.low is not None
            or chosen.high is not None
        ):
            return None
        if self._revision != self._catalogue.revision:
            self._kept.clear()
            self._revision = self._catalogue.revision
        key = (
            chosen.any_categories,
            chosen.all_categories,
            chosen.attributes,
            chosen.low,
            chosen.high,
            rules,
        )
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = choice(self._catalogue, chosen, rules)
            if len(self._kept) > self._room:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return kept


def choice(catalogue: Catalogue, chosen: Filter, rules: tuple[Rule, ...]) -> Choice:
    """Work out who passes `chosen` (but for its lists) and `rules`, and their multipliers."""
    allowed = np.ones(catalogue.size, np.bool_)
    if chosen.any_categories:
        allowed &= _flags(catalogue, [catalogue.in_category(c) for c in chosen.any_categories])
    for category in chosen.all_categories:
        allowed &= _flags(catalogue, [catalogue.in_category(category)])
    for one in chosen.attributes:
        allowed &= _flags(catalogue, _matching(catalogue, one))
    if chosen.low is not None or chosen.high is not None:
        prices = catalogue.prices
        allowed &= prices != NO_PRICE
        if chosen.low is not None:
            allowed &= prices >= chosen.low
        if chosen.high is not None:
            allowed &= prices <= chosen.high
    boosts: Boosts | None = None
    for rule in rules:
        flags = _flags(catalogue, [_of(catalogue, rule.field, value) for value in rule.values])
        if rule.bias == MUST:
            allowed &= flags
        elif rule.bias == NEVER:
            allowed &= ~flags
        else:
            if boosts is None:
                boosts = np.ones(catalogue.size, np.float32)
            lifted = boosts[flags] * np.float32(max(rule.bias, 1 / BOOST_CAP))
            boosts[flags] = np.clip(lifted, 1 / BOOST_CAP, BOOST_CAP)
    allowed.flags.writeable = False
    return Choice(allowed, boosts)


def admit(catalogue: Catalogue, chosen: Filter, allowed: Flags) -> None:
    """Narrow `allowed` (written to) by the filter's allow and deny lists."""
    if chosen.allow is not None:
        listed = np.zeros(allowed.size, np.bool_)
        listed[_ids(catalogue, chosen.allow)] = True
        allowed &= listed
    if chosen.deny:
        allowed[_ids(catalogue, chosen.deny)] = False


def _ids(catalogue: Catalogue, ids: tuple[str, ...]) -> list[int]:
    return [index for index in map(catalogue.index, ids) if index >= 0]


def _matching(catalogue: Catalogue, one: Condition) -> list[Indices]:
    if one.keys:
        return [catalogue.with_value(one.name, key) for key in one.keys]
    return [catalogue.with_number(one.name, one.low, one.high)]


def _of(catalogue: Catalogue, field: str, value: str) -> Indices:
    if field == "category":
        return catalogue.in_category(value)
    if field == "item":
        index = catalogue.index(value)
        return np.array([index] if index >= 0 else [], np.int32)
    return catalogue.with_value(field.removeprefix(ATTRIBUTE), value)


def _flags(catalogue: Catalogue, groups: list[Indices]) -> Flags:
    flags = np.zeros(catalogue.size, np.bool_)
    for rows in groups:
        flags[rows] = True
    return flags

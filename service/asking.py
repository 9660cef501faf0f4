"""The JSON of a question for recommendations, and what it comes to once it is checked.

Knows the wire's names and units; what may be asked is the business of models.recommend.
"""

from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import UNSET, Meta, UnsetType, field

from domain.errors import BadField
from domain.events import FUTURE_TOLERANCE_MS, Kind, parse_at, parse_kind
from domain.ids import hash64
from domain.money import to_micros
from models.recommend.ask import MAX_K, Ask, Asker, Origin, check_ask
from models.recommend.catalogue import token
from models.recommend.filters import (
    MAX_CONDITIONS,
    MAX_LIST,
    NO_FILTER,
    Condition,
    Filter,
)
from service.asking_controls import (
    Basket,
    CapIn,
    ControlsIn,
    Days,
    Freshness,
    ObjectiveName,
    PinIn,
    RepeatsIn,
    RuleIn,
    Scalar,
    Scalars,
    asks_nothing,
    controls_of,
    rule_of,
)
from service.codec import OneDecoder
from service.http import Request, query_of
from service.shapes import MAX_NUMBER, At, Name, OptionalId, Price, Text, check_id

MAX_HISTORY = 1_000
DEFAULT_K = 20

Number = Annotated[float, Meta(ge=-MAX_NUMBER, le=MAX_NUMBER)]
Texts = Annotated[list[Text], Meta(max_length=MAX_LIST)]
Ids = Annotated[list[Text], Meta(max_length=MAX_LIST)]
K = Annotated[int, Meta(ge=1, le=MAX_K, description="how many items")]
Explore = Annotated[
    float,
    Meta(ge=0, le=1, description="share of the places filled to learn, at most the deployment's"),
]
Unlike = Annotated[
    float, Meta(ge=0, le=1, description="0: the best whatever they are; 1: as unlike as can be")
]
Diversity = (
    Unlike
    | Annotated[Literal["calibrated"], Meta(description="categories in the shares the history has")]
)


class PastIn(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """One event of a history that came with the question."""

    item: Text
    kind: Annotated[str, Meta(extra_json_schema={"enum": [kind.name for kind in Kind]})] = "click"
    at: At | None = None


class ContextIn(msgspec.Struct, omit_defaults=True):
    """Where the answer will be shown; names other than these are let pass."""

    item: Annotated[OptionalId, Meta(description="the item in view: answers go with it")] = None
    items: Basket = []
    page: Annotated[Any, Meta(description="text: on which page or screen, such as home")] = ""
    device: Annotated[Any, Meta(description="text: such as mobile or desktop")] = ""


class Categories(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """At least one of `any`, and each of `all`."""

    any: Texts = []
    all: Texts = []


class Wanted(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What an attribute must be: a value, one of several, or a number in a range."""

    equals: Scalar | None = None
    in_: Scalars | None = field(default=None, name="in")
    min: Number | None = None
    max: Number | None = None


class PriceRange(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Units of the house currency, inclusive."""

    min: Price | None = None
    max: Price | None = None


class FilterIn(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Which items may be answered; all that is given must hold."""

    categories: Annotated[
        Texts | Categories | None, Meta(description="a bare list means any of them")
    ] = None
    attributes: Annotated[
        dict[Name, Scalar | Scalars | Wanted],
        Meta(max_length=MAX_CONDITIONS, description="a bare value: equals it; a list: one of"),
    ] = {}
    price: PriceRange | None = None
    available: Annotated[
        bool, Meta(description="true: only what can be bought; false: only what is sold out")
    ] = True
    allow: Ids | None = None
    deny: Ids = []


class AskIn(ControlsIn, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A question: for a user, a session, the history that comes with it, or nobody."""

    user: OptionalId = None
    session: OptionalId = None
    history: (
        Annotated[list[PastIn], Meta(max_length=MAX_HISTORY, description="oldest first")] | None
    ) = None
    k: Annotated[
        K | UnsetType,
        Meta(description=f"absent: {DEFAULT_K}, and of items to re-rank all of them"),
    ] = UNSET
    context: ContextIn | None = None
    exclude_seen: Annotated[
        bool | None, Meta(description="absent: as the log shows that people come back or not")
    ] = None
    filter: FilterIn | None = None
    diversity: Diversity = 0.0
    explain: Annotated[bool, Meta(description="say why, for every place")] = False
    explore: Explore | None = None


QUERY: dict[str, tuple[object, str]] = {
    "user": (str, "whose history"),
    "session": (str, "whose history, of an anonymous visit"),
    "item": (str, "the item in view"),
    "k": (K, "how many items"),
    "exclude_seen": (bool, "leave out what was seen; true or false"),
    "categories": (str, "any of these, separated by commas"),
    "price_min": (Price, "units of the house currency"),
    "price_max": (Price, "units of the house currency"),
    "available": (bool, "true: what can be bought; false: what is sold out"),
    "diversity": (Diversity, "0 to 1, or calibrated"),
    "objective": (ObjectiveName, "click, purchase or margin"),
    "freshness": (Freshness, "0 to 1"),
    "after_days": (Days, "what was bought less than so long ago is held back"),
    "items": (str, "re-rank these, separated by commas, and nothing else"),
    "explain": (bool, "say why"),
    "explore": (Explore, "0: fill no place to learn"),
    "page": (str, "on which page or screen"),
    "device": (str, "such as mobile or desktop"),
}
"""What a GET may ask: name -> (type, what it means)."""

_QUERY_NAMES = frozenset(QUERY)
_NAMES = sorted(
    {
        one.encode_name
        for kind in (
            *(AskIn, ContextIn, FilterIn, Categories, Wanted, PriceRange, RuleIn, PastIn),
            *(CapIn, PinIn, RepeatsIn),
        )
        for one in msgspec.structs.fields(kind)
    }
)
_decode = OneDecoder(AskIn)
_encode = msgspec.json.Encoder().encode


def ask_of_body(request: Request) -> AskIn:
    """Decode a POST; raises BadBody or BadField, with the nearest name for an unknown one."""
    try:
        return _decode(request.body)
    except BadField as error:
        if error.code == "unknown_field":
            near = get_close_matches(error.field.rpartition(".")[2], _NAMES, 1)
            hint = f"unknown field; did you mean {near[0]}?" if near else "unknown field"
            raise BadField(hint, field=error.field, code=error.code) from error
        raise


def ask_of_query(
    request: Request,
    allowed: frozenset[str] = _QUERY_NAMES,
    task: str = "recommend",
    item: str = "",
) -> AskIn:
    """Read the question of a GET; raises BadField.

    allowed: the names it may have. task, item: what the path has said.
    """
    found = query_of(request, allowed)
    if item:
        found["item"] = item
    wanted: dict[str, object] = {name: found[name] for name in ("user", "session") if name in found}
    wanted["task"] = task
    for name in ("k", "exclude_seen", "freshness", "explain", "explore"):
        if name in found:
            wanted[name] = _typed(found[name], QUERY[name][0], name)
    if "objective" in found:
        wanted["objective"] = found["objective"]
    if "diversity" in found:
        text = found["diversity"]
        wanted["diversity"] = text if text == "calibrated" else _typed(text, Unlike, "diversity")
    if "segment" in found:
        wanted["segment"] = found["segment"]
    if "after_days" in found:
        wanted["repeats"] = {"after_days": _typed(found["after_days"], Days, "after_days")}
    if "items" in found:
        wanted["items"] = found["items"].split(",")
    context = {name: found[name] for name in ("item", "page", "device") if name in found}
    if context:
        wanted["context"] = context
    if chosen := _filter_of_query(found):
        wanted["filter"] = chosen
    return _decode(_encode(wanted))


def _filter_of_query(found: dict[str, str]) -> dict[str, object]:
    chosen: dict[str, object] = {}
    if found.get("categories"):
        chosen["categories"] = found["categories"].split(",")
    if found.get("category"):
        chosen["categories"] = {"all": [found["category"]]}
        if "categories" in found:
            raise BadField("category or categories", field="category", code="contradiction")
    if "available" in found:
        chosen["available"] = _typed(found["available"], bool, "available")
    price = {end: found[f"price_{end}"] for end in ("min", "max") if f"price_{end}" in found}
    if price:
        chosen["price"] = price
    return chosen


def _typed(text: str, kind: object, name: str) -> object:
    try:
        return msgspec.convert(text.lower() if kind is bool else text, kind, strict=False)
    except msgspec.ValidationError as error:
        raise BadField(str(error).replace("`", ""), field=name, code="bad_value") from error


def entity_of(sent: AskIn) -> tuple[Origin, str]:
    """Answer whose history is asked for, and their id; raises BadField for several at once."""
    given = [name for name in ("user", "session") if getattr(sent, name)]
    if sent.history is not None:
        given.append("history")
    if len(given) > 1:
        raise BadField(
            "one of user, session and history, not several", field=given[1], code="contradiction"
        )
    if not given or given[0] == "history":
        return (Origin.history if given else Origin.nobody), ""
    name = given[0]
    return Origin(name), check_id(getattr(sent, name), name)


@lru_cache(maxsize=MAX_K)
def _plain(k: int) -> Ask:
    return check_ask(Ask(k=k))


def ask_of(sent: AskIn) -> Ask:
    """Answer the checked question; raises BadField for what contradicts itself."""
    if (
        sent.context is None
        and sent.exclude_seen is None
        and sent.filter is None
        and not sent.rules
        and sent.diversity == 0
        and not sent.explain
        and asks_nothing(sent)
    ):
        return _plain(DEFAULT_K if sent.k is UNSET else sent.k)
    context = sent.context or ContextIn()
    item = context.item
    if item:
        check_id(item, "context.item")
    calibrated = sent.diversity == "calibrated"
    page, device = scene_of(sent)
    k = sent.k
    if k is UNSET:
        k = DEFAULT_K if sent.items is None else len(sent.items)
    return check_ask(
        Ask(
            k=k,
            item=item or "",
            exclude_seen=sent.exclude_seen,
            chosen=NO_FILTER if sent.filter is None else _filter(sent.filter),
            rules=tuple([rule_of(*row) for row in enumerate(sent.rules)]) if sent.rules else (),
            diversity=0.0 if isinstance(sent.diversity, str) else sent.diversity,
            explain=sent.explain,
            controls=controls_of(sent, context.items, calibrated),
            device=device,
            page=page,
        )
    )


def _filter(sent: FilterIn) -> Filter:
    categories = sent.categories
    if not isinstance(categories, Categories):
        categories = Categories(any=categories or [])
    price = sent.price or PriceRange()
    return Filter(
        any_categories=tuple(dict.fromkeys(categories.any)),
        all_categories=tuple(dict.fromkeys(categories.all)),
        attributes=tuple(_condition(name, want) for name, want in sent.attributes.items()),
        low=_micros(price.min, "filter.price.min"),
        high=_micros(price.max, "filter.price.max"),
        available=sent.available,
        allow=None if sent.allow is None else tuple(dict.fromkeys(sent.allow)),
        deny=tuple(dict.fromkeys(sent.deny)),
    )


def _micros(amount: float | int | str | None, name: str) -> int | None:
    if amount is None:
        return None
    try:
        return to_micros(amount)
    except ValueError as error:
        raise BadField("an amount of at most 1e9 units", field=name) from error


def _condition(name: str, want: Scalar | list[Scalar] | Wanted) -> Condition:
    place = f"filter.attributes.{name}"
    if isinstance(want, list):
        return Condition(name, tuple(dict.fromkeys(map(token, want))))
    if not isinstance(want, Wanted):
        return Condition(name, (token(want),))
    ranged = want.min is not None or want.max is not None
    if (want.equals is not None) + (want.in_ is not None) + ranged != 1:
        raise BadField("one of equals, in, and min with max", field=place, code="contradiction")
    if want.equals is not None:
        return Condition(name, (token(want.equals),))
    if want.in_ is not None:
        return Condition(name, tuple(dict.fromkeys(map(token, want.in_))))
    low = -np.inf if want.min is None else want.min
    return Condition(name, (), low, np.inf if want.max is None else want.max)


def asker_of(history: list[PastIn], now_ms: int) -> Asker:
    """Answer the history that came with a question; raises BadField.

    An event without a time happened just now; the given order decides among equal times.
    """
    ats: list[int] = []
    for place, event in enumerate(history):
        check_id(event.item, f"history[{place}].item")
        try:
            at = now_ms if event.at is None else parse_at(event.at, now_ms)
            parse_kind(event.kind)
        except BadField as error:
            name = f"history[{place}].{error.field}"
            raise BadField(error.message, field=name, code=error.code) from error
        except OverflowError as error:
            raise BadField("outside 1970 to 2200", field=f"history[{place}].at") from error
        if at > now_ms + FUTURE_TOLERANCE_MS:
            raise BadField("in the future", field=f"history[{place}].at", code="in_future")
        ats.append(at)
    order = np.argsort(np.array(ats, np.int64), kind="stable")
    return Asker(
        Origin.history,
        np.array([hash64(event.item) for event in history], np.uint64)[order],
        np.array([Kind[event.kind] for event in history], np.uint8)[order],
        np.array(ats, np.int64)[order],
    )


def scene_of(sent: AskIn) -> tuple[str, str]:
    """Answer page and device of a question; "" for what is not said, or said as no text."""
    context = sent.context
    if context is None:
        return "", ""
    page, device = context.page, context.device
    return page if isinstance(page, str) else "", device if isinstance(device, str) else ""

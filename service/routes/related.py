"""What goes with an item, and what is in demand: short cuts to questions of other sorts.

Each is a question that POST /v1/recommendations also takes, as a link that may be typed. Knows
nothing of how it is answered: see recommendations.
"""

from service.asking import QUERY, AskIn, ask_of_query
from service.context import Context
from service.http import Reply, Request, Route
from service.routes.recommendation_rows import Answer
from service.routes.recommendations import answer_to
from service.shapes import check_id

SIMILAR = "/v1/items/{item}/similar"
TOGETHER = "/v1/items/{item}/bought-together"
TRENDING = "/v1/trending"
_ABOUT_ITEM = {name: QUERY[name] for name in QUERY if name != "item"}
_ABOUT_TREND = {
    "category": (str, "of this category"),
    "segment": (str, "among those of this saved segment"),
    **_ABOUT_ITEM,
}
_ITEM_NAMES = frozenset(_ABOUT_ITEM)


def _about_item(request: Request, task: str) -> AskIn:
    return ask_of_query(request, _ITEM_NAMES, task, check_id(request.param, "item"))


async def get_similar(context: Context, request: Request) -> Reply:
    """Answer what is like an item."""
    return await answer_to(context, _about_item(request, "similar"))


async def get_bought_together(context: Context, request: Request) -> Reply:
    """Answer what is bought together with an item."""
    return await answer_to(context, _about_item(request, "bought_together"))


async def get_trending(context: Context, request: Request) -> Reply:
    """Answer what is in demand now, of a category or of all, in a segment or everywhere."""
    return await answer_to(context, ask_of_query(request, _TREND_NAMES, "trending"))


_TREND_NAMES = frozenset(_ABOUT_TREND)
_NOTE = (
    " What is asked for comes first; places it cannot fill are filled for everybody and say so "
    "in `fallback`. An item that nobody knows is counted in `unknown_items`. With a user or a "
    "session, what they have seen is left out as in other answers."
)

ROUTES = (
    Route(
        "GET", SIMILAR, get_similar, "What is like an item", "recommendations",
        replies={200: Answer}, query=_ABOUT_ITEM,
        description="By what the members of the model say, or by categories for an item too new "
        "for it." + _NOTE,
    ),
    Route(
        "GET", TOGETHER, get_bought_together, "What goes with an item, whichever came first",
        "recommendations", replies={200: Answer}, query=_ABOUT_ITEM,
        description="By the item graph, in both directions; then by likeness." + _NOTE,
    ),
    Route(
        "GET", TRENDING, get_trending, "What is in demand now", "recommendations",
        replies={200: Answer}, query=_ABOUT_TREND,
        description="As the log writer last counted it, recent events counting more, everybody "
        "once an item. What few in a segment want counts for little beside what everybody wants; "
        "a segment that nobody saved answers 404, code no_segment." + _NOTE,
    ),
)  # fmt: skip

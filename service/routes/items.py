"""/v1/items: the catalogue, one item or up to 1,000 at a time, and its listing page by page.

Knows how items arrive; their JSON is in item_rows. A change counts in the next answer of
every worker, because each read brings the catalogue's version (see service.live_catalogue).
"""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from domain.clock import Clock
from domain.errors import BadField, CallerError, NotFound
from domain.ids import is_valid_id
from domain.items import Item
from service.codec import OneDecoder, Rejected, Rows, RowsDecoder
from service.context import Context
from service.cursors import make_cursor, read_cursor
from service.http import Reply, Request, Route, header, json_reply, query_of
from service.routes.item_rows import (
    DeletedReply,
    ItemIn,
    ItemName,
    ItemPatch,
    ItemPatchRow,
    ItemReply,
    ItemRow,
    PageReply,
    StoredReply,
    item_of,
    item_reply,
    patched,
)
from service.shapes import check_id

MAX_BODY = 1 << 18
MAX_BULK = 1 << 22
PAGE = 100
MAX_PAGE = 500
_LISTING = "items"
_PAGE_QUERY = frozenset({"limit", "cursor"})

_decode_item = OneDecoder(ItemIn)
_decode_patch = OneDecoder(ItemPatch)
_decode_items = RowsDecoder(ItemRow)
_decode_patches = RowsDecoder(ItemPatchRow)
_decode_names = RowsDecoder(ItemName)


class _Named(Protocol):
    @property
    def item(self) -> str: ...


_Row = TypeVar("_Row", bound=_Named)
_Sent = TypeVar("_Sent")
_Make = Callable[[str, _Sent, Item | None, Clock], Item]


def _path_id(request: Request, repeated: str | None) -> str:
    item_id = check_id(request.param, "item")
    if repeated and repeated != item_id:
        raise BadField("differs from the path", field="item")
    return item_id


async def _edit_one(context: Context, item_id: str, sent: _Sent, make: _Make[_Sent]) -> Item:
    def edit(known: Mapping[str, Item]) -> list[Item]:
        return [make(item_id, sent, known.get(item_id), context.clock)]

    return (await context.store.edit_items([item_id], edit))[0]


async def put_item(context: Context, request: Request) -> Reply:
    """Create or replace one item."""
    sent = _decode_item(request.body)
    item_id = _path_id(request, sent.item)
    return json_reply(item_reply(await _edit_one(context, item_id, sent, item_of)))


async def patch_item(context: Context, request: Request) -> Reply:
    """Change part of one item."""
    sent = _decode_patch(request.body)
    item_id = _path_id(request, sent.item)
    return json_reply(item_reply(await _edit_one(context, item_id, sent, patched)))


async def get_item(context: Context, request: Request) -> Reply:
    """Answer one item."""
    item = (await context.store.get_items([check_id(request.param, "item")]))[0]
    if item is None:
        raise NotFound("no such item", field="item")
    return json_reply(item_reply(item))


async def delete_item(context: Context, request: Request) -> Reply:
    """Delete one item."""
    deleted = await context.store.delete_items([check_id(request.param, "item")])
    if not deleted:
        raise NotFound("no such item", field="item")
    return json_reply(DeletedReply(deleted, []))


def _checked(
    found: Rows[_Row], known: Mapping[str, Item], make: _Make[_Row], clock: Clock
) -> tuple[list[Item], list[Rejected]]:
    """Make the items of the rows that pass; a later row of an item builds on an earlier one."""
    items: dict[str, Item] = {}
    rejected: list[Rejected] = []
    for place, row in zip(found.places, found.rows, strict=True):
        try:
            items[row.item] = make(row.item, row, items.get(row.item) or known.get(row.item), clock)
        except CallerError as error:
            if found.single:
                raise
            rejected.append(Rejected(place, error.code, error.field, error.message))
    return list(items.values()), rejected


async def _write_rows(
    context: Context, request: Request, decode: RowsDecoder[_Row], make: _Make[_Row]
) -> Reply:
    found = decode(request.body, header(request, b"content-type"))
    ids = list({row.item for row in found.rows if is_valid_id(row.item)})
    refused: list[Rejected] = []

    def edit(known: Mapping[str, Item]) -> list[Item]:
        items, refused[:] = _checked(found, known, make, context.clock)
        return items

    items = await context.store.edit_items(ids, edit) if ids else edit({})
    found.rejected.extend(refused)
    return json_reply(StoredReply(len(items), _told(context, found)))


def _told(context: Context, found: Rows[_Row]) -> list[Rejected]:
    for rejected in found.rejected:
        context.metrics.rejects.labels("/v1/items", rejected.code).inc()
    return sorted(found.rejected, key=lambda rejected: rejected.index)


async def put_items(context: Context, request: Request) -> Reply:
    """Create or replace many items."""
    return await _write_rows(context, request, _decode_items, item_of)


async def patch_items(context: Context, request: Request) -> Reply:
    """Change part of many items."""
    return await _write_rows(context, request, _decode_patches, patched)


async def delete_items(context: Context, request: Request) -> Reply:
    """Delete many items; unknown ones are no fault."""
    found = _decode_names(request.body, header(request, b"content-type"))
    ids: dict[str, None] = {}
    for place, row in zip(found.places, found.rows, strict=True):
        try:
            ids[check_id(row.item, "item")] = None
        except BadField as error:
            if found.single:
                raise
            found.rejected.append(Rejected(place, error.code, error.field, error.message))
    deleted = await context.store.delete_items(list(ids)) if ids else 0
    return json_reply(DeletedReply(deleted, _told(context, found)))


async def list_items(context: Context, request: Request) -> Reply:
    """Answer a page of the catalogue."""
    query = query_of(request, _PAGE_QUERY)
    limit = _limit(query.get("limit", ""))
    now = context.clock()
    place = read_cursor(_LISTING, query["cursor"], now) if query.get("cursor") else ""
    page = await context.store.page_items(place, limit)
    cursor = make_cursor(_LISTING, page.cursor, now) if page.cursor else ""
    return json_reply(PageReply([item_reply(item) for item in page.items], cursor))


def _limit(text: str) -> int:
    if not text:
        return PAGE
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MAX_PAGE):
        raise BadField(f"a whole number from 1 to {MAX_PAGE}", field="limit")
    return int(text)


_MANY = (
    "One item, a JSON array of them, or one a line (NDJSON); plain or gzip; at most 1,000 items "
    "and 4 MiB. Refused rows come back with their index and the reason and cost no good "
    "neighbour; a body that is one bare item and refused answers 400."
)

ROUTES = (
    Route(
        "PUT", "/v1/items/{item}", put_item, "Create or replace an item", "items",
        body=ItemIn, replies={200: ItemReply}, body_cap=MAX_BODY, errors=(503,),
    ),
    Route(
        "PATCH", "/v1/items/{item}", patch_item, "Change part of an item", "items",
        body=ItemPatch, replies={200: ItemReply}, body_cap=MAX_BODY, errors=(404, 503),
    ),
    Route(
        "GET", "/v1/items/{item}", get_item, "An item as it stands", "items",
        replies={200: ItemReply}, errors=(404, 503),
    ),
    Route(
        "DELETE", "/v1/items/{item}", delete_item, "Delete an item", "items",
        replies={200: DeletedReply}, errors=(404, 503),
    ),
    Route(
        "PUT", "/v1/items", put_items, "Create or replace many items", "items",
        body=ItemRow, many=True, replies={200: StoredReply}, body_cap=MAX_BULK, errors=(503,),
        description=_MANY,
    ),
    Route(
        "PATCH", "/v1/items", patch_items, "Change part of many items", "items",
        body=ItemPatchRow, many=True, replies={200: StoredReply}, body_cap=MAX_BULK,
        errors=(404, 503), description=_MANY,
    ),
    Route(
        "DELETE", "/v1/items", delete_items, "Delete many items", "items",
        body=ItemName, many=True, replies={200: DeletedReply}, body_cap=MAX_BULK, errors=(503,),
        description=_MANY + " An item that does not exist is no fault.",
    ),
    Route(
        "GET", "/v1/items", list_items, "List the catalogue, page by page", "items",
        query={
            "limit": (int, f"1 to {MAX_PAGE}; default {PAGE}"),
            "cursor": (str, "from the page before; valid for a day"),
        },
        replies={200: PageReply}, errors=(503,),
        description="A cursor that was changed or has expired answers 400, code bad_cursor.",
    ),
)  # fmt: skip
"""The catalogue's lines of the table."""

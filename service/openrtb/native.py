"""Native advertisements: what a request asks for, what a creative has, and the two put together.

The request is JSON within a string and often the same one again, so that its reading is kept.
Knows nothing of prices or campaigns.
Source: IAB Tech Lab, OpenRTB Dynamic Native Ads API 1.2, sections 4 and 5 (and 1.0's root).
"""

from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from domain.opportunities import Asset

KEPT = 4_096
MAX_ASSETS = 64
ROOTED = "1.0"
"""The version whose documents have a root called native."""


class _Sized(Struct, gc=False):
    len: int | None = None
    type: int | None = None
    w: int | None = None
    h: int | None = None
    wmin: int | None = None
    hmin: int | None = None
    mimes: tuple[str, ...] | None = None


class _Wanted(Struct, gc=False):
    id: int
    required: int = 0
    title: _Sized | None = None
    img: _Sized | None = None
    data: _Sized | None = None
    video: _Sized | None = None


class _Markup(Struct, gc=False):
    assets: tuple[_Wanted, ...] = ()
    ver: str = ""


class _Rooted(Struct, gc=False):
    native: _Markup | None = None
    assets: tuple[_Wanted, ...] = ()
    ver: str = ""


class _Text(Struct, gc=False):
    text: str = ""
    value: str = ""
    url: str = ""
    type: int = 0
    w: int = 0
    h: int = 0
    mime: str = ""


class _Held(Struct, gc=False):
    title: _Text | None = None
    img: _Text | None = None
    data: _Text | None = None


class _Creative(Struct, gc=False):
    assets: tuple[_Held, ...] = ()
    link: dict[str, Any] = {}


class NativeAsked(Struct, frozen=True, gc=False):
    """What a native request asks for: assets, and the version it is of, "" when it is not said."""

    assets: tuple[Asset, ...]
    version: str


_decode_request = msgspec.json.Decoder(_Rooted).decode
_decode_creative = msgspec.json.Decoder(_Creative).decode


@lru_cache(maxsize=KEPT)
def read_request(text: str) -> NativeAsked | None:
    """Answer what a native request asks for; None when it cannot be read or asks nothing."""
    try:
        asked = _decode_request(text)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None
    inner = asked.native or _Markup(asked.assets, asked.ver)
    if not 0 < len(inner.assets) <= MAX_ASSETS:
        return None
    version = ROOTED if asked.native is not None else inner.ver
    return NativeAsked(tuple(_asset_of(wanted) for wanted in inner.assets), version)


def _asset_of(wanted: _Wanted) -> Asset:
    for kind in ("title", "img", "data", "video"):
        part: _Sized | None = getattr(wanted, kind)
        if part is not None:
            exact = part.w is not None or part.h is not None
            return Asset(
                wanted.id,
                kind,
                wanted.required == 1,
                part.type or 0,
                part.len or 0,
                (part.w if exact else part.wmin) or 0,
                (part.h if exact else part.hmin) or 0,
                exact,
                part.mimes or (),
            )
    return Asset(wanted.id, "", wanted.required == 1)


@lru_cache(maxsize=KEPT)
def read_markup(markup: str) -> tuple[tuple[Asset, ...], bytes] | None:
    """Answer the assets of a creative and its link as JSON; None when it cannot be read.

    markup: `{"assets": [{"title": {"text"}}, {"img": {"type", "url", "w", "h", "mime"}},
    {"data": {"type", "value"}}], "link": {"url"}}`: as in a native answer, without ids.
    """
    try:
        held = _decode_creative(markup)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None
    if not held.link.get("url"):
        return None
    assets: list[Asset] = []
    for one in held.assets:
        if one.title is not None:
            assets.append(Asset(0, "title", length=len(one.title.text), value=one.title.text))
        elif one.img is not None:
            image = one.img
            mimes = (image.mime,) if image.mime else ()
            assets.append(
                Asset(
                    0,
                    "img",
                    sort=image.type,
                    w=image.w,
                    h=image.h,
                    mimes=mimes,
                    value=image.url,
                )
            )
        elif one.data is not None:
            text = one.data.value
            assets.append(Asset(0, "data", sort=one.data.type, length=len(text), value=text))
    return tuple(assets), msgspec.json.encode(held.link)


def _serves(have: Asset, want: Asset) -> bool:
    """Tell whether an asset of a creative is what is asked for."""
    if have.kind != want.kind or not have.value:
        return False
    if want.length and have.length > want.length:
        return False
    if want.kind == "title":
        return True
    if want.sort and have.sort != want.sort:
        return False
    if want.kind == "data":
        return True
    if want.mimes and not (have.mimes and have.mimes[0] in want.mimes):
        return False
    if want.exact:
        return want.w in (0, have.w) and want.h in (0, have.h)
    return have.w >= want.w and have.h >= want.h


@lru_cache(maxsize=KEPT)
def matched(wanted: tuple[Asset, ...], markup: str) -> tuple[tuple[int, Asset], ...] | None:
    """Answer (id asked for, asset of the creative) for all that can be served.

    None when a required asset cannot be, or nothing at all can be. Each asset of the creative
    serves once.
    """
    read = read_markup(markup)
    if read is None:
        return None
    left = list(read[0])
    found: list[tuple[int, Asset]] = []
    # The required ones choose first.
    for want in sorted(wanted, key=lambda asset: not asset.required):
        for place, have in enumerate(left):
            if _serves(have, want):
                found.append((want.id, left.pop(place)))
                break
        else:
            if want.required:
                return None
    return tuple(found) or None


@lru_cache(maxsize=KEPT)
def native_markup(wanted: tuple[Asset, ...], markup: str, version: str) -> str | None:
    """Answer the JSON of a native answer to what is asked for; None when it cannot be made.

    Version 1.0 has a root called native, later ones have not.
    """
    found = matched(wanted, markup)
    read = read_markup(markup)
    if found is None or read is None:
        return None
    assets: list[dict[str, object]] = []
    for number, have in sorted(found, key=lambda pair: pair[0]):
        if have.kind == "title":
            inner: dict[str, object] = {"text": have.value}
        elif have.kind == "img":
            inner = {"url": have.value, "w": have.w, "h": have.h}
        else:
            inner = {"value": have.value}
        assets.append({"id": number, have.kind: inner})
    answer: dict[str, object] = {
        "ver": version or "1.2",
        "assets": assets,
        "link": msgspec.Raw(read[1]),
    }
    return msgspec.json.encode({"native": answer} if version == ROOTED else answer).decode()

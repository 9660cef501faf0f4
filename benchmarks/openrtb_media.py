"""The rules of banner, video, audio and native, as a second opinion: see benchmarks.openrtb_rules.

Source: IAB Tech Lab, OpenRTB 2.6, sections 3.2.4 and 3.2.6 to 3.2.10; Native Ads API 1.2.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

Json = Mapping[str, Any]
SKIP_BUTTON = 16
_PARTS = {1: "banner", 2: "video", 3: "audio", 4: "native"}


@dataclass(frozen=True)
class Subject:
    """One bid beside what it answers: request, impression, its deal, and its creative."""

    request: Json
    imp: Json
    bid: Json
    creative: Json
    deal: Json | None

    @property
    def part(self) -> Json | None:
        """The object of the impression that the bid's markup type claims."""
        return self.imp.get(_PARTS.get(self.bid["mtype"], ""))

    @property
    def duration(self) -> Fraction:
        """Seconds the creative lasts."""
        return Fraction(self.creative.get("duration_ms") or 0, 1000)


def number(part: Json, name: str, default: int) -> int:
    """Answer a number of a document, its default when it is absent or null."""
    value = part.get(name)
    return default if value is None else int(value)


def sets(part: Json, *names: str) -> bool:
    """Tell whether any of `names` is given."""
    return any(part.get(name) not in (None, []) for name in names)


def every_kind(subject: Subject) -> Iterator[str]:
    """What holds for all four: the kind is offered, attributes, interfaces, security."""
    part, bid, creative = subject.part, subject.bid, subject.creative
    if part is None:
        yield "a kind of markup that is not offered"
        return
    attributes = set(bid["attr"]) | ({SKIP_BUTTON} if creative.get("skippable") else set())
    if attributes - set(bid["attr"]):
        yield "it can be skipped and does not say so"
    if attributes & set(part.get("battr") or ()):
        yield "a blocked attribute"
    if set(bid.get("apis") or ()) - set(part.get("api") or ()):
        yield "an interface that is not supported"
    if subject.imp.get("secure") == 1 and (
        not creative.get("secure", True) or "http://" in bid["adm"]
    ):
        yield "insecure where security is asked for"
    if bid["mtype"] != 4 and part.get("mimes") and creative.get("mime") not in part["mimes"]:
        yield "a mime type that is not supported"
    if subject.imp.get("rwdd") == 1 and creative.get("skippable"):
        yield "a reward for what can be skipped"


def banners(subject: Subject) -> Iterator[str]:
    """Sizes and ratios, banner types, expansion."""
    part, bid, creative = subject.part, subject.bid, subject.creative
    if bid["mtype"] != 1 or part is None:
        return
    if part.get("btype") and creative.get("kind", 0) in (0, *part["btype"]):
        yield "a blocked type of banner"
    if creative.get("expands") and not part.get("expdir"):
        yield "it expands where nothing may"
    w, h = bid.get("w", 0), bid.get("h", 0)
    formats = part.get("format") or ([part] if part.get("w") and part.get("h") else [])
    screen = subject.request.get("device") or {}
    if not formats and subject.imp.get("instl") == 1 and screen.get("w") and screen.get("h"):
        if w > screen["w"] or h > screen["h"]:
            yield "larger than the screen"
        return
    if not (w > 0 and h > 0 and any(_is_of(w, h, bid, one) for one in formats)):
        yield f"{w}x{h} is none of the sizes"


def _is_of(w: int, h: int, bid: Json, one: Json) -> bool:
    if one.get("w") and one.get("h"):
        return (w, h) == (one["w"], one["h"])
    wratio, hratio = one.get("wratio") or 0, one.get("hratio") or 0
    if wratio <= 0 or hratio <= 0:
        return False
    said = (bid.get("wratio"), bid.get("hratio")) == (wratio, hratio)
    return said and w * hratio == h * wratio and w >= (one.get("wmin") or 0) >= 0


def timed(subject: Subject) -> Iterator[str]:
    """Durations, protocols, bit rates of audio and video."""
    part, bid, creative = subject.part, subject.bid, subject.creative
    if bid["mtype"] not in (2, 3) or part is None:
        return
    lasts = subject.duration
    if lasts < number(part, "minduration", 0):
        yield "too short"
    if part.get("maxduration") is not None and lasts > part["maxduration"]:
        yield "too long"
    if part.get("rqddurs") and lasts not in part["rqddurs"]:
        yield "none of the durations that are required"
    if part.get("poddur") and lasts > part["poddur"]:
        yield "longer than its pod"
    if lasts and not lasts <= bid.get("dur", 0) < lasts + 1:
        yield "another duration than it says"
    if part.get("protocols") and bid.get("protocol") not in part["protocols"]:
        yield "a protocol that is not supported"
    rate = creative.get("bitrate") or 0
    low, high = part.get("minbitrate") or 0, part.get("maxbitrate") or 0
    if (low or high) and not (rate and low <= rate and (not high or rate <= high)):
        yield "a bit rate that is not supported"
    if any(number(part, name, 0) < 0 for name in ("minduration", "maxduration", "maxbitrate",
                                                   "minbitrate", "poddur", "maxseq")):  # fmt: skip
        yield "a bid on what contradicts itself"


def videos(subject: Subject) -> Iterator[str]:
    """Linearity, skipping, the player's shape."""
    part, bid, creative = subject.part, subject.bid, subject.creative
    if bid["mtype"] != 2 or part is None:
        return
    linear = creative.get("linear", True)
    if part.get("linearity") in (1, 2) and linear != (part["linearity"] == 1):
        yield "the wrong linearity"
    if creative.get("skippable"):
        if part.get("skip") == 0:
            yield "it can be skipped where nothing may"
        if part.get("skipmin") and subject.duration <= part["skipmin"]:
            yield "it can be skipped and is too short for it"
    if part.get("w") and part.get("h"):
        w, h = bid.get("w", 0), bid.get("h", 0)
        if not (0 < w <= part["w"] and 0 < h <= part["h"]):
            yield "larger than the player"
        if part.get("boxingallowed") == 0 and w * part["h"] != h * part["w"]:
            yield "another shape than the player's"


def natives(subject: Subject) -> Iterator[str]:
    """Every required asset is there, of the kind, type and length asked for."""
    part, bid = subject.part, subject.bid
    if bid["mtype"] != 4 or part is None:
        return
    asked = json.loads(part["request"])
    answer = json.loads(bid["adm"])
    asked, answer = asked.get("native", asked), answer.get("native", answer)
    if not (answer.get("link") or {}).get("url"):
        yield "a native answer without a link"
    given = {asset["id"]: asset for asset in answer["assets"]}
    wanted = {asset["id"]: asset for asset in asked["assets"]}
    for unknown in set(given) - set(wanted):
        yield f"asset {unknown} was not asked for"
    for name, want in wanted.items():
        have = given.get(name)
        if have is None:
            if want.get("required") == 1:
                yield f"the required asset {name} is missing"
            continue
        yield from _asset(name, want, have)


def _asset(name: int, want: Json, have: Json) -> Iterator[str]:
    title, image, data = want.get("title"), want.get("img"), want.get("data")
    if title is not None:
        text = (have.get("title") or {}).get("text")
        if not text or len(text) > number(title, "len", 1 << 30):
            yield f"asset {name} is no such title"
    if image is not None:
        shown = have.get("img") or {}
        wrong = not shown.get("url")
        for exact, least in (("w", "wmin"), ("h", "hmin")):
            if image.get(exact) and shown.get(exact) != image[exact]:
                wrong = True
            bounded = image.get("w") is None and image.get("h") is None
            if bounded and shown.get(exact, 0) < number(image, least, 0):
                wrong = True
        if wrong:
            yield f"asset {name} is no such image"
    if data is not None:
        value = (have.get("data") or {}).get("value")
        if not value or len(value) > number(data, "len", 1 << 30):
            yield f"asset {name} is no such text"


CHECKS: tuple[Callable[[Subject], Iterator[str]], ...] = (
    every_kind,
    banners,
    timed,
    videos,
    natives,
)
"""The rules of one bid's markup."""

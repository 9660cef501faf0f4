"""The story: an answer, an event, the changed answer, and what else the service can say.

Real calls against the running service. Every claim is checked when it is made; a claim that
does not hold ends the demo with an error.
"""

import secrets
from collections.abc import Sequence
from typing import Any

from demo.calls import Service
from demo.choosing import Someone, another_shelf, label, shelf
from demo.telling import DemoFailed, Teller

K = 10
WIDE = 100
PATH = "/v1/recommendations"
Places = Sequence[dict[str, Any]]


class Story:
    """Tells the parts in order; each can be told alone."""

    def __init__(self, service: Service, teller: Teller) -> None:
        self._service = service
        self._teller = teller
        self._names: dict[str, tuple[str, str]] = {}

    def answer(self, someone: Someone) -> Places:
        """Show what someone is answered."""
        question = {someone.field: someone.name, "k": K}
        found = self._service.tell("POST", PATH, question)
        if not found.get("model"):
            raise DemoFailed("the answer names no model, although one was released")
        self._claim(len(found["items"]) == K, f"{K} items, answered by {found['model']}")
        self._show(found["items"], ())
        return found["items"]

    def changed_by_click(self, someone: Someone, before: Places) -> None:
        """Post a click and show what it changed in the next answer."""
        wide = self._wide(someone)
        chosen = another_shelf(self._service, wide, K)
        where = (
            f" ({shelf(chosen)}), from a category the answer does not have" if shelf(chosen) else ""
        )
        self._teller.say(
            f"Somebody there now looks at “{label(chosen)}”{where}: the best item below the answer."
        )
        self._click(someone, chosen["item"])
        after = self._ask(someone, before)
        change = changed(before, after, wide, self._wide(someone), chosen["item"])
        self._claim(bool(change), change or "the click changes the very next answer")

    def anonymous(self) -> Someone:
        """The same for somebody nobody knows: a fresh session, which is answered."""
        visitor = Someone("session", "visit-" + secrets.token_hex(4), 0)
        question = {"session": visitor.name, "k": K}
        found = self._service.tell("POST", PATH, question)
        before = found["items"]
        self._claim(
            bool(before) and found.get("fallback") is not None,
            f"nothing is known of this visit, so the answer is marked: "
            f"fallback “{found.get('fallback')}”",
        )
        self._show(before, ())
        wide = self._wide(visitor)
        chosen = another_shelf(self._service, wide, K)
        self._teller.say(f"The visitor looks at “{label(chosen)}”.")
        self._click(visitor, chosen["item"])
        after = self._ask(visitor, before)
        change = changed(before, after, wide, self._wide(visitor), chosen["item"])
        self._claim(bool(change), change or "one click, and the answer is about this visit")
        return visitor

    def filtered(self, someone: Someone, before: Places) -> None:
        """Only one category; without categories, everything but the first item."""
        shelves = [self._service.item(place["item"]).get("categories") or [] for place in before]
        wanted = next((names[0] for names in reversed(shelves) if names), None)
        if wanted is None:
            denied = before[0]["item"]
            question = {someone.field: someone.name, "k": 5, "filter": {"deny": [denied]}}
            found = self._service.tell("POST", PATH, question)
            kept = all(place["item"] != denied for place in found["items"])
            self._claim(kept, "the denied item is not in the answer")
        else:
            question = {someone.field: someone.name, "k": 5, "filter": {"categories": [wanted]}}
            found = self._service.tell("POST", PATH, question)
            inside = all(
                wanted in (self._service.item(place["item"]).get("categories") or ())
                for place in found["items"]
            )
            self._claim(bool(found["items"]) and inside, f"every item is of {wanted}")
        self._show(found["items"], ())

    def explained(self, someone: Someone) -> None:
        """Why each item is there."""
        question = {someone.field: someone.name, "k": 4, "explain": True}
        found = self._service.tell("POST", PATH, question)
        told = all(place.get("sources") for place in found["items"])
        self._claim(told, "every item says which member proposed it and what it rests on")
        for place in found["items"]:
            best = place["sources"][0]
            self._teller.lines(
                [
                    self._called(place["item"])[0],
                    f"  {best['text']} ({best['member']}, {best['share']:.0%} of the score)",
                ]
            )

    def measured(self) -> None:
        """A few lines of the service's own figures."""
        self._teller.curl("GET", self._service.base + "/metrics")
        text = self._service.call("GET", "/metrics").body
        wanted = ("sanderling_requests_total", "sanderling_fallbacks_total", "sanderling_events")
        lines = [
            line for line in str(text).splitlines()
            if line.startswith(wanted) and "_created" not in line
        ]  # fmt: skip
        self._teller.lines(lines[:12])
        counted = [line for line in lines if f'route="{PATH}"' in line and "requests" in line]
        self._claim(bool(counted), "the calls above are counted")

    def _wide(self, someone: Someone) -> Places:
        question = {someone.field: someone.name, "k": WIDE}
        return self._service.quietly("POST", PATH, question)["items"]

    def _click(self, someone: Someone, item: str) -> None:
        event = {"event_id": secrets.token_hex(8), someone.field: someone.name}
        event |= {"kind": "click", "item": item}
        reply = self._service.tell("POST", "/v1/events", event, expect=202)
        self._claim(reply.get("accepted") == 1, "accepted, and on disk before it was acknowledged")

    def _ask(self, someone: Someone, before: Places) -> Places:
        question = {someone.field: someone.name, "k": K}
        self._teller.curl("POST", self._service.base + PATH, question)
        found = self._service.call("POST", PATH, question)
        self._teller.lines([f"HTTP {found.status}, {found.ms:.1f} ms"])
        if found.status != 200:
            raise DemoFailed(f"POST {PATH} answered {found.status}: {found.body}")
        self._show(found.body["items"], before)
        return found.body["items"]

    def _claim(self, holds: bool, claim: str) -> None:
        if not holds:
            raise DemoFailed(f"this should hold and does not: {claim}")
        self._teller.holds(claim)

    def _called(self, item: str) -> tuple[str, str]:
        if item not in self._names:
            found = self._service.item(item)
            self._names[item] = label(found), shelf(found)
        return self._names[item]

    def _show(self, places: Places, before: Places) -> None:
        was = {place["item"]: rank for rank, place in enumerate(before, 1)}
        rows = []
        for rank, place in enumerate(places, 1):
            title, names = self._called(place["item"])
            row = [f"{rank:2}", f"{place['score']:9.3f}", title[:44], names[:36]]
            rows.append(row + ([_moved(rank, was.get(place["item"]))] if before else []))
        if rows:
            self._teller.table(rows)


def _moved(rank: int, was: int | None) -> str:
    if was is None:
        return "new"
    if was == rank:
        return ""
    return f"{'up' if was > rank else 'down'} from {was}"


def changed(
    before: Places, after: Places, wide_before: Places, wide_after: Places, clicked: str
) -> str:
    """Answer in words what a click on an item changed, "" when it changed nothing.

    Other items or another order count; where those stay, the clicked item itself must have
    risen, or be gone because what was seen is not answered again.
    """
    was = [place["item"] for place in before]
    now = [place["item"] for place in after]
    if was != now:
        new = sum(item not in was for item in now)
        moved = sum(item in was and was.index(item) != rank for rank, item in enumerate(now))
        return (
            f"the very next answer is another one: {new} of {len(now)} items are new, "
            f"{moved} others changed their place"
        )
    ranks = [
        next((rank for rank, place in enumerate(wide, 1) if place["item"] == clicked), None)
        for wide in (wide_before, wide_after)
    ]
    if ranks[0] is not None and ranks[1] is None:
        return f"the first {len(now)} stay; the clicked item, at {ranks[0]}, is not answered again"
    scores = [
        next((place["score"] for place in wide if place["item"] == clicked), 0.0)
        for wide in (wide_before, wide_after)
    ]
    if scores[1] > scores[0]:
        return (
            f"the first {len(now)} stay; the clicked item's score rose from {scores[0]:.3f} to "
            f"{scores[1]:.3f}, its place from {ranks[0]} to {ranks[1]}"
        )
    return ""

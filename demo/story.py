"""The story: an answer, an event, the changed answer, and what else the service can say.

Real calls against the running service. Every claim is checked when it is made; a claim that
does not hold ends the demo with an error.
"""

import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple

from demo.calls import Service
from demo.choosing import Someone, another_shelf, label, shelf
from demo.telling import DemoFailed, Teller

K = 10
WIDE = 100
PATH = "/v1/recommendations"
FAR_BEYOND_DRIFT = 10.0
LEAST_MOVE = 1e-5
Places = Sequence[dict[str, Any]]


class Wide(NamedTuple):
    """Longer answers asked quietly: twice before the click, once after it."""

    earlier: Places
    before: Places
    after: Places


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
        earlier, wide = self._wide(someone), self._wide(someone)
        chosen = another_shelf(self._service, wide, K)
        where = (
            f" ({shelf(chosen)}), from a category the answer does not have" if shelf(chosen) else ""
        )
        self._teller.say(
            f"Somebody there now looks at “{label(chosen)}”{where}: the best item below the answer."
        )
        self._click(someone, chosen["item"])
        after = self._ask(someone, before)
        change = changed(before, after, Wide(earlier, wide, self._wide(someone)), chosen["item"])
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
        earlier, wide = self._wide(visitor), self._wide(visitor)
        chosen = another_shelf(self._service, wide, K)
        self._teller.say(f"The visitor looks at “{label(chosen)}”.")
        self._click(visitor, chosen["item"])
        after = self._ask(visitor, before)
        change = changed(before, after, Wide(earlier, wide, self._wide(visitor)), chosen["item"])
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


def changed(before: Places, after: Places, control: Wide, clicked: str) -> str:
    """Answer in words what a click on an item changed, "" when it changed nothing.

    Other items or another order count. Where those stay, the clicked item must be gone (what
    was seen is not answered again), or scores must have moved by far more than they do from
    one question to the next without a click.
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
    place = next((n for n, found in enumerate(control.before, 1) if found["item"] == clicked), 0)
    if place and all(found["item"] != clicked for found in control.after):
        return f"the first {len(now)} stay; the clicked item, at {place}, is not answered again"
    drift = _largest_move(control.earlier, control.before)
    move = _largest_move(control.before, control.after)
    if move > max(FAR_BEYOND_DRIFT * drift, LEAST_MOVE):
        return (
            f"the first {len(now)} stay, the history being long; of {len(control.after)} items "
            f"the scores moved by up to {move:.2%} (without a click: {drift:.4%})"
        )
    return ""


def _largest_move(before: Places, after: Places) -> float:
    scores = {place["item"]: place["score"] for place in before}
    moves = [
        abs(place["score"] - scores[place["item"]]) / (abs(scores[place["item"]]) or 1.0)
        for place in after
        if place["item"] in scores
    ]
    return max(moves, default=0.0)

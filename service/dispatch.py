"""The thin door: a raw ASGI app that hands hot routes their bytes and everything else on.

Reads the body under its cap, calls the route, turns errors into JSON, counts and times,
and lets no exception out. Knows the table of routes; knows nothing of what they do.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.errors import BadField, SanderlingError
from service.bodies import Disconnected, length_of, read_body, take_body
from service.context import Context
from service.errors import error_reply, internal_error, reply_for
from service.http import Headers, Reply, Request, Route
from service.logs import log_unexpected
from service.streaming import send_parts

MAX_PATH_BYTES = 2_048
DRAIN_BYTES = 64 << 20
"""A refused body announced as longer than this is not read to its end: the door closes."""

_STARTING = error_reply(503, "starting", "the service is starting; retry")
_OTHER = "other"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(slots=True)
class _Place:
    """The routes of one path by method; `segments` hold None where the id stands."""

    path: str
    segments: tuple[bytes | None, ...]
    methods: dict[str, Route] = field(default_factory=dict[str, Route])

    def allow(self) -> bytes:
        names = {*self.methods, "OPTIONS"}
        if "GET" in names:
            names.add("HEAD")
        return ", ".join(sorted(names)).encode()


class Dispatcher:
    """ASGI app in front of `inner`; `context` is set by whoever starts the service."""

    def __init__(self, routes: Sequence[Route], inner: ASGIApp) -> None:
        self.inner = inner
        self.context: Context | None = None
        places: dict[str, _Place] = {}
        for route in routes:
            segments = tuple(
                None if part.startswith("{") else part.encode() for part in route.path.split("/")
            )
            place = places.setdefault(route.path, _Place(route.path, segments))
            if place.methods.setdefault(route.method, route) is not route:
                raise ValueError(f"two routes for {route.method} {route.path}")
        self._exact = {path: place for path, place in places.items() if None not in place.segments}
        self._named = [place for place in places.values() if None in place.segments]

    def _find(self, scope: Scope) -> tuple[_Place | None, bytes]:
        """Answer the place of a path and the raw bytes of its id, (None, b"") for neither."""
        path: str = scope["path"]
        place = self._exact.get(path)
        if place is not None:
            return place, b""
        if len(path) > 1 and path[-1] == "/":
            place = self._exact.get(path[:-1])
            if place is not None:
                return place, b""
        raw: bytes = scope.get("raw_path") or path.encode("utf-8", "surrogatepass")
        if len(raw) > MAX_PATH_BYTES:
            return None, b""
        parts = raw.split(b"/")
        if len(parts) > 2 and not parts[-1]:
            parts.pop()
        for place in self._named:
            if len(place.segments) == len(parts):
                found = b""
                for want, have in zip(place.segments, parts, strict=True):
                    if want is None:
                        found = have
                    elif want != have:
                        break
                else:
                    return place, found
        return None, b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        started = time.perf_counter()
        place, raw_param = self._find(scope)
        if place is None:
            await self._inner(scope, receive, send, started)
            return
        method: str = scope["method"]
        route = place.methods.get("GET" if method == "HEAD" else method)
        headers: Headers = scope["headers"]
        if route is None:
            reply = _no_method(method, place)
        else:
            try:
                reply = await self._answer(route, scope, raw_param, receive)
            except Disconnected:
                if self.context is not None:
                    self.context.metrics.disconnects.labels(place.path).inc()
                return
        if reply.parts is None:
            await _send(send, reply, headers)
        else:
            await self._stream(send, receive, reply, place.path)
        if self.context is not None:
            label = method if route is not None else _OTHER
            self.context.metrics.observe(
                place.path, label, reply.status, time.perf_counter() - started
            )

    async def _answer(
        self, route: Route, scope: Scope, raw_param: bytes, receive: Receive
    ) -> Reply:
        """Read the body and run a route; every error becomes a reply, only Disconnected passes."""
        context = self.context
        if context is None:
            return _STARTING
        headers: Headers = scope["headers"]

        async def body() -> bytes:
            cap, patience = route.body_cap, context.settings.body_timeout_s
            return await read_body(receive, headers, cap, patience) if cap else b""

        try:
            whole = await body()
            param = _param(raw_param) if raw_param else ""
        except SanderlingError as error:
            return self.refusal(route, error)
        if route.admit is not None:
            turned_away = route.admit(context, headers)
            if turned_away is not None:
                return turned_away
        method, path, query = scope["method"], scope["path"], scope["query_string"]
        return await self._run(route, Request(method, path, query, headers, whole, param))

    def quick_routes(self) -> dict[tuple[bytes, bytes], Route]:
        """Answer the routes that a protocol may hand whole requests to, by method and path: the
        POST ones, which answer in one piece."""
        return {
            (route.method.encode(), path.encode()): route
            for path, place in self._exact.items()
            for route in place.methods.values()
            if route.method == "POST"
        }

    def admit(self, route: Route, headers: Headers) -> Reply | None:
        """Answer a refusal to begin a request that has come whole, None to go on."""
        context = self.context
        if context is None:
            return _STARTING
        return None if route.admit is None else route.admit(context, headers)

    async def respond(self, route: Route, query: bytes, headers: Headers, body: bytes) -> Reply:
        """Answer a request that has come whole and was admitted; every error becomes a reply."""
        context = self.context
        assert context is not None
        try:
            whole = take_body(headers, body, route.body_cap) if route.body_cap else b""
        except SanderlingError as error:
            if route.leave is not None:
                route.leave(context)
            return self.refusal(route, error)
        return await self._run(route, Request(route.method, route.path, query, headers, whole))

    def observe(self, route: Route, status: int, seconds: float) -> None:
        """Count one answer."""
        if self.context is not None:
            self.context.metrics.observe(route.path, route.method, status, seconds)

    async def _run(self, route: Route, request: Request) -> Reply:
        context = self.context
        assert context is not None
        try:
            return await route.handler(context, request)
        except SanderlingError as error:
            return self.refusal(route, error)
        except Disconnected:
            raise
        except Exception as error:
            context.metrics.unexpected.labels(route.path).inc()
            log_unexpected(error, route=route.path)
            return internal_error()
        finally:
            if route.leave is not None:
                route.leave(context)

    def refusal(self, route: Route, error: SanderlingError) -> Reply:
        """Answer an error as a route's protocol tells it, counted."""
        if self.context is not None:
            code = getattr(error, "code", "unavailable")
            self.context.metrics.rejects.labels(route.path, code).inc()
        return reply_for(error) if route.refuse is None else route.refuse(error)

    async def _stream(self, send: Send, receive: Receive, reply: Reply, path: str) -> None:
        """Send a reply that comes in parts; one that fails is broken off and counted."""
        assert reply.parts is not None
        headers = ((b"content-type", reply.content_type), *reply.headers)
        try:
            await send_parts(send, receive, reply.status, headers, reply.parts)
        except Exception as error:
            log_unexpected(error, route=path)
            if self.context is not None:
                self.context.metrics.unexpected.labels(path).inc()

    async def _inner(self, scope: Scope, receive: Receive, send: Send, started: float) -> None:
        """Hand on to the inner app; catch and count what it lets out."""
        status = 0
        method: str = scope["method"] if scope["method"] in _METHODS else _OTHER
        if method == "HEAD":
            # The server sends no body for HEAD; the inner app need not know of it.
            scope = {**scope, "method": "GET"}

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.inner(scope, receive, watch)
        except Exception as error:
            log_unexpected(error, route=_OTHER)
            if self.context is not None:
                self.context.metrics.unexpected.labels(_OTHER).inc()
            if not status:
                await _send(watch, internal_error(), ())
        if self.context is not None:
            route = scope.get("route")
            path: str = getattr(route, "path", _OTHER)
            self.context.metrics.observe(path, method, status, time.perf_counter() - started)


def _param(raw: bytes) -> str:
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise BadField("the id in the path is not UTF-8", field="path") from error


def _no_method(method: str, place: _Place) -> Reply:
    allow = ((b"allow", place.allow()),)
    if method == "OPTIONS":
        return Reply(204, b"", allow)
    return error_reply(
        405, "method_not_allowed", "this path does not take this method", headers=allow
    )


def headers_of(reply: Reply) -> list[tuple[bytes, bytes]]:
    """Answer a reply's headers with its length and type; no content has neither (RFC 9110, 8.6)."""
    if reply.status == 204:
        return list(reply.headers)
    return [
        (b"content-length", str(len(reply.body)).encode()),
        (b"content-type", reply.content_type),
        *reply.headers,
    ]


async def _send(send: Send, reply: Reply, request_headers: Headers) -> None:
    headers = headers_of(reply)
    if reply.status >= 400 and any(
        name == b"content-length" and length_of(value) > DRAIN_BYTES
        for name, value in request_headers
    ):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})

"""HTTP as uvicorn speaks it, with a short way for hot routes: a whole request in, one write out.

ASGI hands a request over in pieces, through a scope, an event and a task that waits for them; for a
request that is answered in some hundred microseconds that is a third of its cost. Requests to exact
paths with a length that is told and small go the short way; every other (streams, uploads,
pipelines, upgrades, paths with ids) goes uvicorn's own. Knows HTTP/1.1 and the dispatcher.
"""

import time
from asyncio.events import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service.bodies import length_of, too_slow
from service.dispatch import Dispatcher, headers_of
from service.http import Headers, Reply, Route

MOST_BODY = 65_536
"""Bytes of a body that goes the short way: what uvicorn holds before it stops reading."""
MOST_HEAD = 65_536
"""Bytes of a request's line and headers: nobody's are longer, and the parser holds all of them."""


class _Silent:
    """Stands where uvicorn's cycles have an event that somebody waits for."""

    def set(self) -> None:
        """Nobody waits."""


_SILENT = _Silent()


class _Whole:
    """A request on the short way, with what the base class asks of its cycles."""

    __slots__ = (
        *("body", "disconnected", "headers", "keep_alive", "message_event", "more_body"),
        *("query", "response_complete", "route"),
    )

    def __init__(self, route: Route, query: bytes, headers: Headers, *, keep_alive: bool) -> None:
        self.route = route
        self.query = query
        self.headers = headers
        self.keep_alive = keep_alive
        self.body = b""
        self.more_body = True
        self.disconnected = self.response_complete = False
        self.message_event = _SILENT


class QuickProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        app: object = vars(self.config)["loaded_app"]
        self._dispatcher = app if isinstance(app, Dispatcher) else None
        self._routes = {} if self._dispatcher is None else self._dispatcher.quick_routes()
        self._slow: TimerHandle | None = None
        self._head = 0

    def on_message_begin(self) -> None:
        """Begin to collect; what only ASGI needs is made when it is known to be needed."""
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self._head = 1

    def on_headers_complete(self) -> None:
        """Choose the way."""
        self._head = 0
        whole = self._whole()
        if whole is not None:
            self.cycle = whole  # type: ignore[assignment]
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        super().on_headers_complete()

    def _whole(self) -> _Whole | None:
        """Answer the request if it may go the short way."""
        parser: Any = self.parser
        cycle: Any = self.cycle
        path, _, query = self.url.partition(b"?")
        route = self._routes.get((parser.get_method(), path))
        busy = cycle is not None and not cycle.response_complete
        if route is None or busy or self.expect_100_continue or parser.should_upgrade():
            return None
        if parser.get_http_version() != "1.1":
            return None
        for name, value in self.headers:
            if name == b"transfer-encoding":
                return None
            if name == b"content-length" and length_of(value) > min(MOST_BODY, route.body_cap):
                return None
        return _Whole(route, query, self.headers, keep_alive=parser.should_keep_alive())

    def data_received(self, data: bytes) -> None:
        """Take what came; a body that does not come in time is given up."""
        dispatcher = self._dispatcher
        if dispatcher is not None and dispatcher.context is not None:
            dispatcher.context.bid_waits.heard(self.loop.call_soon)
        super().data_received(data)
        if self._head:
            self._head += len(data)
            if self._head > MOST_HEAD and not self.transport.is_closing():
                self.send_400_response("Headers of more than 65,536 bytes.")
                return
        whole: Any = self.cycle
        if type(whole) is _Whole and whole.more_body and self._slow is None and self._dispatcher:
            context = self._dispatcher.context
            seconds = 20.0 if context is None else context.settings.body_timeout_s
            self._slow = self.loop.call_later(seconds, self._give_up, whole)

    def on_message_complete(self) -> None:
        """Answer a whole request."""
        whole: Any = self.cycle
        if type(whole) is not _Whole:
            super().on_message_complete()
            return
        whole.more_body = False
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None
        dispatcher = self._dispatcher
        assert dispatcher is not None
        refused = dispatcher.admit(whole.route, whole.headers)
        if refused is not None:
            self._write(whole, refused)
            dispatcher.observe(whole.route, refused.status, 0.0)
            return
        task = self.loop.create_task(self._answer(dispatcher, whole))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    async def _answer(self, dispatcher: Dispatcher, whole: _Whole) -> None:
        started = time.perf_counter()
        route = whole.route
        reply = await dispatcher.respond(route, whole.query, whole.headers, whole.body)
        if self.flow.write_paused and not whole.disconnected:
            await self.flow.drain()
        if not whole.disconnected:
            self._write(whole, reply)
        dispatcher.observe(route, reply.status, time.perf_counter() - started)

    def _write(self, whole: _Whole, reply: Reply) -> None:
        parts = [STATUS_LINE[reply.status]]
        for name, value in self.server_state.default_headers:
            parts += (name, b": ", value, b"\r\n")
        for name, value in headers_of(reply):
            parts += (name, b": ", value, b"\r\n")
        parts.append(b"\r\n" if whole.keep_alive else b"connection: close\r\n\r\n")
        parts.append(reply.body)
        self.transport.write(b"".join(parts))
        whole.response_complete = True
        if not whole.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _give_up(self, whole: _Whole) -> None:
        """Refuse a request whose body did not come, and close: the rest of it is not wanted."""
        self._slow = None
        if not (whole.more_body and self._dispatcher) or self.transport.is_closing():
            return
        whole.keep_alive = False
        reply = self._dispatcher.refusal(whole.route, too_slow())
        self._write(whole, reply)
        self._dispatcher.observe(whole.route, reply.status, 0.0)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting for a body."""
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None
        whole: Any = self.cycle
        unanswered = type(whole) is _Whole and whole.more_body and not whole.response_complete
        if unanswered and self._dispatcher:
            context = self._dispatcher.context
            if context is not None:
                context.metrics.disconnects.labels(whole.route.path).inc()
        super().connection_lost(exc)

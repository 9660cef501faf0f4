"""Calls to the running service, shown as curl commands when they are part of the story.

Standard library only, as any client would call. Knows nothing of what the answers mean.
"""

import json
import time
import urllib.error
import urllib.request
from typing import Any, NamedTuple
from urllib.parse import quote

from demo.telling import DemoFailed, Teller

TIMEOUT_S = 20.0


class Answer(NamedTuple):
    """One answer: status, JSON (or text), milliseconds from sending to the last byte."""

    status: int
    body: Any
    ms: float


class Service:
    """The service at `base`, as a client sees it."""

    def __init__(self, base: str, teller: Teller) -> None:
        self.base = base
        self._teller = teller

    def call(self, method: str, path: str, body: object = None) -> Answer:
        """Call without a word; raises DemoFailed when nothing answers."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.base + path, data, {"content-type": "application/json"}, method=method
        )
        started = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:
                status, raw = reply.status, reply.read()
        except urllib.error.HTTPError as error:
            status, raw = error.code, error.read()
        except OSError as error:
            raise DemoFailed(f"{method} {path}: the service does not answer ({error})") from error
        ms = (time.perf_counter() - started) * 1000
        text = raw.decode("utf-8", "replace")
        try:
            return Answer(status, json.loads(text), ms)
        except ValueError:
            return Answer(status, text, ms)

    def tell(self, method: str, path: str, body: object = None, expect: int = 200) -> Any:
        """Call, show the call and the trimmed answer; answer its JSON.

        Raises DemoFailed when the status is not `expect`.
        """
        self._teller.curl(method, self.base + path, body)
        answer = self.call(method, path, body)
        self._teller.reply(answer.status, answer.body, answer.ms)
        return self._expected(answer, expect, f"{method} {path}")

    def quietly(self, method: str, path: str, body: object = None, expect: int = 200) -> Any:
        """Call without showing; answer its JSON. Raises DemoFailed as `tell` does."""
        return self._expected(self.call(method, path, body), expect, f"{method} {path}")

    def item(self, item: str) -> dict[str, Any]:
        """Answer an item of the catalogue, with nothing but its id when it is not there."""
        answer = self.call("GET", "/v1/items/" + quote(item, safe=""))
        return answer.body if answer.status == 200 else {"item": item}

    def _expected(self, answer: Answer, expect: int, what: str) -> Any:
        if answer.status != expect:
            raise DemoFailed(
                f"{what} answered {answer.status} where {expect} was due: {answer.body}"
            )
        return answer.body

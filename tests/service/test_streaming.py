"""Replies in parts: sent as they come, stopped when the caller hangs up, broken off on a fault."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message

from service.streaming import send_parts


class Line:
    """A caller: what was sent to it, and when it hangs up."""

    def __init__(self, hang_up_after: int = 1_000) -> None:
        self.sent: list[Message] = []
        self.left = asyncio.Event()
        self.after = hang_up_after
        self.told_body = False

    async def receive(self) -> Message:
        if not self.told_body:
            self.told_body = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if len(self.sent) > self.after:
            self.left.set()
        await asyncio.sleep(0)


async def _count(made: list[int], most: int) -> AsyncIterator[bytes]:
    for number in range(most):
        made.append(number)
        yield b"%d;" % number
        await asyncio.sleep(0)


async def test_parts_come_one_after_another_and_end() -> None:
    line, made = Line(), list[int]()
    await send_parts(line.send, line.receive, 200, [(b"a", b"b")], _count(made, 3))
    assert line.sent[0] == {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]}
    assert [message.get("body") for message in line.sent[1:]] == [b"0;", b"1;", b"2;", b""]
    assert [message.get("more_body", False) for message in line.sent[1:]] == [True] * 3 + [False]


async def test_nothing_is_made_for_who_hung_up() -> None:
    line, made = Line(hang_up_after=4), list[int]()
    await send_parts(line.send, line.receive, 200, (), _count(made, 10_000))
    assert len(made) < 20
    assert line.sent[-1].get("more_body")


async def test_a_part_that_fails_breaks_the_reply_off() -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"half"
        raise RuntimeError("no more")

    line = Line()
    with pytest.raises(RuntimeError, match="no more"):
        await send_parts(line.send, line.receive, 200, (), failing())
    assert line.sent[-1] == {"type": "http.response.body", "body": b"half", "more_body": True}

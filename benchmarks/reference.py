"""The reference endpoint of every latency figure: plain FastAPI with pydantic, doing nothing.

One `async def` POST route, a pydantic request model (an id, two strings, a list of 40 floats,
a dict of ten strings), a pydantic response model, no middleware. Knows nothing of ours but
the size of the body it is padded to.
"""

import json

from fastapi import FastAPI
from pydantic import BaseModel

FLOATS = 40
STRINGS = 10


class Question(BaseModel):
    """What the reference is asked: as many fields, of as many kinds, as a real request has."""

    id: int
    first: str
    second: str
    floats: list[float]
    strings: dict[str, str]


class Answer(BaseModel):
    """What the reference answers."""

    id: int
    text: str


app = FastAPI()


@app.post("/reference")
async def reference(question: Question) -> Answer:
    """Answer at once; the cost measured is the framework's own."""
    return Answer(id=question.id, text=question.first)


def body(size: int) -> bytes:
    """Build a question of exactly `size` bytes, or of its least size when that is more."""
    question = {
        "id": 12345,
        "first": "first",
        "second": "second",
        "floats": [round(0.1 * index, 1) for index in range(FLOATS)],
        "strings": {f"k{index}": "text" for index in range(STRINGS)},
    }
    short = len(json.dumps(question))
    question["second"] = "second" + "x" * max(0, size - short)
    return json.dumps(question).encode()

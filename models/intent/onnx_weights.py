"""The weights inside an ONNX file, read from its bytes: nodes by what they put out, arrays by name.

Only what an exported recurrent network needs of the format (protocol buffers: fields of varints
and of length-prefixed bytes; ModelProto.graph 7, GraphProto.node 1 and initializer 5, NodeProto
and TensorProto as below). Knows nothing of what a network computes.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_FLOAT = 1
"""TensorProto.DataType of float32."""


class Node(NamedTuple):
    """One operator: its kind, the names that go in, the numbers of its whole-number attributes."""

    kind: str
    inputs: tuple[str, ...]
    numbers: dict[str, int]


class Graph(NamedTuple):
    """nodes by the name of their first output; arrays of float32 by name."""

    nodes: dict[str, Node]
    arrays: dict[str, F32]


def read_graph(onnx: bytes) -> Graph:
    """Read nodes and float32 arrays; raises ValueError for bytes that hold no such thing."""
    nodes: dict[str, Node] = {}
    arrays: dict[str, F32] = {}
    for graph in _of(onnx, 7):
        for field, held in _fields(graph):
            if field == 1:
                outputs = [_text(one) for one in _of(held, 2)]
                numbers = dict(map(_number, _of(held, 5)))
                inputs = tuple(_text(one) for one in _of(held, 1))
                kind = "".join(_text(one) for one in _of(held, 4))
                if outputs:
                    nodes[outputs[0]] = Node(kind, inputs, numbers)
            elif field == 5 and isinstance(held, bytes):
                arrays |= _array(held)
    return Graph(nodes, arrays)


def _array(tensor: bytes) -> dict[str, F32]:
    """Answer a tensor by its name, nothing unless it is of float32 and kept raw."""
    sizes: list[int] = []
    kind, name, raw = 0, "", None
    for field, held in _fields(tensor):
        if field == 1:
            sizes += [held] if isinstance(held, int) else _packed(held)
        elif field == 2 and isinstance(held, int):
            kind = held
        elif field == 8 and isinstance(held, bytes):
            name = _text(held)
        elif field == 9 and isinstance(held, bytes):
            raw = held
    if kind != _FLOAT or raw is None:
        return {}
    return {name: np.frombuffer(raw, "<f4").reshape(sizes).astype(np.float32)}


def _number(attribute: bytes) -> tuple[str, int]:
    name, value = "", 0
    for field, held in _fields(attribute):
        if field == 1 and isinstance(held, bytes):
            name = _text(held)
        elif field == 3 and isinstance(held, int):
            # Numbers below 0 are written as if they were of 64 bits without a sign.
            value = held - (1 << 64) if held >> 63 else held
    return name, value


def _of(message: "bytes | int", wanted: int) -> list[bytes]:
    return [held for field, held in _fields(message) if field == wanted and isinstance(held, bytes)]


def _text(held: bytes) -> str:
    return held.decode("utf-8", "replace")


def _packed(held: bytes) -> list[int]:
    found: list[int] = []
    at = 0
    while at < len(held):
        value, at = _varint(held, at)
        found.append(value)
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        if at >= len(message) or shift > 63:
            raise ValueError("a number that does not end")
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _fields(message: "bytes | int") -> Iterator[tuple[int, "bytes | int"]]:
    """Yield (number, varint or bytes) of each field of a message."""
    if isinstance(message, int):
        raise ValueError("a number where a message is due")
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        field, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield field, value
            continue
        if wire == _BYTES:
            size, at = _varint(message, at)
        elif wire in (_EIGHT, _FOUR):
            size = 8 if wire == _EIGHT else 4
        else:
            raise ValueError("a field of an unknown kind")
        if at + size > len(message):
            raise ValueError("a field beyond the end")
        yield field, message[at : at + size]
        at += size

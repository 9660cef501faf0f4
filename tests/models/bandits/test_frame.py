"""A frame gives back what it was given, and nothing that it was not."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bandits.frame import Frame

FRAME = Frame(b"TST1", 4_000, "a test")
NAMES = st.dictionaries(st.text(max_size=8).filter(lambda name: name != "lengths"), st.integers())


def both(names, parts):
    assert names.pop("lengths") == [len(part) for part in parts]
    return names, parts


@given(NAMES, st.lists(st.binary(max_size=50), max_size=5))
def test_what_was_written_comes_back(names, parts):
    assert FRAME.read(FRAME.packed(names, parts), both) == (names, parts)


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(junk):
    for held in (junk, b"TST1" + junk):
        with pytest.raises(ValueError, match="these bytes are not a test"):
            FRAME.read(held, both)


def test_one_changed_byte_anywhere_is_noticed():
    held = FRAME.packed({"at": 5}, [b"abc"])
    for place in range(len(held)):
        if 20 <= place < 24:
            continue  # the length of the names; the digest is of what follows it
        turned = held[:place] + bytes([held[place] ^ 1]) + held[place + 1 :]
        with pytest.raises(ValueError, match="not a test"):
            FRAME.read(turned, both)


def test_a_wrong_length_of_names_is_another_release():
    held = FRAME.packed({"at": 5}, [b"abc"])
    (length,) = struct.unpack_from("<I", held, 20)
    for wrong in (0, length - 1, length + 1, 2**32 - 1):
        with pytest.raises(ValueError, match="a test of another release"):
            FRAME.read(held[:20] + struct.pack("<I", wrong) + held[24:], both)


def test_another_kind_and_what_is_too_large_are_refused():
    other = Frame(b"TST2", 4_000, "another")
    with pytest.raises(ValueError, match="not another"):
        other.read(FRAME.packed({}, []), both)
    with pytest.raises(ValueError, match="a test is larger than it may be"):
        FRAME.packed({}, [bytes(4_001)])
    with pytest.raises(ValueError, match="JSON"):
        FRAME.packed({"at": float("nan")}, [])


@pytest.mark.parametrize("error", [KeyError("x"), TypeError("x"), ValueError("x"), IndexError("x")])
def test_what_cannot_be_parsed_is_of_another_release(error):
    def parse(_names, _parts):
        raise error

    with pytest.raises(ValueError, match="of another release"):
        FRAME.read(FRAME.packed({}, []), parse)


def test_the_format_is_what_was_stored_before():
    """Bytes as former releases wrote them: magic, digest, length of names, names, parts."""
    held = FRAME.packed({"at": 5}, [b"abc", b""])
    assert held[:4] == b"TST1"
    assert struct.unpack_from("<I", held, 20) == (len(b'{"at":5,"lengths":[3,0]}'),)
    assert json.loads(held[24:-3]) == {"at": 5, "lengths": [3, 0]}
    assert held.endswith(b"abc")

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import (
    bucket_of,
    hash32,
    hash64,
    is_valid_id,
    new_id,
    session_entity,
    user_entity,
)


def test_hashes_are_part_of_the_stored_format() -> None:
    """BLAKE2b of the UTF-8 text, little-endian: these values may never change."""
    assert hash64("uada") == int.from_bytes(bytes.fromhex(BLAKE_8_UADA), "little")
    assert hash32("web") == int.from_bytes(bytes.fromhex(BLAKE_4_WEB), "little")


BLAKE_8_UADA = "356eabbf2f33f54f"
BLAKE_4_WEB = "2bef5066"


@given(st.text())
def test_hashes_fit_and_are_never_zero(text: str) -> None:
    assert 0 < hash64(text) < 2**64
    assert 0 < hash32(text) < 2**32


@given(st.text(), st.integers(1, 4_096))
def test_buckets_are_within_range(text: str, buckets: int) -> None:
    assert 0 <= bucket_of(text, buckets) < buckets


def test_buckets_fill_evenly() -> None:
    counts = [0] * 16
    for number in range(16_000):
        counts[bucket_of(f"u{number}", 16)] += 1
    assert min(counts) > 850
    assert max(counts) < 1_150


def test_users_and_sessions_of_one_name_are_two_entities() -> None:
    assert user_entity("x") != session_entity("x")
    assert (user_entity("x"), session_entity("x")) == ("ux", "sx")


def test_new_ids_are_valid_and_new() -> None:
    made = {new_id() for _ in range(1_000)}
    assert len(made) == 1_000
    assert all(is_valid_id(each) and len(each) == 22 for each in made)


@pytest.mark.parametrize("text", ["a", "a b", "ö", "日本", "x" * 256, "{tag}", "a:b/c", "é" * 128])
def test_valid_ids(text: str) -> None:
    assert is_valid_id(text)


@pytest.mark.parametrize(
    "text",
    ["", " a", "a ", "a\nb", "\x00", "a\x1fb", "\x7f", "x" * 257, "é" * 129, "\u3000a", "\ud800"],
)
def test_invalid_ids(text: str) -> None:
    assert not is_valid_id(text)


@given(st.text(max_size=300))
def test_a_valid_id_encodes_within_bounds(text: str) -> None:
    if is_valid_id(text):
        assert 1 <= len(text.encode()) <= 256
        assert "\x1f" not in text
        assert text == text.strip()

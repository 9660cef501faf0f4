"""The frames of cached scores: what is put comes back, the later stays, damage stays harmless."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.scores import Band, Score
from feature_store.scores import NO_SCORES, merge_scores, pack_scores, parse_scores

FULL = Score(0.25, 0.75, 1_700_000_000_123, "20250101-000000-ab", "base", Band.high, 80.5, 20.125)
PLAIN = Score(0.1 + 0.2, 1.0, -5)

unit = st.floats(0, 1)
scores = st.builds(
    Score,
    unit,
    unit,
    st.integers(-(2**53), 2**53),
    st.text(max_size=40),
    st.none() | st.text(max_size=20),
    st.none() | st.sampled_from(Band),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
)
named = st.dictionaries(st.sampled_from(["churn", "intent", "ö", "uplift"]), scores, max_size=4)


def test_nothing_held_is_no_scores() -> None:
    assert parse_scores(None) is NO_SCORES
    assert parse_scores(b"") is NO_SCORES
    assert pack_scores({}) == b""


def test_scores_come_back_whole() -> None:
    held = parse_scores(pack_scores({"churn": FULL, "intent": PLAIN}))
    assert held == {"churn": FULL, "intent": PLAIN}
    assert isinstance(held["churn"].band, Band)


def test_the_layout_is_part_of_the_stored_format() -> None:
    body = b'[0.5,1.0,"v",null,null,null,null]'
    frame = struct.pack("<qHB", 7, len(body), 5) + b"churn" + body
    assert pack_scores({"churn": Score(0.5, 1.0, 7, "v")}) == frame
    assert parse_scores(frame) == {"churn": Score(0.5, 1.0, 7, "v")}


def test_a_usual_score_takes_few_bytes() -> None:
    assert len(pack_scores({"churn": FULL})) < 100


@given(named)
def test_any_scores_come_back(given_scores: dict[str, Score]) -> None:
    assert parse_scores(pack_scores(given_scores)) == given_scores


@given(named, named)
def test_of_one_name_the_later_stays(one: dict[str, Score], two: dict[str, Score]) -> None:
    merged, taken = merge_scores(pack_scores(one), pack_scores(two))
    newer = {n: s for n, s in two.items() if n not in one or s.as_of >= one[n].as_of}
    assert parse_scores(merged) == {**one, **newer}
    assert taken == len(newer)


@pytest.mark.parametrize(
    "wrong",
    [
        {"": PLAIN},
        {"n" * 65: PLAIN},
        {"churn": PLAIN._replace(probability=float("nan"))},
        {"churn": PLAIN._replace(confidence=float("inf"))},
        {"churn": PLAIN._replace(value=float("nan"))},
        {"churn": PLAIN._replace(expected_loss=float("-inf"))},
        {"churn": PLAIN._replace(model="v" * 5_000)},
    ],
)
def test_what_cannot_be_kept_is_refused(wrong: dict[str, Score]) -> None:
    with pytest.raises(ValueError, match="score"):
        pack_scores(wrong)


@given(st.binary(max_size=60))
def test_damage_is_as_if_nothing_were_there(damage: bytes) -> None:
    good = pack_scores({"churn": FULL})
    assert parse_scores(good + damage)["churn"] == FULL or b"churn" in damage
    parse_scores(damage)
    merge_scores(damage, good)


def test_a_body_of_another_release_is_passed_over() -> None:
    body = b'{"probability":1}'
    strange = struct.pack("<qHB", 7, len(body), 6) + b"strang" + body
    assert parse_scores(strange + pack_scores({"churn": PLAIN})) == {"churn": PLAIN}
    cut = pack_scores({"churn": PLAIN})[:-1]
    assert parse_scores(cut) == {}

"""Of nobody nothing is known, and nothing anybody does can change that."""

import pytest

from service.known_user import NO_CHANCES, NOBODY, KnownUser


def test_of_nobody_nothing_is_known() -> None:
    assert KnownUser() == NOBODY
    assert (NOBODY.entity, NOBODY.segments, NOBODY.intent_bands, NOBODY.churn_bands) == (
        "", (), (), (),
    )  # fmt: skip
    assert NOBODY.numbers is None
    assert NOBODY.seen is None
    assert NOBODY.as_of == 0


def test_what_everybody_shares_cannot_be_written_to() -> None:
    assert NOBODY.scores is NO_CHANCES
    assert dict(NO_CHANCES) == {}
    with pytest.raises(TypeError):
        NO_CHANCES["intent"] = 0.5  # type: ignore[index]
    assert KnownUser("uada", scores={"intent": 0.5}).scores == {"intent": 0.5}
    assert NOBODY.scores == {}

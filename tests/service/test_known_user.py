"""What is known of nobody is nothing."""

from service.known_user import NO_CHANCES, NOBODY, KnownUser


def test_of_nobody_nothing_is_known() -> None:
    assert KnownUser() == NOBODY
    assert (NOBODY.entity, NOBODY.numbers, NOBODY.seen, NOBODY.as_of) == ("", None, None, 0)
    assert NOBODY.segments == NOBODY.intent_bands == NOBODY.churn_bands == ()
    assert dict(NOBODY.scores) == {}


def test_chances_of_nobody_cannot_be_written_to() -> None:
    assert not hasattr(NO_CHANCES, "__setitem__")
